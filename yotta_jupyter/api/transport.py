"""One HTTP request to the API: the key, the timeouts, the retries. What it means is `v1`'s matter."""

from __future__ import annotations

from collections.abc import Sequence
from http.cookiejar import DefaultCookiePolicy
from types import TracebackType
from typing import Any, Final, Self
from urllib.parse import urlencode, urlsplit

import msgspec
import requests
from requests.auth import AuthBase
from urllib3 import Retry
from urllib3.connectionpool import ConnectionPool
from urllib3.exceptions import (
    ConnectTimeoutError,
    DecodeError,
    HTTPError,
    MaxRetryError,
    NameResolutionError,
    NewConnectionError,
    ProtocolError,
    ReadTimeoutError,
)
from urllib3.response import BaseHTTPResponse
from urllib3.util.retry import RequestHistory

from .address import is_loopback
from .deadline import DeadlineAdapter
from .errors import ConnectionFailed, UnexpectedResponse
from .secret import Secret
from .text import printable

CONNECT_TIMEOUT: Final = 5.0
READ_TIMEOUT: Final = 60.0
LONGEST_RETRY_AFTER: Final = 30.0
LARGEST_BODY: Final = 64 * 2**20
CONNECTIONS: Final = 32


class Answer(msgspec.Struct, frozen=True):
    """What came back.

    Attributes
    ----------
    origin : str
        The API's address.
    status : int
        HTTP status.
    body : bytes
        The body as far as it came.
    location : str or None
        Where a redirect points.
    retried : bool
        Whether an earlier try of the same request may have arrived.
    secrets : tuple of Secret
        What was sent and must not be shown where the answer repeats it.
    """

    origin: str
    status: int
    body: bytes
    location: str | None = None
    retried: bool = False
    secrets: tuple[Secret, ...] = ()


class Transport:
    """Sends requests to one address with one key. May be used from many threads.

    Parameters
    ----------
    base_url : str
        The API's address, as `checked_base_url` returns it.
    api_key : Secret
    timeout : float, optional
        Seconds for a read; 60 by default.

    Attributes
    ----------
    server : str or None
        What the last answer called its server.
    """

    def __init__(self, base_url: str, api_key: Secret, timeout: float | None = None) -> None:
        self.base_url = base_url
        self.timeout = READ_TIMEOUT if timeout is None else timeout
        self.server: str | None = None
        self._api_key = api_key
        self._key = _KeyHeader(api_key)
        self._session = self._new_session(_IDEMPOTENT)

    def close(self) -> None:
        """Close the connections that are kept open."""
        self._session.close()

    def send(self, method: str, path: str, query: Sequence[tuple[str, str]] = ()) -> Answer:
        """Send a request that does no harm when it arrives twice; it is retried where that may help.

        Parameters
        ----------
        method, path : str
        query : sequence of (str, str)

        Returns
        -------
        Answer

        Raises
        ------
        ConnectionFailed
            No answer came.
        UnexpectedResponse
            The body is longer than 64 MiB.
        """
        return self._exchange(self._session, method, path, query, None, ())

    def send_once(self, method: str, path: str, body: Secret, secrets: Sequence[Secret] = ()) -> Answer:
        """Send a request that must not arrive twice; it is sent again only where it provably never left.

        It gets a connection of its own: one that idled may be dead, which is found out only by losing a request.

        Parameters
        ----------
        method, path : str
        body : Secret
            JSON.
        secrets : sequence of Secret
            What the body holds that must not be shown where the answer repeats it.

        Returns
        -------
        Answer

        Raises
        ------
        ConnectionFailed
            No answer came; its `sent` tells whether the request may have arrived.
        UnexpectedResponse
            The body is longer than 64 MiB.
        """
        with self._new_session(_ONCE) as session:
            return self._exchange(session, method, path, (), body, secrets)

    def _new_session(self, retry: Retry) -> requests.Session:
        session = requests.Session()
        # A proxy would see the key of a plain http request; what is on this machine needs none.
        session.trust_env = not is_loopback(urlsplit(self.base_url).hostname or "")
        session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        session.headers["User-Agent"] = "yotta-jupyter"
        session.mount(f"{self.base_url}/", DeadlineAdapter(pool_maxsize=CONNECTIONS, max_retries=retry))
        return session

    def _exchange(
        self,
        session: requests.Session,
        method: str,
        path: str,
        query: Sequence[tuple[str, str]],
        body: Secret | None,
        secrets: Sequence[Secret],
    ) -> Answer:
        # The frames of the HTTP libraries hold the key and the body in local variables, which a traceback may print.
        # What they raise ends in _try, and is raised anew from here.
        outcome = self._try(session, method, path, query, body)
        if isinstance(outcome, BaseException):
            raise outcome
        return msgspec.structs.replace(outcome, secrets=(self._api_key, *secrets))

    def _try(
        self, session: requests.Session, method: str, path: str, query: Sequence[tuple[str, str]], body: Secret | None
    ) -> Answer | BaseException:
        try:
            response = session.request(
                method,
                self.base_url + path + (f"?{urlencode(query)}" if query else ""),
                data=None if body is None else body.reveal().encode(),
                headers=None if body is None else {"Content-Type": "application/json"},
                auth=self._key,
                timeout=(min(CONNECT_TIMEOUT, self.timeout), self.timeout),
                allow_redirects=False,
                stream=True,
            )
            self.server = response.headers.get("Server")
            with response:
                try:
                    received = _read(response.raw)
                except _TooLong:
                    size = f"{LARGEST_BODY // 2**20} MiB"
                    told = f"{self.base_url} gave more than {size}; narrow a listing by --region."
                    return UnexpectedResponse(told, response.status_code)
                return Answer(
                    self.base_url,
                    response.status_code,
                    received,
                    response.headers.get("Location"),
                    _arrived_before(response.raw),
                )
        except KeyboardInterrupt:
            return KeyboardInterrupt()
        except Exception as error:  # Also what is a mistake there: its frames hold the key.
            return self._failure(error, method if body is None else None)

    def _failure(self, error: Exception, method: str | None) -> ConnectionFailed:
        what, sent = _explained(error, self.timeout)
        text = f"{self.base_url} {what}."
        if sent and method is None:
            pass  # Who sends once says how to look for what came of it.
        elif sent and method != "GET":
            text += " Whether the request arrived is not known; look with: %yotta list"
        elif is_loopback(urlsplit(self.base_url).hostname or ""):
            text += " Is the sandbox running? Start one with: %yotta sandbox start"
        else:
            text += " Check the network and the address (YOTTA_BASE_URL), then try again."
        return ConnectionFailed(text, sent)


class _KeyHeader(AuthBase):
    """Puts the key on a request at the last moment, so that no session or argument holds it in the open."""

    def __init__(self, api_key: Secret) -> None:
        self._api_key = api_key

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["x-api-key"] = self._api_key.reveal()
        return request


class _Retry(Retry):
    """urllib3's rules, but for waits that would be too long for somebody who looks at a notebook."""

    def get_retry_after(self, response: BaseHTTPResponse) -> float | None:
        seconds = super().get_retry_after(response)
        return None if seconds is None else min(seconds, LONGEST_RETRY_AFTER)

    def increment(
        self,
        method: str | None = None,
        url: str | None = None,
        response: BaseHTTPResponse | None = None,
        error: Exception | None = None,
        _pool: ConnectionPool | None = None,
        _stacktrace: TracebackType | None = None,
    ) -> Self:
        timed_out_before = any(isinstance(past.error, ReadTimeoutError) for past in self.history)
        if isinstance(error, ReadTimeoutError) and timed_out_before:
            raise error
        return super().increment(method, url, response, error, _pool, _stacktrace)


_IDEMPOTENT: Final = _Retry(
    total=4,
    status_forcelist=(429, 502, 503, 504),
    allowed_methods=None,
    raise_on_status=False,
    backoff_factor=0.2,
    backoff_jitter=0.2,
    backoff_max=LONGEST_RETRY_AFTER,
)
_ONCE: Final = _Retry(
    total=2,
    connect=2,
    read=0,
    status=0,
    other=0,
    allowed_methods=None,
    respect_retry_after_header=False,
    backoff_factor=0.2,
)


class _TooLong(Exception):
    """The body is longer than is kept in memory."""


def _read(raw: BaseHTTPResponse) -> bytes:
    chunks = []
    length = 0
    try:
        # read1 returns what is there: a body that is too long is given up before it is all in memory.
        while chunk := raw.read1(2**20, decode_content=True):
            chunks.append(chunk)
            length += len(chunk)
            if length > LARGEST_BODY:
                raise _TooLong
    except ProtocolError:
        pass  # A body that was cut off; what came of it is shown to the user.
    return b"".join(chunks)


def _arrived_before(raw: Any) -> bool:
    retries = getattr(raw, "retries", None)
    return any(_may_have_arrived(past) for past in (retries.history if retries else ()))


def _may_have_arrived(past: RequestHistory) -> bool:
    """Return whether an earlier try may have been carried out: not where nobody answered the call or it was put off."""
    if past.error is not None:
        return not isinstance(past.error, (NewConnectionError, ConnectTimeoutError))
    return past.status != 429


def _explained(error: Exception, timeout: float) -> tuple[str, bool]:
    """Say what went wrong, and whether the request may have arrived."""
    reason = _reason(error)
    if isinstance(error, requests.exceptions.SSLError):
        if "CERTIFICATE_VERIFY_FAILED" in str(error):
            return "has no certificate that this machine trusts", False
        return "does not speak TLS as https needs it", "WRONG_VERSION_NUMBER" not in str(error)
    if isinstance(error, DecodeError):
        return "gave an answer whose compression cannot be read", True
    if isinstance(error, requests.exceptions.ProxyError):
        return "cannot be reached through the proxy that the environment names", False
    if isinstance(reason, NameResolutionError):
        return "has a host name that cannot be found", False
    if isinstance(reason, NewConnectionError):
        return "refuses connections", False
    if isinstance(error, requests.exceptions.ConnectTimeout):
        return f"did not accept a connection within {min(CONNECT_TIMEOUT, timeout):g} s", False
    if isinstance(error, (requests.exceptions.Timeout, ReadTimeoutError, TimeoutError)) or isinstance(
        reason, ReadTimeoutError
    ):
        return f"gave no whole answer within {timeout:g} s", True
    if isinstance(error, requests.exceptions.InvalidHeader):
        return "was not asked: the API key holds a character that no header can carry", False
    if isinstance(error, (requests.ConnectionError, HTTPError, OSError)):
        return "closed the connection without an answer", True
    return f"could not be asked ({printable(type(error).__name__)})", True


def _reason(error: Exception) -> object:
    inner = error.args[0] if error.args else None
    return inner.reason if isinstance(inner, MaxRetryError) else inner
