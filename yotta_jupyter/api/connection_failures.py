"""What an error of requests or urllib3 means: a description, and whether the request may have been delivered."""

from __future__ import annotations

from typing import NamedTuple

import requests
from urllib3.exceptions import (
    DecodeError,
    HTTPError,
    MaxRetryError,
    NameResolutionError,
    NewConnectionError,
    ReadTimeoutError,
)

from ..sanitize import single_line


class Failure(NamedTuple):
    """Why a request failed.

    Attributes
    ----------
    description : str
        Follows the address in the message, such as ``refuses connections``.
    may_have_been_delivered : bool
    """

    description: str
    may_have_been_delivered: bool


def classify(error: Exception, connect_timeout: float, timeout: float) -> Failure:
    """Return why a request failed.

    Parameters
    ----------
    error : Exception
        Of requests or urllib3.
    connect_timeout, timeout : float
        The timeouts of the request in seconds.

    Returns
    -------
    Failure
    """
    reason = _root_cause(error)
    if isinstance(error, requests.exceptions.SSLError):
        return _classify_tls(str(error))
    if isinstance(error, DecodeError):
        return Failure("sent a response that cannot be decompressed", True)
    if isinstance(error, requests.exceptions.ProxyError):
        return Failure("cannot be reached through the configured proxy", False)
    if isinstance(reason, NameResolutionError):
        return Failure("has an unknown host name", False)
    if isinstance(reason, NewConnectionError):
        return Failure("refuses connections", False)
    if isinstance(error, requests.exceptions.ConnectTimeout):
        return Failure(f"did not accept a connection within {connect_timeout:g} s", False)
    if _is_timeout(error) or _is_timeout(reason):
        return Failure(f"sent no complete response within {timeout:g} s", True)
    if isinstance(error, requests.exceptions.InvalidHeader):
        return Failure("got no request: the API key contains a character that is invalid in a header", False)
    if isinstance(error, (requests.ConnectionError, HTTPError, OSError)):
        return Failure("closed the connection without a response", True)
    return Failure(f"could not be reached ({single_line(type(error).__name__)})", True)


def _classify_tls(text: str) -> Failure:
    if "CERTIFICATE_VERIFY_FAILED" in text:
        return Failure("has no certificate that this machine trusts", False)
    if "WRONG_VERSION_NUMBER" in text:  # The server answered the handshake with plain HTTP.
        return Failure("does not support TLS, which https requires", False)
    return Failure("caused an error of TLS", True)  # It may have occurred after the request was sent.


def _is_timeout(error: object) -> bool:
    return isinstance(error, (requests.exceptions.Timeout, ReadTimeoutError, TimeoutError))


def _root_cause(error: Exception) -> object:
    """Return the error of urllib3 inside an error of requests."""
    wrapped = error.args[0] if error.args else None
    return wrapped.reason if isinstance(wrapped, MaxRetryError) else wrapped
