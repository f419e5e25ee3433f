"""The address of an API, checked: the key goes there, and nowhere else."""

from __future__ import annotations

import ipaddress
import re
import unicodedata
from typing import Final
from urllib.parse import urlsplit

from .errors import InvalidRequest
from .text import printable

_NAME: Final = re.compile(
    r"(?=.{1,253}$)[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)*"
)


def checked_base_url(address: str) -> str:
    """Return the address as ``scheme://host[:port]``.

    Parameters
    ----------
    address : str
        ``https://…``; ``http://…`` for loopback alone.

    Returns
    -------
    str

    Raises
    ------
    InvalidRequest
        Another scheme, user information, a path, or no host.
    """
    # Before anything of it is shown: what stands before an @ may be a password.
    if "@" in unicodedata.normalize("NFKC", address):
        raise InvalidRequest("The address holds user information before an @; leave it out: write https://HOST.")
    shown = printable(address, 80)
    try:
        parts = urlsplit(address.strip())
        host, port = parts.hostname or "", parts.port
    except ValueError:
        parts, host, port = urlsplit(""), "", None
    if not host or any(c.isspace() or not c.isprintable() or c in "\\%" for c in parts.netloc):
        raise InvalidRequest(f"The address {shown!r} has no host; write https://HOST.")
    if not is_host(host):
        raise InvalidRequest(f"The address {shown!r} names no host; write https://HOST in letters, digits, - and dots.")
    if parts.scheme == "http" and not is_loopback(host):
        raise InvalidRequest(
            f"The address {shown!r} would send the key unencrypted; write https:// instead of http://."
        )
    if parts.scheme not in ("http", "https"):
        raise InvalidRequest(f"The address {shown!r} does not start with https://; write https://HOST.")
    if parts.path.strip("/") or parts.query or parts.fragment:
        raise InvalidRequest(f"The address {shown!r} has a path; write the scheme and the host alone: https://HOST.")
    netloc = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{netloc}" + (f":{port}" if port is not None else "")


def is_host(host: str) -> bool:
    """Return whether a text is a host's name in ASCII, or an IP address without a zone.

    Parameters
    ----------
    host : str

    Returns
    -------
    bool
    """
    if _NAME.fullmatch(host):
        return True
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return "%" not in host


def is_loopback(host: str) -> bool:
    """Return whether a host is this machine: ``localhost`` or a loopback IP address, not a name that looks like one.

    Parameters
    ----------
    host : str
        A host name or IP address without port.

    Returns
    -------
    bool
    """
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
