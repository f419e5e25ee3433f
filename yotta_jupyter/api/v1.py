"""Version 1 of the Pods API: its paths, field names, codes, and how its answers become pods.

The contract is the provider's page for the Pods API. Paths, codes and forms of answers are known here alone;
the names of fields also to `models` and `records`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Annotated, Any, Final, Literal, TypeVar
from urllib.parse import quote, urlsplit

import msgspec

from .address import is_loopback
from .collector import collector_paused
from .door import made_passive, may_be_active
from .errors import ApiError, AuthenticationError, InvalidPodState, InvalidRequest, PodNotFound, UnexpectedResponse
from .models import (
    LAUNCH_VARIABLE,
    STATUS_ALIASES,
    STATUSES,
    EnvironmentVariable,
    ExposedPort,
    Pod,
    is_pod_id,
    status_name,
)
from .records import decoded_secret, pod_of_record
from .secret import Secret, hide
from .spec import CHOICES, PodSpec
from .text import did_you_mean, printable
from .transport import Answer

CREATE: Final = "/openapi/v1/pods/create"
LIST: Final = "/openapi/v1/pods/list"

OK: Final = 10000
SYSTEM_ERROR: Final = 10002
RECORD_NOT_FOUND: Final = 10007
STATUS_INVALID: Final = 12001
POD_NOT_FOUND: Final = 13000


def pod_path(pod_id: str) -> str:
    """Return the path of ``GET`` and ``DELETE`` of a pod."""
    return f"/openapi/v1/pods/{quote(pod_id, safe='')}"


def action_path(action: str, pod_id: str) -> str:
    """Return the path of ``POST`` of `action`, ``pause`` or ``resume``."""
    return f"/openapi/v1/pods/{action}/{quote(pod_id, safe='')}"


def list_query(regions: Iterable[str] | str, statuses: Iterable[str | int] | str | int) -> list[tuple[str, str]]:
    """Return the query of a listing, each value a parameter of its own.

    Parameters
    ----------
    regions : iterable of str, or str
        Regions.
    statuses : iterable of str or int, or one
        Statuses by name in any case, or by number.

    Returns
    -------
    list of (str, str)

    Raises
    ------
    InvalidRequest
        A status that the contract does not know, or an empty region.
    """
    regions = [regions] if isinstance(regions, str) else list(regions)
    statuses = [statuses] if isinstance(statuses, (str, int)) else list(statuses)
    for region in regions:
        if not isinstance(region, str) or not region.strip():
            raise InvalidRequest("A region is a text such as us-west-1; leave the filter out to see all regions.")
    query = [("regionList", region) for region in regions]
    query += [("statusList", str(STATUSES.index(known_status(status)))) for status in statuses]
    return query


def known_status(status: str | int) -> str:
    """Return the name of a status of the contract, given by name in any case or by number.

    Parameters
    ----------
    status : str or int

    Returns
    -------
    str
        One of `STATUSES`.

    Raises
    ------
    InvalidRequest
        It is none; the nearest one is suggested.
    """
    name = status_name(status)
    if name in STATUSES:
        return name
    hint = did_you_mean(name, [*STATUSES, *STATUS_ALIASES])
    raise InvalidRequest(f"There is no status {printable(status, 40)!r}.{hint} Statuses: {', '.join(STATUSES)}.")


def create_body(spec: PodSpec, launch_id: str) -> dict[str, Any]:
    """Return the request body of a create, with the secrets still masked.

    Parameters
    ----------
    spec : PodSpec
        What to create.
    launch_id : str
        The mark that the pod carries, to find it by if the answer is lost.

    Returns
    -------
    dict
        By the API's field names, without those that were not given.
    """
    variables = {**spec.environment_vars, LAUNCH_VARIABLE: Secret(launch_id)}
    body: dict[str, Any] = {}
    for field in msgspec.structs.fields(PodSpec):
        value = getattr(spec, field.name)
        if field.name == "environment_vars":
            value = [{"key": key, "value": value} for key, value in variables.items()]
        elif field.name == "expose":
            value = [msgspec.to_builtins(port) for port in value]
        if value not in (None, []):
            body[_camel(field.name)] = value
    return body


def encode_create_body(body: dict[str, Any]) -> Secret:
    """Return the JSON of a create's body, its secrets revealed, as one secret text."""
    return Secret(msgspec.json.encode(_revealed(body)).decode())


def pod_of(spec: PodSpec, pod_id: str) -> Pod:
    """Return a new pod as far as it is known from what it was created from."""
    return Pod(
        id=pod_id,
        pod_name=spec.pod_name,
        status="INITIALIZE",
        gpu_type=spec.gpu_type,
        gpu_count=spec.gpu_count,
        region=spec.region,
        image=spec.image,
        environment_vars=[EnvironmentVariable(key, value) for key, value in spec.environment_vars.items()],
        expose=[ExposedPort(port=port.port, protocol=port.protocol, healthy=False) for port in spec.expose],
    )


class _VariableName(msgspec.Struct, gc=False):
    """An environment variable without its value, which a DataFrame does not show."""

    key: str


class _Port(msgspec.Struct, rename="camel", gc=False):
    """What the default columns need of a port."""

    proxy_port: int | None = None
    protocol: Literal["SSH", "HTTP", "TCP"] | None = None
    host: str | None = None
    healthy: bool | None = None
    ingress_url: str | None = None


_CONTRACT_TIME = Annotated[str, msgspec.Meta(min_length=19, max_length=19)] | None
# A Literal costs no new string a pod; any other status takes the tolerant way.
_ROW_FORMS: Final[dict[str, Any]] = {
    "status": Literal[STATUSES],
    "environment_vars": list[_VariableName] | None,
    "expose": list[_Port] | None,
    "created_at": _CONTRACT_TIME,
    "updated_at": _CONTRACT_TIME,
}
_WIDE_FORMS: Final = {
    **_ROW_FORMS,
    **{name: Literal[choices] | None for name, choices in CHOICES.items()},
    "expose": list[ExposedPort] | None,
}
_ROW_FIELDS: Final = [
    "id",
    "pod_name",
    "status",
    "gpu_type",
    "gpu_count",
    "region",
    "image",
    "single_card_price",
    "container_volume_price",
    "container_volume_in_gb",
    "persistent_volume_price",
    "persistent_volume_in_gb",
    "expose",
    "created_at",
]


def _row_type(names: Sequence[str], forms: dict[str, Any], **options: Any) -> type[msgspec.Struct]:
    """Return a struct with some fields of `Pod` as a listing has them: it decodes in a fraction of a Pod's time."""
    fields = [field for field in msgspec.structs.fields(Pod) if field.name in names]
    definitions = [
        (field.name, forms.get(field.name, field.type), *(() if field.name == "id" else (None,))) for field in fields
    ]
    return msgspec.defstruct("Row", definitions, rename="camel", gc=False, **options)


def _rows_decoder(row_type: Any) -> msgspec.json.Decoder[Any]:
    listing = msgspec.defstruct("Rows", [("code", Literal[10000]), ("data", list[row_type])])
    return msgspec.json.Decoder(listing, strict=False)


class _Listing(msgspec.Struct):
    code: Literal[10000]
    data: list[Pod]


class _One(msgspec.Struct):
    code: Literal[10000]
    data: Pod


T = TypeVar("T")
_LISTING: Final = msgspec.json.Decoder(_Listing, strict=False, dec_hook=decoded_secret)
_WIDE_NAMES: Final = [field.name for field in msgspec.structs.fields(Pod) if field.name != "extra"]
_ROWS: Final = {
    False: _rows_decoder(_row_type(_ROW_FIELDS, _ROW_FORMS)),
    True: _rows_decoder(_row_type(_WIDE_NAMES, _WIDE_FORMS, forbid_unknown_fields=True)),
}
_ONE: Final = msgspec.json.Decoder(_One, strict=False, dec_hook=decoded_secret)


def pods(answer: Answer) -> list[Pod]:
    """Return the pods of a listing.

    Raises
    ------
    ApiError
        The API said no.
    UnexpectedResponse
        The answer is no listing.
    """
    with collector_paused():
        fast = _in_contract_form(_LISTING, answer)
        listed = _tolerant(_records(answer), answer) if fast is None else fast.data
        return _let_in(listed, answer)


def rows(answer: Answer, wide: bool = False) -> list[Any]:
    """Return the pods of a listing as objects with the fields that a DataFrame needs; raises as `pods` does.

    Parameters
    ----------
    answer : Answer
    wide : bool, default False
        All fields, not just those of the default columns.

    Returns
    -------
    list
        Objects with attributes of `Pod`, but `status` and times as they came, and lists that may be None.
    """
    fast = _in_contract_form(_ROWS[wide], answer)
    listed = _tolerant(_records(answer), answer) if fast is None else fast.data
    return _let_in(listed, answer)


def pod(answer: Answer, pod_id: str) -> Pod:
    """Return the one pod that was asked for; raises as `pods` does."""
    fast = _in_contract_form(_ONE, answer)
    (let_in,) = _let_in(_tolerant([data(answer, pod_id)], answer) if fast is None else [fast.data], answer)
    return let_in


def created_id(answer: Answer) -> str:
    """Return the id of the pod that a create made: a number on the page, text or a whole pod elsewhere.

    Raises
    ------
    ApiError
        The API said no.
    UnexpectedResponse
        The answer holds no id.
    """
    created = data(answer)
    if isinstance(created, dict):
        created = created.get("id")
    if isinstance(created, bool) or not isinstance(created, (int, str)) or not is_pod_id(str(created).strip()):
        raise _unexpected(answer, "the answer to a create, without an id")
    return str(created).strip()


def data(answer: Answer, pod_id: str | None = None) -> Any:
    """Return ``data`` of an answer's envelope.

    Parameters
    ----------
    answer : Answer
    pod_id : str, optional
        The pod that was asked about, for the error's text.

    Raises
    ------
    AuthenticationError, PodNotFound, InvalidPodState, ApiError
        The API said no, by HTTP status or by another code than 10000.
    UnexpectedResponse
        It is no envelope.
    """
    if 300 <= answer.status < 400:
        raise UnexpectedResponse(
            f"{answer.origin} redirects to {_told(answer.location or 'nowhere', answer, 100)}. "
            "Redirects are not followed, so that the key stays with its host; "
            "check the address (YOTTA_BASE_URL, or base_url of the profile).",
            answer.status,
        )
    envelope = _envelope(answer)
    if envelope is None:
        if answer.status in (401, 403):
            raise _refused_key(None, answer, "")
        raise _unexpected(answer, "no answer of the Pods API")
    code, message = envelope["code"], _told(envelope.get("message") or "no message", answer, 200)
    if code != OK:
        raise _api_error(code, message, answer, pod_id)
    if answer.status >= 400:
        raise _unexpected(answer, "success and failure at once")
    return envelope.get("data")


Listed = TypeVar("Listed", bound=Any)


def _tolerant(records: list[Any], answer: Answer) -> list[Pod]:
    pods = [pod for record in records if (pod := pod_of_record(record)) is not None]
    if len(pods) < len(records):
        raise _unexpected(answer, "a pod without an id")
    return pods


def _let_in(pods: list[Listed], answer: Answer) -> list[Listed]:
    """Return pods whose ids are ids and whose texts are only text."""
    together = "".join([pod.id for pod in pods])
    # The usual case, decided at once: ids are digits.
    if not (together.isascii() and together.isalnum()) and not all(is_pod_id(pod.id) for pod in pods):
        raise _unexpected(answer, "a pod without an id")
    if may_be_active(answer.body):
        made_passive(pods)
    return pods


def _in_contract_form(decoder: msgspec.json.Decoder[T], answer: Answer) -> T | None:
    if answer.status != 200:
        return None
    try:
        return decoder.decode(answer.body)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return None


def _envelope(answer: Answer) -> dict[str, Any] | None:
    try:
        envelope = msgspec.json.decode(answer.body)
        if not isinstance(envelope, dict):
            return None
        return {**envelope, "code": msgspec.convert(envelope.get("code"), int, strict=False)}
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return None


def _records(answer: Answer) -> list[Any]:
    listing = data(answer)
    if listing is None:
        return []
    if not isinstance(listing, list):
        raise _unexpected(answer, "a listing that is no list")
    return listing


def _api_error(code: int, message: str, answer: Answer, pod_id: str | None) -> ApiError:
    status = answer.status
    told = f"{message} (code {code}, HTTP {status})"
    which = printable(pod_id or "", 60)
    if status in (401, 403) or code in (401, 403) or _ABOUT_THE_KEY.search(message):
        return _refused_key(code, answer, f": {message}")
    if code == POD_NOT_FOUND or (code == RECORD_NOT_FOUND and pod_id):
        return PodNotFound(code, status, f"There is no pod {which}. See which there are: %yotta list")
    if code == STATUS_INVALID:
        next_step = "See the pods' statuses with: %yotta list"
        if which:
            next_step = (
                f"See the pod's status with %yotta get {which}; "
                f"while it is PAUSING, wait with %yotta wait {which} --until paused"
            )
        return InvalidPodState(code, status, f"{told}. {next_step}")
    if status == 429:
        return ApiError(code, status, f"Too many requests: {told}. Wait a minute, then try again.")
    if code == SYSTEM_ERROR or status >= 500:
        return ApiError(code, status, f"The API failed: {told}. Try again in a minute.", f"The API failed: {told}.")
    return ApiError(code, status, f"The API refused: {told}. Check what was asked for.")


_ABOUT_THE_KEY: Final = re.compile(r"\b(api|access)[ _-]?key|unauthori[sz]ed|unauthenticated|forbidden", re.IGNORECASE)


def _refused_key(code: int | None, answer: Answer, told: str) -> AuthenticationError:
    advice = "Check it in the console under Settings → Access Keys, then run: %yotta login"
    if is_loopback(urlsplit(answer.origin).hostname or ""):
        advice = "A sandbox takes the key that it printed at its start; for your account run: %yotta login"
    return AuthenticationError(
        code, answer.status, f"{answer.origin} refused the API key (HTTP {answer.status}{told}). {advice}"
    )


_LOOKED_AT: Final = 2**16
"""Bytes of a body in which secrets are looked for before its first words are shown."""


def _told(text: object, answer: Answer, limit: int) -> str:
    return printable(hide(str(text), answer.secrets), limit)


def _unexpected(answer: Answer, what: str) -> UnexpectedResponse:
    words = _told(answer.body[:_LOOKED_AT].decode("utf-8", "replace"), answer, 80)
    shown = f"starts with {words!r}" if words else "is empty"
    happened = f"{answer.origin} gave {what}: HTTP {answer.status}, the body {shown}."
    advice = "Check the address (YOTTA_BASE_URL, or base_url of the profile), or try again in a minute."
    return UnexpectedResponse(f"{happened} {advice}", answer.status, happened)


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(part.capitalize() for part in rest)


def _revealed(value: Any) -> Any:
    if isinstance(value, Secret):
        return value.reveal()
    if isinstance(value, dict):
        return {key: _revealed(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [_revealed(entry) for entry in value]
    return value
