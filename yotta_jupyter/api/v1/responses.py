"""Decode the responses of version 1 of the Pods API: the envelope and the pods."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, Literal, TypeVar

import msgspec

from ...errors import UnexpectedResponse
from ...gc_pause import gc_paused
from ...models import Pod, is_valid_pod_id
from ...sanitize import escape_control_chars, may_contain_control_chars
from ..transport import Response
from .decoding import dec_hook, decode_pod_lenient
from .response_errors import AUTH_STATUSES, api_error, auth_error, invalid_response, safe_message

SUCCESS: Final = 10000


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
        raise invalid_response(response, "a listing that is not a list")
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
        raise invalid_response(response, "the response to a create, without an id")
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
            f"{response.base_url} redirects to {safe_message(response.location or 'nowhere', response, 100)}. "
            "Redirects are not followed, so that the key is sent to no other host.",
            response.status,
            advice="Check the address (YOTTA_BASE_URL, or base_url of the profile).",
            base_url=response.base_url,
        )
    envelope = _decode_envelope(response)
    if envelope is None:
        if response.status in AUTH_STATUSES:
            raise auth_error(None, response, "")
        raise invalid_response(response, "something else than a response of the Pods API")
    code = envelope["code"]
    message = safe_message(envelope.get("message") or "no message", response, 200)
    if code != SUCCESS:
        raise api_error(code, message, response, pod_id)
    if response.status >= 400:
        raise invalid_response(response, "success and failure at once")
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
        raise invalid_response(response, "a pod without a valid id")
    if may_contain_control_chars(response.body):
        escape_control_chars(valid)
    return valid
