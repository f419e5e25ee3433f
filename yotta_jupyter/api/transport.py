"""HTTP requests to the API: authentication, timeouts and retries. Responses are not interpreted here."""

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

from ..errors import ConnectionFailed, UnexpectedResponse
from ..sanitize import single_line
from ..secret import Secret
from ..urls import is_loopback
from .deadline import DeadlineAdapter

CONNECT_TIMEOUT: Final = 5.0
RESPONSE_TIMEOUT: Final = 60.0
MAX_RETRY_AFTER: Final = 30.0
MAX_RESPONSE_BYTES: Final = 64 * 2**20
POOL_SIZE: Final = 32
RETRY_STATUSES: Final = (429, 502, 503, 504)


class Response(msgspec.Struct, frozen=True):
    """An HTTP response.

    Attributes
    ----------
    base_url : str
        The address of the API.
    status : int
        The HTTP status.
    body : bytes
        The body, possibly truncated.
    location : str or None
        The target of a redirect.
    may_be_duplicate : bool
        Whether an earlier attempt of the same request may have been processed.
    secrets : tuple of Secret
        Secrets of the request, to be redacted where the response repeats them.
    """

    base_url: str
    status: int
    body: bytes
    location: str | None = None
    may_be_duplicate: bool = False
    secrets: tuple[Secret, ...] = ()


class Transport:
    """Sends requests to one address with one key. Thread-safe.

    Parameters
    ----------
    base_url : str
        The address of the API, as returned by `yotta_jupyter.urls.normalize_base_url`.
    api_key : Secret
    timeout : float, optional
        Seconds for a complete response; `RESPONSE_TIMEOUT` by default.

    Attributes
    ----------
    server : str or None
        The ``Server`` header of the last response, by which `Client.is_sandbox` recognizes the sandbox.
    """

    def __init__(self, base_url: str, api_key: Secret, timeout: float | None = None) -> None:
        self.base_url = base_url
        self.timeout = RESPONSE_TIMEOUT if timeout is None else timeout
        self.server: str | None = None
        self._api_key = api_key
        self._auth = _ApiKeyAuth(api_key)
        self._session = self._new_session(_RETRY)

    def close(self) -> None:
        """Close idle connections."""
        self._session.close()

    def request(self, method: str, path: str, query: Sequence[tuple[str, str]] = ()) -> Response:
        """Send a request that may be processed twice. It is retried on connection errors and on `RETRY_STATUSES`.

        Parameters
        ----------
        method, path : str
        query : sequence of (str, str)

        Returns
        -------
        Response

        Raises
        ------
        ConnectionFailed
            There was no response.
        UnexpectedResponse
            The body is longer than `MAX_RESPONSE_BYTES`.
        """
        return self._request(self._session, method, path, query, None, ())

    def request_once(self, method: str, path: str, body: Secret, secrets: Sequence[Secret] = ()) -> Response:
        """Send a request that must not be processed twice. It is retried only if no connection was established.

        It uses a new connection, because an idle one may be dead and would lose the request.

        Parameters
        ----------
        method, path : str
        body : Secret
            JSON.
        secrets : sequence of Secret
            Secrets in the body.

        Returns
        -------
        Response

        Raises
        ------
        ConnectionFailed
            There was no response. `may_have_been_delivered` says whether the request may have been processed.
        UnexpectedResponse
            The body is longer than `MAX_RESPONSE_BYTES`.
        """
        with self._new_session(_RETRY_CONNECT_ONLY) as session:
            return self._request(session, method, path, (), body, secrets)

    def _new_session(self, retry: Retry) -> requests.Session:
        session = requests.Session()
        # No proxy for loopback: it would see the key of a plain http request.
        session.trust_env = not is_loopback(urlsplit(self.base_url).hostname or "")
        session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        session.headers["User-Agent"] = "yotta-jupyter"
        session.mount(f"{self.base_url}/", DeadlineAdapter(pool_maxsize=POOL_SIZE, max_retries=retry))
        return session

    def _request(
        self,
        session: requests.Session,
        method: str,
        path: str,
        query: Sequence[tuple[str, str]],
        body: Secret | None,
        secrets: Sequence[Secret],
    ) -> Response:
        # A verbose traceback shows local variables, which hold the key and the body in the HTTP libraries' frames.
        # _attempt therefore returns exceptions, which are raised here without those frames.
        result = self._attempt(session, method, path, query, body)
        if isinstance(result, BaseException):
            raise result
        return msgspec.structs.replace(result, secrets=(self._api_key, *secrets))

    def _attempt(
        self, session: requests.Session, method: str, path: str, query: Sequence[tuple[str, str]], body: Secret | None
    ) -> Response | BaseException:
        try:
            response = session.request(
                method,
                self.base_url + path + (f"?{urlencode(query)}" if query else ""),
                data=None if body is None else body.reveal().encode(),
                headers=None if body is None else {"Content-Type": "application/json"},
                auth=self._auth,
                timeout=(min(CONNECT_TIMEOUT, self.timeout), self.timeout),
                allow_redirects=False,
                stream=True,
            )
            self.server = response.headers.get("Server")
            with response:
                try:
                    received = _read(response.raw)
                except _ResponseTooLarge:
                    size = f"{MAX_RESPONSE_BYTES // 2**20} MiB"
                    return UnexpectedResponse(
                        f"{self.base_url} sent more than {size}.",
                        response.status_code,
                        advice="List fewer pods, such as those of one region.",
                        base_url=self.base_url,
                    )
                return Response(
                    self.base_url,
                    response.status_code,
                    received,
                    response.headers.get("Location"),
                    _may_be_duplicate(response.raw),
                )
        except KeyboardInterrupt:
            return KeyboardInterrupt()
        except Exception as error:  # Also unexpected ones, because their frames hold the key.
            return self._to_connection_error(error, method)

    def _to_connection_error(self, error: Exception, method: str) -> ConnectionFailed:
        description, may_have_been_delivered = _classify(error, self.timeout)
        advice = "Check the network and the address, then try again."
        if may_have_been_delivered and method != "GET":
            advice = "Whether the request was processed is unknown; list the pods before you try again."
        return ConnectionFailed(
            f"{self.base_url} {description}.",
            may_have_been_delivered,
            method=method,
            advice=advice,
            base_url=self.base_url,
        )


class _ApiKeyAuth(AuthBase):
    """Sets the API key header when a request is prepared, so that no session or argument holds the key."""

    def __init__(self, api_key: Secret) -> None:
        self._api_key = api_key

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["x-api-key"] = self._api_key.reveal()
        return request


class _Retry(Retry):
    """urllib3's retries with limits for interactive use: a maximal Retry-After, and one retry after a read timeout."""

    def get_retry_after(self, response: BaseHTTPResponse) -> float | None:
        seconds = super().get_retry_after(response)
        return None if seconds is None else min(seconds, MAX_RETRY_AFTER)

    def increment(
        self,
        method: str | None = None,
        url: str | None = None,
        response: BaseHTTPResponse | None = None,
        error: Exception | None = None,
        _pool: ConnectionPool | None = None,
        _stacktrace: TracebackType | None = None,
    ) -> Self:
        timed_out_before = any(isinstance(attempt.error, ReadTimeoutError) for attempt in self.history)
        if isinstance(error, ReadTimeoutError) and timed_out_before:
            raise error
        return super().increment(method, url, response, error, _pool, _stacktrace)


_RETRY: Final = _Retry(
    total=4,
    status_forcelist=RETRY_STATUSES,
    allowed_methods=None,
    raise_on_status=False,
    backoff_factor=0.2,
    backoff_jitter=0.2,
    backoff_max=MAX_RETRY_AFTER,
)
_RETRY_CONNECT_ONLY: Final = _Retry(
    total=2,
    connect=2,
    read=0,
    status=0,
    other=0,
    allowed_methods=None,
    respect_retry_after_header=False,
    backoff_factor=0.2,
)


class _ResponseTooLarge(Exception):
    """The body exceeds `MAX_RESPONSE_BYTES`."""


def _read(raw: BaseHTTPResponse) -> bytes:
    chunks = []
    length = 0
    try:
        # read1 returns what is available, so that a body that is too large is never completely in memory.
        while chunk := raw.read1(2**20, decode_content=True):
            chunks.append(chunk)
            length += len(chunk)
            if length > MAX_RESPONSE_BYTES:
                raise _ResponseTooLarge
    except ProtocolError:
        pass  # The body is truncated. Decoding it fails later, with an error that shows its start.
    return b"".join(chunks)


def _may_be_duplicate(raw: Any) -> bool:
    retries = getattr(raw, "retries", None)
    return any(_may_have_been_delivered(attempt) for attempt in (retries.history if retries else ()))


def _may_have_been_delivered(attempt: RequestHistory) -> bool:
    """Return False if the connection failed or the server answered 429, else True."""
    if attempt.error is not None:
        return not isinstance(attempt.error, (NewConnectionError, ConnectTimeoutError))
    return attempt.status != 429


def _classify(error: Exception, timeout: float) -> tuple[str, bool]:
    """Return a description of an error, and whether the request may have been delivered."""
    reason = _root_cause(error)
    if isinstance(error, requests.exceptions.SSLError):
        return _classify_tls(str(error))
    if isinstance(error, DecodeError):
        return "sent a response that cannot be decompressed", True
    if isinstance(error, requests.exceptions.ProxyError):
        return "cannot be reached through the configured proxy", False
    if isinstance(reason, NameResolutionError):
        return "has an unknown host name", False
    if isinstance(reason, NewConnectionError):
        return "refuses connections", False
    if isinstance(error, requests.exceptions.ConnectTimeout):
        return f"did not accept a connection within {min(CONNECT_TIMEOUT, timeout):g} s", False
    if _is_timeout(error) or _is_timeout(reason):
        return f"sent no complete response within {timeout:g} s", True
    if isinstance(error, requests.exceptions.InvalidHeader):
        return "got no request: the API key contains a character that is invalid in a header", False
    if isinstance(error, (requests.ConnectionError, HTTPError, OSError)):
        return "closed the connection without a response", True
    return f"could not be reached ({single_line(type(error).__name__)})", True


def _classify_tls(text: str) -> tuple[str, bool]:
    if "CERTIFICATE_VERIFY_FAILED" in text:
        return "has no certificate that this machine trusts", False
    # The server answered the handshake with plain HTTP, so that the request was not sent.
    is_plain_http = "WRONG_VERSION_NUMBER" in text
    # Other errors of TLS may also occur after the handshake.
    return "does not support TLS, which https requires", not is_plain_http


def _is_timeout(error: object) -> bool:
    return isinstance(error, (requests.exceptions.Timeout, ReadTimeoutError, TimeoutError))


def _root_cause(error: Exception) -> object:
    """Return the error of urllib3 that an error of requests wraps, without the wrapper of the retries."""
    inner = error.args[0] if error.args else None
    return inner.reason if isinstance(inner, MaxRetryError) else inner
