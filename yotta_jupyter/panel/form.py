"""Validates the launch form, whose fields are those of `PodSpec`.

The result has the spec and the equivalent ``%yotta create`` line.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache, partial
from typing import Any, Final, TypeVar

import msgspec

from ..api.reuse import describe_missing, live_pods_named, select_reusable
from ..catalog import OFFICIAL_PREFIX, Catalog, GpuType, Match
from ..create_command import to_command
from ..environment import parse_env
from ..errors import InvalidRequest, NameTaken
from ..estimate import estimate
from ..formatting import join_limited, pluralize, short_gpu_type, short_image
from ..launch import DEFAULT_EXPOSE, GPU_COUNTS
from ..models import Pod
from ..sanitize import single_line
from ..secret import Secret
from ..spec import ALLOWED_VALUES, PodSpec, PortSpec, parse_gpu_count, parse_ports

MAX_IMAGES: Final = 1000
"""Maximum number of images that the form offers."""

AS_TYPED: Final = "as_typed"
"""The confirmation that an unknown value is sent as it was typed."""

ANOTHER: Final = "another"
REPEATED: Final = "A pod like this was launched just now. Change the form, or check the box."
"""The confirmation that a pod is created although one of that name exists."""

Parsed = TypeVar("Parsed")


class FormResult(msgspec.Struct):
    """The result of a validation.

    Attributes
    ----------
    spec : PodSpec or None
        What to create; None if the form is invalid.
    errors, notes : dict of str to str
        By field. Errors that concern no single field are under ``form``.
    confirmations : dict of str to str
        By field the check box that the form offers: `AS_TYPED` or `ANOTHER`.
    resolved : dict of str to str
        By field the full name of the GPU type, image or region that was typed.
    command : str or None
        The equivalent ``%yotta create`` line, without secrets.
    price : float or None
        US dollars an hour for one GPU; None if unknown.
    estimate : float or None
        US dollars an hour for the pod; None if unknown.
    volumes : float
        The part of the estimate that volumes cost, in US dollars an hour.
    basis : str
        What the estimate is based on, or why there is none.
    another : bool
        Whether `ANOTHER` is confirmed.
    is_repeat_confirmed : bool
        Whether a pod without a name is launched even if an equal one was.
    must_reuse : bool
        Whether a launch must use the live pod that has the spec's name, and create none.
    """

    spec: PodSpec | None
    errors: dict[str, str]
    notes: dict[str, str]
    confirmations: dict[str, str] = {}
    resolved: dict[str, str] = {}
    command: str | None = None
    price: float | None = None
    estimate: float | None = None
    volumes: float = 0.0
    basis: str = ""
    another: bool = False
    is_repeat_confirmed: bool = False
    must_reuse: bool = False

    def to_message(self) -> dict[str, Any]:
        """Return the part of the result that is sent to the browser.

        Returns
        -------
        dict
            The typedef ``FormResult`` of ``protocol.js``.
        """
        names = ("errors", "notes", "confirmations", "resolved", "command", "price", "estimate", "volumes", "basis")
        return {name: getattr(self, name) for name in names}


def choices(catalog: Catalog) -> dict[str, Any]:
    """Return what the form offers.

    Parameters
    ----------
    catalog : Catalog

    Returns
    -------
    dict
        The typedef ``Choices`` of ``protocol.js``.
    """
    # `_choices` is cached by its arguments. The lists are arguments because they change within the same catalog object.
    return _choices(catalog, tuple(catalog.gpus), tuple(catalog.images[:MAX_IMAGES]), tuple(catalog.regions))


@lru_cache(maxsize=8)
def _choices(
    catalog: Catalog, gpus: tuple[GpuType, ...], images: tuple[str, ...], regions: tuple[str, ...]
) -> dict[str, Any]:
    return {
        "gpu_types": [
            {
                "id": gpu.id,
                "value": _unique_name(gpu, catalog),
                "display_name": gpu.display_name,
                "vram_in_gb": gpu.vram_in_gb,
                "price": gpu.single_card_price,
            }
            for gpu in sorted(gpus, key=_priced_first)
        ],
        "gpu_counts": GPU_COUNTS,
        "images": [
            {
                "id": image,
                "value": catalog.short_name(image) or image,
                "label": single_line(short_image(image), 60),
                "official": image.startswith(OFFICIAL_PREFIX),
            }
            for image in sorted(images, key=_official_first)
        ],
        "default_image": "pytorch" if "pytorch" in map(catalog.short_name, images) else "",
        "regions": regions,
        "clouds": ALLOWED_VALUES["cloud_type"],
        "default_ports": ", ".join(DEFAULT_EXPOSE),
    }


def _priced_first(gpu: GpuType) -> tuple[bool, str]:
    return gpu.single_card_price is None, gpu.display_name or gpu.id


def _official_first(image: str) -> bool:
    return not image.startswith(OFFICIAL_PREFIX)


def validate(values: Mapping[str, Any], catalog: Catalog, pods: Iterable[Pod] = ()) -> FormResult:
    """Validate a form. Sends nothing.

    Parameters
    ----------
    values : mapping
        Texts by field. ``environment_vars`` is a list of pairs of a name and a value; ``confirmed`` lists the fields
        whose check box is checked.
    catalog : Catalog
    pods : iterable of Pod
        The existing pods.

    Returns
    -------
    FormResult
    """
    form = _Form(values)
    options: dict[str, Any] = {
        "gpu_type": form.lookup("gpu_type", catalog.find_gpu, error_if_empty="Choose a GPU type, such as L4."),
        "image": form.lookup("image", catalog.find_image, error_if_empty="Choose an image, such as pytorch."),
        "region": form.lookup("region", catalog.find_region),
        "gpu_count": form.parse("gpu_count", parse_gpu_count),
        "expose": form.parse("expose", _parse_ports) or parse_ports(DEFAULT_EXPOSE),
        "environment_vars": form.parse_raw("environment_vars", _parse_env),
        "container_volume_in_gb": form.parse("container_volume_in_gb", _parse_gb),
        "persistent_volume_in_gb": form.parse("persistent_volume_in_gb", _parse_gb),
        "persistent_mount_path": form.parse("persistent_mount_path", _parse_path),
        "pod_name": form.text("pod_name"),
        "cloud_type": form.text("cloud_type"),
        "initialization_command": form.text("initialization_command"),
    }
    form.require_all_or_none(
        options,
        persistent_volume_in_gb="Give the volume's size in GB, or leave the path out.",
        persistent_mount_path="A persistent volume needs a path, such as /workspace.",
    )
    if values.get("image_public_type") == "PRIVATE":
        username = form.parse("image_registry_username", str, "A private image needs the registry's user name.")
        token = form.parse("image_registry_token", Secret, "A private image needs the registry's token.")
        options |= {
            "image_public_type": "PRIVATE",
            "image_registry_username": username,
            "image_registry_token": token,
        }
    same_name = live_pods_named(pods, options["pod_name"])
    if same_name:
        form.note_same_name(same_name)
    spec = None if form.errors else _build_spec(form, options)
    if spec is not None and same_name and not form.is_confirmed("pod_name"):
        form.check_reuse(same_name, spec)
    form.require_env_values()
    return form.result(None if form.errors else spec, catalog)


def reject_repeated() -> FormResult:
    """Return the result of a launch without a name that is equal to an earlier one.

    Returns
    -------
    FormResult
    """
    return FormResult(None, {"form": REPEATED}, {}, {"form": ANOTHER})


def reject(error: InvalidRequest) -> FormResult:
    """Return the result of a form that passed `validate`, but whose launch was rejected.

    Parameters
    ----------
    error : InvalidRequest

    Returns
    -------
    FormResult
    """
    field = error.field or "form"
    confirmations = {field: ANOTHER} if isinstance(error, NameTaken) else {}
    return FormResult(None, {field: error.message}, {}, confirmations)


class _Form:
    """Parses fields and collects the attributes of a `FormResult`."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._values = values
        self._confirmed = frozenset(values.get("confirmed") or ())
        self.errors: dict[str, str] = {}
        self.notes: dict[str, str] = {}
        self.confirmations: dict[str, str] = {}
        self.resolved: dict[str, str] = {}
        self._reused: Pod | None = None

    def text(self, field: str) -> str | None:
        """Return the stripped text of a field; None if it is empty."""
        return str(self._values.get(field) or "").strip() or None

    def is_confirmed(self, field: str) -> bool:
        """Return whether the confirmation of a field is both offered and checked."""
        return field in self.confirmations and field in self._confirmed

    def parse(self, field: str, parse: Callable[[str], Parsed], error_if_empty: str = "") -> Parsed | None:
        """Return the parsed text of a field; None if it is empty or invalid."""
        text = self.text(field)
        if text is None:
            if error_if_empty:
                self.errors.setdefault(field, error_if_empty)
            return None
        return self._try(field, parse, text)

    def parse_raw(self, field: str, parse: Callable[[Any], Parsed]) -> Parsed | None:
        """Return the parsed value of a field that is not a text."""
        return self._try(field, parse, self._values.get(field) or ())

    def lookup(self, field: str, find: Callable[..., Match], error_if_empty: str = "") -> str | None:
        """Return the full name that the catalog has for the text of a field; None if it is empty or unknown."""
        match = self.parse(field, partial(self._find_or_confirm, field, find), error_if_empty)
        if match is not None:
            if match.note:
                self.notes[field] = match.note
            self.resolved[field] = match.name
            return match.name
        if field in self.errors:
            # Suggest images without the prefix, which the form does not require.
            self.errors[field] = self.errors[field].replace(OFFICIAL_PREFIX, "")
        return None

    def _find_or_confirm(self, field: str, find: Callable[..., Match], text: str) -> Match:
        """Return the match of a text. Offer a check box to send an unknown text as typed; raise until it is checked."""
        try:
            return find(text)
        except InvalidRequest:
            if text.isprintable():
                self.confirmations[field] = AS_TYPED
            if not self.is_confirmed(field):
                raise
        return find(text, as_typed=True)

    def require_all_or_none(self, options: Mapping[str, Any], **errors: str) -> None:
        """Add the text in `errors` of each empty field, unless all the fields in `errors` are empty."""
        empty = [field for field in errors if not options[field]]
        if len(empty) < len(errors):
            for field in empty:
                self.errors.setdefault(field, errors[field])

    def require_env_values(self) -> None:
        """Add an error if a new pod's variable has no value: the browser clears the values after each launch."""
        names = [str(name).strip() for name, value in self._values.get("environment_vars") or () if not value]
        if names and self._reused is None:
            text = f"{join_limited(names, 3)}: enter the value, or remove the variable."
            self.errors.setdefault("environment_vars", text)

    def note_same_name(self, pods: Sequence[Pod]) -> None:
        """Note that live pods have the name, and offer a check box to create another pod."""
        self.confirmations["pod_name"] = ANOTHER
        cost = "; each will cost money" if self.is_confirmed("pod_name") else ""
        self.notes["pod_name"] = f"{_describe_same_name(pods)}{cost}."

    def check_reuse(self, pods: Sequence[Pod], spec: PodSpec) -> None:
        """Note that a launch uses the live pod of the spec's name, or add an error that says why it cannot."""
        text = _describe_same_name(pods)
        try:
            self._reused = select_reusable(pods, spec)
            kept = describe_missing(pods[0], spec, self.parse("expose", _parse_ports) or ())
            self.notes["pod_name"] = f"{text}. Launch uses that pod and creates none. {kept}".rstrip()
        except NameTaken as error:
            reason = f", but {error.differences}." if error.differences else ". Choose another name."
            self.errors["pod_name"] = text + reason

    def result(self, spec: PodSpec | None, catalog: Catalog) -> FormResult:
        result = FormResult(spec, self.errors, self.notes, self.confirmations, self.resolved)
        if spec is None:
            return result
        result.another = self.is_confirmed("pod_name")
        result.is_repeat_confirmed = "form" in self._confirmed
        result.must_reuse = self._reused is not None
        as_typed = any(kind == AS_TYPED and self.is_confirmed(field) for field, kind in self.confirmations.items())
        result.command = to_command(spec, as_typed=as_typed, another=result.another)
        result.price = catalog.prices(spec.gpu_type, spec.region).single_card
        if self._reused is not None and self._reused.hourly_rate is not None:
            result.estimate, result.basis = self._reused.hourly_rate, "the price of that pod"
        else:
            result.estimate, result.basis, result.volumes = estimate(spec, catalog)
        return result

    def _try(self, field: str, parse: Callable[[Any], Parsed], value: Any) -> Parsed | None:
        try:
            return parse(value)
        except InvalidRequest as error:
            self.errors.setdefault(field, error.message)
            return None


def _build_spec(form: _Form, options: Mapping[str, Any]) -> PodSpec | None:
    """Return the spec, or add the error to the form."""
    try:
        return PodSpec(**options)
    except InvalidRequest as error:
        field = error.field or ""
        form.errors[field if field in options else "form"] = error.message
        return None


def _describe_same_name(pods: Sequence[Pod]) -> str:
    """Return a text such as ``train exists (RUNNING, 1 × L4)``."""
    name = single_line(pods[0].name or "", 40)
    if len(pods) > 1:
        return f"{pluralize(len(pods), 'live pod')} are named {name}"
    pod = pods[0]
    gpus = f"{pod.gpu_count or '?'} × {single_line(short_gpu_type(pod.gpu_type or 'unknown GPU'), 30)}"
    return f"{name} exists ({single_line(pod.status, 20)}, {gpus})"


def _unique_name(gpu: GpuType, catalog: Catalog) -> str:
    """Return the display name of a GPU type if `Catalog.find_gpu` finds no other type by this name, else the id."""
    try:
        match = catalog.find_gpu(gpu.display_name or gpu.id)
    except InvalidRequest:
        return gpu.id
    is_unique = match.name == gpu.id and match.note is None  # A note says that other types match, too.
    return gpu.display_name if gpu.display_name and is_unique else gpu.id


def _parse_ports(text: str) -> tuple[PortSpec, ...]:
    return parse_ports([word for word in re.split(r"[\s,;]+", text) if word])


def _parse_env(pairs: Iterable[tuple[str, str]]) -> dict[str, Secret]:
    entries = [{"key": str(name).strip(), "value": value} for name, value in pairs]
    return parse_env([entry for entry in entries if any(entry.values())])


def _parse_gb(text: str) -> int:
    if not text.isascii() or not text.isdecimal() or len(text) > 9:
        raise InvalidRequest("A whole number of gigabytes, such as 50.")
    return int(text)


def _parse_path(text: str) -> str:
    if not text.startswith("/"):
        raise InvalidRequest("A path that starts with /, such as /workspace.")
    return text
