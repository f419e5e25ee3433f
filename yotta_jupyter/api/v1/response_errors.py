"""Errors of version 1 of the Pods API, by the code of an envelope and the HTTP status."""

from __future__ import annotations

import re
from typing import Any, Final

from ...errors import (
    CHECK_KEY,
    ApiError,
    AuthenticationError,
    InvalidPodState,
    PodNotFound,
    ServerError,
    UnexpectedResponse,
)
from ...sanitize import single_line
from ...secret import redact
from ..transport import Response

SYSTEM_ERROR: Final = 10002
RECORD_NOT_FOUND: Final = 10007
STATUS_INVALID: Final = 12001
POD_NOT_FOUND: Final = 13000

AUTH_STATUSES: Final = (401, 403)
_PAYMENT_REQUIRED: Final = 402
# Some deployments refuse a key with HTTP 200 and a general code, such as "invalid api key" with code 10001.
_AUTH_MESSAGE: Final = re.compile(r"\b(api|access)[ _-]?key|unauthori[sz]ed|unauthenticated|forbidden", re.IGNORECASE)
_PREVIEW_BYTES: Final = 2**16
"""Bytes of a body that are searched for secrets before its start is shown in an error."""


def api_error(code: int, message: str, response: Response, pod_id: str | None) -> ApiError:
    """Return the error that the code of an envelope and the HTTP status indicate.

    Parameters
    ----------
    code : int
    message : str
        As from `safe_message`.
    response : Response
    pod_id : str or None
        The pod that the request was about.

    Returns
    -------
    ApiError
    """
    status = response.status
    context: dict[str, Any] = {
        "pod_id": pod_id,
        "may_be_duplicate": response.may_be_duplicate,
        "base_url": response.base_url,
    }
    detail = f"{message} (code {code}, HTTP {status})"
    if status in AUTH_STATUSES or code in AUTH_STATUSES or _AUTH_MESSAGE.search(message):
        return auth_error(code, response, f": {message}")
    if code == POD_NOT_FOUND or (code == RECORD_NOT_FOUND and pod_id):
        return PodNotFound(code, status, f"There is no pod {single_line(pod_id or '', 60)}.", **context)
    if code == STATUS_INVALID:
        return InvalidPodState(code, status, f"{detail}.", **context)
    if status == 429:
        return ApiError(code, status, f"Too many requests: {detail}.", advice="Try again in a minute.", **context)
    if code == SYSTEM_ERROR or status >= 500:
        return ServerError(code, status, f"The API failed: {detail}.", advice="Try again in a minute.", **context)
    return ApiError(
        code, status, f"The API refused the request: {detail}.", advice=_refusal_advice(status, pod_id), **context
    )


def _refusal_advice(status: int, pod_id: str | None) -> str:
    if status == _PAYMENT_REQUIRED:
        return "Check the balance of your account."
    if pod_id is not None:  # Such a request has no other arguments.
        return "Check the status of the pod."
    return "Check its arguments."


def auth_error(code: int | None, response: Response, detail: str) -> AuthenticationError:
    """Return the error for a refused key.

    Parameters
    ----------
    code : int or None
        None if the response has no envelope.
    response : Response
    detail : str
        Appended to the HTTP status.

    Returns
    -------
    AuthenticationError
    """
    return AuthenticationError(
        code,
        response.status,
        f"{response.base_url} refused the API key (HTTP {response.status}{detail}).",
        advice=f"{CHECK_KEY}.",
        base_url=response.base_url,
    )


def safe_message(value: object, response: Response, limit: int) -> str:
    """Return a text of the server in one line, without the secrets of the request.

    Parameters
    ----------
    value : object
    response : Response
    limit : int
        Characters.

    Returns
    -------
    str
    """
    return single_line(redact(str(value), response.secrets), limit)


def invalid_response(response: Response, what: str) -> UnexpectedResponse:
    """Return the error for a response that the API does not define, with the start of its body.

    Parameters
    ----------
    response : Response
    what : str
        What the server sent, such as ``a pod without a valid id``.

    Returns
    -------
    UnexpectedResponse
    """
    start = safe_message(response.body[:_PREVIEW_BYTES].decode("utf-8", "replace"), response, 80)
    body = f"starts with {start!r}" if start else "is empty"
    return UnexpectedResponse(
        f"{response.base_url} sent {what}: HTTP {response.status}, the body {body}.",
        response.status,
        advice="Check the address (YOTTA_BASE_URL, or base_url of the profile), or try again in a minute.",
        base_url=response.base_url,
    )
