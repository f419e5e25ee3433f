"""Validation of hosts and of the API's address."""

from __future__ import annotations

import ipaddress
import re
import unicodedata
from typing import Final
from urllib.parse import urlsplit

from .errors import InvalidRequest
from .sanitize import single_line

_LABEL: Final = "[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?"
_HOST_NAME: Final = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")
_MAX_HOST_NAME_LENGTH: Final = 253


def normalize_base_url(address: str) -> str:
    """Return an API address as ``scheme://host[:port]``.

    Parameters
    ----------
    address : str
        ``https://…``; ``http://…`` only for loopback.

    Returns
    -------
    str

    Raises
    ------
    InvalidRequest
        Not https, or with user information, a path, or no valid host.
    """
    # Before any message repeats the address: the part before an @ may be a password. NFKC also finds a full-width ＠.
    if "@" in unicodedata.normalize("NFKC", address):
        raise InvalidRequest("The address contains user information before an @. Remove it: https://HOST.")
    text = single_line(address, 80)
    try:
        parts = urlsplit(address.strip())
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise InvalidRequest(f"The address {text!r} has an invalid host or port; write https://HOST:PORT.") from None
    if not host or any(c.isspace() or not c.isprintable() or c in "\\%" for c in parts.netloc):
        raise InvalidRequest(f"The address {text!r} has no host; write https://HOST.")
    if not is_valid_host(host):
        raise InvalidRequest(
            f"The address {text!r} has no valid host name; write https://HOST in letters, digits, - and dots."
        )
    if parts.scheme == "http" and not is_loopback(host):
        raise InvalidRequest(f"The address {text!r} would send the key unencrypted; write https:// instead of http://.")
    if parts.scheme not in ("http", "https"):
        raise InvalidRequest(f"The address {text!r} does not start with https://; write https://HOST.")
    if parts.path.strip("/") or parts.query or parts.fragment:
        raise InvalidRequest(f"The address {text!r} has a path; write only scheme and host: https://HOST.")
    netloc = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{netloc}" + (f":{port}" if port is not None else "")


def is_valid_host(host: str) -> bool:
    """Return whether a text is an ASCII host name or an IP address without a zone.

    Parameters
    ----------
    host : str

    Returns
    -------
    bool
    """
    if _HOST_NAME.fullmatch(host):
        return len(host) <= _MAX_HOST_NAME_LENGTH
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return "%" not in host


def is_loopback(host: str) -> bool:
    """Return whether a host is ``localhost`` or a loopback IP address.

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
