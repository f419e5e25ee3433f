"""HTTP requests to the API: authentication, timeouts and retries. Responses are not interpreted here."""

from __future__ import annotations

from collections.abc import Sequence
from http.cookiejar import DefaultCookiePolicy
from types import TracebackType
from typing import Final, Self
from urllib.parse import urlencode, urlsplit

import msgspec
import requests
from requests.auth import AuthBase
from urllib3 import Retry
from urllib3.connectionpool import ConnectionPool
from urllib3.exceptions import (
    ConnectTimeoutError,
    NewConnectionError,
    ProtocolError,
    ReadTimeoutError,
)
from urllib3.response import BaseHTTPResponse
from urllib3.util.retry import RequestHistory

from ..errors import ConnectionFailed, UnexpectedResponse
from ..secret import Secret
from ..urls import is_loopback
from .connection_failures import classify
from .deadline import DeadlineAdapter

CONNECT_TIMEOUT: Final = 5.0  # seconds
RESPONSE_TIMEOUT: Final = 60.0  # seconds for a complete response
MAX_RETRY_DELAY: Final = 30.0  # seconds, also if Retry-After is longer
MAX_RESPONSE_BYTES: Final = 64 * 2**20
POOL_SIZE: Final = 32  # connections, and so requests at a time
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
        self._connect_timeout = min(CONNECT_TIMEOUT, self.timeout)
        self._api_key = api_key
        self._auth = _ApiKeyAuth(api_key)
        self._session = self._new_session(_RETRY)

    def close(self) -> None:
        """Close idle connections."""
        self._session.close()

    def request(self, method: str, path: str, query: Sequence[tuple[str, str]] = ()) -> Response:
        """Send an idempotent request. It is retried on connection errors and on `RETRY_STATUSES`.

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
        return self._request(self._session, method, path, query, body=None, secrets=())

    def request_once(self, method: str, path: str, body: Secret, secrets: Sequence[Secret] = ()) -> Response:
        """Send a request that is not idempotent. It is retried only if no connection was established.

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
            return self._request(session, method, path, (), body=body, secrets=secrets)

    def _new_session(self, retry: Retry) -> requests.Session:
        session = requests.Session()
        # No proxy of the environment for loopback: it would receive the key of a plain http request.
        session.trust_env = not is_loopback(urlsplit(self.base_url).hostname or "")
        session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))  # No cookies.
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
        # A verbose traceback shows local variables. In frames of the HTTP libraries they hold the key and the body.
        # `_attempt` therefore returns exceptions, which are raised here without those frames.
        result = self._attempt(session, method, path, query, body)
        if isinstance(result, BaseException):
            raise result
        return msgspec.structs.replace(result, secrets=(self._api_key, *secrets))

    def _attempt(
        self, session: requests.Session, method: str, path: str, query: Sequence[tuple[str, str]], body: Secret | None
    ) -> Response | BaseException:
        url = self.base_url + path
        if query:
            url += f"?{urlencode(query)}"
        try:
            response = session.request(
                method,
                url,
                data=None if body is None else body.reveal().encode(),
                headers=None if body is None else {"Content-Type": "application/json"},
                auth=self._auth,
                timeout=(self._connect_timeout, self.timeout),
                allow_redirects=False,
                stream=True,
            )
            self.server = response.headers.get("Server")
            with response:
                received = _read(response.raw)
            if received is None:
                return self._too_large_error(response.status_code)
            return Response(
                base_url=self.base_url,
                status=response.status_code,
                body=received,
                location=response.headers.get("Location"),
                may_be_duplicate=_may_be_duplicate(response.raw),
            )
        except KeyboardInterrupt:
            return KeyboardInterrupt()  # A new one has no frames.
        except Exception as error:  # Also unexpected ones, because their frames hold the key.
            return self._to_connection_error(error, method)

    def _too_large_error(self, status: int) -> UnexpectedResponse:
        return UnexpectedResponse(
            f"{self.base_url} sent more than {MAX_RESPONSE_BYTES // 2**20} MiB.",
            status,
            advice="List fewer pods, such as those of one region.",
            base_url=self.base_url,
        )

    def _to_connection_error(self, error: Exception, method: str) -> ConnectionFailed:
        failure = classify(error, self._connect_timeout, self.timeout)
        failed = ConnectionFailed(
            f"{self.base_url} {failure.description}.",
            failure.may_have_been_delivered,
            method=method,
            advice="Check the network and the address, then try again.",
            base_url=self.base_url,
        )
        if failed.may_have_changed_pods:  # It may have been delivered, and is no GET.
            failed.advice = "Whether the request was processed is unknown; list the pods before you try again."
        return failed


class _ApiKeyAuth(AuthBase):
    """Sets the API key header when a request is prepared, so that no session or argument holds the key."""

    def __init__(self, api_key: Secret) -> None:
        self._api_key = api_key

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["x-api-key"] = self._api_key.reveal()
        return request


class _Retry(Retry):
    """Retries of urllib3 with limits for interactive use: a maximal Retry-After, and one retry after a read timeout."""

    def get_retry_after(self, response: BaseHTTPResponse) -> float | None:
        seconds = super().get_retry_after(response)
        return None if seconds is None else min(seconds, MAX_RETRY_DELAY)

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
    allowed_methods=None,  # All methods, also POST.
    raise_on_status=False,  # Return the last response.
    backoff_factor=0.2,
    backoff_jitter=0.2,
    backoff_max=MAX_RETRY_DELAY,
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


def _read(raw: BaseHTTPResponse) -> bytes | None:
    """Return the body, or None if it exceeds `MAX_RESPONSE_BYTES`."""
    chunks = []
    length = 0
    try:
        # read1 returns what is available, so that a body that is too large is never completely in memory.
        while chunk := raw.read1(2**20, decode_content=True):
            chunks.append(chunk)
            length += len(chunk)
            if length > MAX_RESPONSE_BYTES:
                return None
    except ProtocolError:
        pass  # The body is truncated. Decoding it fails later, with an error that shows its start.
    return b"".join(chunks)


def _may_be_duplicate(raw: BaseHTTPResponse) -> bool:
    """Return whether an attempt before the last one may have been processed."""
    earlier = raw.retries.history if raw.retries is not None else ()
    return any(_may_have_been_delivered(attempt) for attempt in earlier)


def _may_have_been_delivered(attempt: RequestHistory) -> bool:
    """Return False if the connection failed or the server answered 429, else True.

    Proxy and TLS errors count as delivered, unlike in `classify`. A wrong True only has an effect for a pod that has
    the requested status already.
    """
    if attempt.error is not None:
        return not isinstance(attempt.error, (NewConnectionError, ConnectTimeoutError))
    return attempt.status != 429
