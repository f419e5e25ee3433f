"""The responses of version 1 of the Pods API: the envelope, error codes, and pods."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Final, Literal, TypeVar

import msgspec

from ...errors import (
    CHECK_KEY,
    ApiError,
    AuthenticationError,
    InvalidPodState,
    PodNotFound,
    ServerError,
    UnexpectedResponse,
)
from ...gc_pause import gc_paused
from ...models import Pod, is_valid_pod_id
from ...sanitize import escape_control_chars, may_contain_control_chars, single_line
from ...secret import redact
from ..transport import Response
from .decoding import dec_hook, decode_pod_lenient

SUCCESS: Final = 10000
SYSTEM_ERROR: Final = 10002
RECORD_NOT_FOUND: Final = 10007
STATUS_INVALID: Final = 12001
POD_NOT_FOUND: Final = 13000

_AUTH_STATUSES: Final = (401, 403)
_PAYMENT_REQUIRED: Final = 402
# Some deployments refuse a key with HTTP 200 and a general code, such as "invalid api key" with code 10001.
_AUTH_MESSAGE: Final = re.compile(r"\b(api|access)[ _-]?key|unauthori[sz]ed|unauthenticated|forbidden", re.IGNORECASE)
_PREVIEW_BYTES: Final = 2**16
"""Bytes of a body that are searched for secrets before its start is shown in an error."""


class _PodList(msgspec.Struct):
    """A listing as in the contract."""

    code: Literal[10000]  # `SUCCESS`
    data: list[Pod]


class _SinglePod(msgspec.Struct):
    """A single pod as in the contract."""

    code: Literal[10000]  # `SUCCESS`
    data: Pod


Decoded = TypeVar("Decoded", _PodList, _SinglePod)
_POD_LIST: Final = msgspec.json.Decoder(_PodList, strict=False, dec_hook=dec_hook)
_SINGLE_POD: Final = msgspec.json.Decoder(_SinglePod, strict=False, dec_hook=dec_hook)


def parse_pods(response: Response) -> list[Pod]:
    """Return the pods of a listing.

    Parameters
    ----------
    response : Response

    Returns
    -------
    list of Pod

    Raises
    ------
    ApiError
        The API refused the request or failed.
    UnexpectedResponse
        The response is not a listing.
    """
    with gc_paused():
        decoded = _decode_strict(_POD_LIST, response)
    if decoded is not None:
        return _validate_and_escape(decoded.data, response)
    records = unwrap_envelope(response)
    if records is None:
        records = []
    if not isinstance(records, list):
        raise _invalid_response(response, "a listing that is not a list")
    return _validate_and_escape([decode_pod_lenient(record) for record in records], response)


def parse_pod(response: Response, pod_id: str) -> Pod:
    """Return a single pod.

    Parameters
    ----------
    response : Response
    pod_id : str
        The requested id.

    Returns
    -------
    Pod

    Raises
    ------
    PodNotFound
        The API says that the id does not exist.
    ApiError, UnexpectedResponse
        As for `parse_pods`.
    """
    decoded = _decode_strict(_SINGLE_POD, response)
    pod = decoded.data if decoded is not None else decode_pod_lenient(unwrap_envelope(response, pod_id))
    return _validate_and_escape([pod], response)[0]


def parse_created_id(response: Response) -> str:
    """Return the id of a created pod. The provider's page shows a number; a string or a whole pod is accepted, too.

    Parameters
    ----------
    response : Response

    Returns
    -------
    str

    Raises
    ------
    ApiError
        As for `parse_pods`.
    UnexpectedResponse
        The response contains no id.
    """
    data = unwrap_envelope(response)
    value = data.get("id") if isinstance(data, dict) else data
    is_text_or_int = isinstance(value, (int, str)) and not isinstance(value, bool)
    pod_id = str(value).strip()
    if not is_text_or_int or not is_valid_pod_id(pod_id):
        raise _invalid_response(response, "the response to a create, without an id")
    return pod_id


def unwrap_envelope(response: Response, pod_id: str | None = None) -> Any:
    """Return ``data`` of the envelope ``{"code", "message", "data"}``.

    Parameters
    ----------
    response : Response
    pod_id : str, optional
        The pod that the request was about.

    Returns
    -------
    object

    Raises
    ------
    AuthenticationError, PodNotFound, InvalidPodState, ServerError, ApiError
        As the HTTP status and the code of the envelope indicate.
    UnexpectedResponse
        The response has no envelope.
    """
    if 300 <= response.status < 400:
        raise UnexpectedResponse(
            f"{response.base_url} redirects to {_safe_message(response.location or 'nowhere', response, 100)}. "
            "Redirects are not followed, so that the key is sent to no other host.",
            response.status,
            advice="Check the address (YOTTA_BASE_URL, or base_url of the profile).",
            base_url=response.base_url,
        )
    envelope = _decode_envelope(response)
    if envelope is None:
        if response.status in _AUTH_STATUSES:
            raise _auth_error(None, response, "")
        raise _invalid_response(response, "something else than a response of the Pods API")
    code = envelope["code"]
    message = _safe_message(envelope.get("message") or "no message", response, 200)
    if code != SUCCESS:
        raise _api_error(code, message, response, pod_id)
    if response.status >= 400:
        raise _invalid_response(response, "success and failure at once")
    return envelope.get("data")


def _decode_strict(decoder: msgspec.json.Decoder[Decoded], response: Response) -> Decoded | None:
    """Decode a response that follows the contract exactly, which is fast; None for any other."""
    if response.status != 200:
        return None
    try:
        decoded = decoder.decode(response.body)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return None
    pods = decoded.data if isinstance(decoded, _PodList) else [decoded.data]
    # A field with an empty name is decoded as `Pod.extra`, whose JSON name is empty, without masking.
    has_unmasked_values = any(pod.extra for pod in pods)
    return None if has_unmasked_values else decoded


def _decode_envelope(response: Response) -> dict[str, Any] | None:
    """Return the envelope with its code as an int; None for any other response."""
    try:
        envelope = msgspec.json.decode(response.body)
        if not isinstance(envelope, dict):
            return None
        return {**envelope, "code": msgspec.convert(envelope.get("code"), int, strict=False)}
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return None


def _validate_and_escape(pods: Sequence[Pod | None], response: Response) -> list[Pod]:
    """Return the pods with control characters escaped. Ids become part of paths and commands and must be valid."""
    valid = [pod for pod in pods if pod is not None and is_valid_pod_id(pod.id)]
    if len(valid) < len(pods):
        raise _invalid_response(response, "a pod without a valid id")
    if may_contain_control_chars(response.body):
        escape_control_chars(valid)
    return valid


def _api_error(code: int, message: str, response: Response, pod_id: str | None) -> ApiError:
    status = response.status
    context: dict[str, Any] = {
        "pod_id": pod_id,
        "may_be_duplicate": response.may_be_duplicate,
        "base_url": response.base_url,
    }
    detail = f"{message} (code {code}, HTTP {status})"
    if status in _AUTH_STATUSES or code in _AUTH_STATUSES or _AUTH_MESSAGE.search(message):
        return _auth_error(code, response, f": {message}")
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


def _auth_error(code: int | None, response: Response, detail: str) -> AuthenticationError:
    return AuthenticationError(
        code,
        response.status,
        f"{response.base_url} refused the API key (HTTP {response.status}{detail}).",
        advice=f"{CHECK_KEY}.",
        base_url=response.base_url,
    )


def _safe_message(value: object, response: Response, limit: int) -> str:
    return single_line(redact(str(value), response.secrets), limit)


def _invalid_response(response: Response, what: str) -> UnexpectedResponse:
    start = _safe_message(response.body[:_PREVIEW_BYTES].decode("utf-8", "replace"), response, 80)
    body = f"starts with {start!r}" if start else "is empty"
    return UnexpectedResponse(
        f"{response.base_url} sent {what}: HTTP {response.status}, the body {body}.",
        response.status,
        advice="Check the address (YOTTA_BASE_URL, or base_url of the profile), or try again in a minute.",
        base_url=response.base_url,
    )
