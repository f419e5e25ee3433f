"""Validates the launch form, whose fields are those of `PodSpec`.

The result has the spec and the equivalent ``%yotta create`` line.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final, TypeVar

import msgspec

from ..api.reuse import find_reusable, live_pods
from ..catalog import OFFICIAL_PREFIX, Catalog, GpuType, Match
from ..create_command import to_command
from ..errors import InvalidRequest, NameTaken
from ..estimate import estimate
from ..formatting import pluralize, short_gpu_type, short_image
from ..launch import DEFAULT_EXPOSE, GPU_COUNTS
from ..models import Pod
from ..sanitize import single_line
from ..secret import Secret
from ..spec import ALLOWED_VALUES, PodSpec, PortSpec, parse_env, parse_gpu_count, parse_ports

MAX_IMAGES: Final = 1000
"""Images that the form offers."""

AS_TYPED: Final = "as_typed"
ANOTHER: Final = "another"

Result = TypeVar("Result")


class FormResult(msgspec.Struct):
    """The result of a validation.

    Attributes
    ----------
    spec : PodSpec or None
        What to create; None if the form is invalid.
    errors, notes : dict of str to str
        By field. Errors that concern no single field are under ``form``.
    confirmations : dict of str to str
        By field the confirmation that the form offers: `AS_TYPED` or `ANOTHER`.
    resolved : dict of str to str
        By field the full name of what was typed.
    command : str or None
        The equivalent ``%yotta create`` line, without secrets.
    price : float or None
        US dollars an hour for one GPU, by which the estimate was made; None if unknown.
    estimate : float or None
        US dollars an hour; None if the price is unknown.
    basis : str
        What the estimate is based on, or why there is none.
    another : bool
        Whether to create a pod although one of that name exists.
    """

    spec: PodSpec | None
    errors: dict[str, str]
    notes: dict[str, str]
    confirmations: dict[str, str] = {}
    resolved: dict[str, str] = {}
    command: str | None = None
    price: float | None = None
    estimate: float | None = None
    basis: str = ""
    another: bool = False

    def to_message(self) -> dict[str, Any]:
        """Return what the browser needs of it.

        Returns
        -------
        dict
            As the typedef ``FormResult`` of ``protocol.js``.
        """
        names = ("errors", "notes", "confirmations", "resolved", "command", "price", "estimate", "basis")
        return {name: getattr(self, name) for name in names}


def choices(catalog: Catalog) -> dict[str, Any]:
    """Return what the form offers.

    Parameters
    ----------
    catalog : Catalog

    Returns
    -------
    dict
        As the typedef ``Choices`` of ``protocol.js``.
    """
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
            for gpu in sorted(gpus, key=lambda gpu: (gpu.single_card_price is None, gpu.display_name or gpu.id))
        ],
        "gpu_counts": GPU_COUNTS,
        "images": [
            {
                "id": image,
                "value": catalog.short_name(image) or image,
                "label": single_line(short_image(image), 60),
                "official": image.startswith(OFFICIAL_PREFIX),
            }
            for image in sorted(images, key=lambda image: not image.startswith(OFFICIAL_PREFIX))
        ],
        "default_image": "pytorch" if any(catalog.short_name(image) == "pytorch" for image in images) else "",
        "regions": regions,
        "clouds": ALLOWED_VALUES["cloud_type"],
        "default_ports": ", ".join(DEFAULT_EXPOSE),
    }


def validate(values: Mapping[str, Any], catalog: Catalog, pods: Iterable[Pod] = ()) -> FormResult:
    """Validate a form. Sends nothing.

    Parameters
    ----------
    values : mapping
        Texts by field; ``environment_vars`` is a list of pairs of a name and a value; ``confirmed`` the fields whose
        confirmation is checked.
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
    taken = live_pods(pods, options["pod_name"])
    if taken:
        form.confirmations["pod_name"] = ANOTHER
        text = _describe_taken(taken)
        form.notes["pod_name"] = f"{text}; both will cost money." if form.is_confirmed("pod_name") else f"{text}."
    spec = _build_spec(form, options)
    if spec is not None and taken and not form.is_confirmed("pod_name"):
        form.check_reuse(taken, spec)
    return form.result(spec if not form.errors else None, catalog)


def reject(error: InvalidRequest) -> FormResult:
    """Return the result for an error that was found after the validation.

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
    """Parses fields, and collects errors and notes."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._values = values
        self._confirmed = frozenset(values.get("confirmed") or ())
        self.errors: dict[str, str] = {}
        self.notes: dict[str, str] = {}
        self.confirmations: dict[str, str] = {}
        self.resolved: dict[str, str] = {}
        self._reused: Pod | None = None

    def text(self, field: str) -> str | None:
        return str(self._values.get(field) or "").strip() or None

    def is_confirmed(self, field: str) -> bool:
        """Return whether the confirmation of a field is both offered and checked."""
        return field in self.confirmations and field in self._confirmed

    def parse(self, field: str, parse: Callable[[str], Result], error_if_empty: str = "") -> Result | None:
        """Return the parsed text of a field, or None if it is empty or invalid. An empty one gets `error_if_empty`."""
        text = self.text(field)
        if text is None:
            if error_if_empty:
                self.errors.setdefault(field, error_if_empty)
            return None
        return self._try(field, parse, text)

    def parse_raw(self, field: str, parse: Callable[[Any], Result]) -> Result | None:
        """Return the parsed value of a field that is not a text."""
        return self._try(field, parse, self._values.get(field) or ())

    def lookup(self, field: str, find: Callable[..., Match], error_if_empty: str = "") -> str | None:
        """Return the full name that the catalog has for the text of a field, and note its warning."""

        def find_or_confirm(text: str) -> Match:
            try:
                return find(text)
            except InvalidRequest:
                if not text.isprintable():
                    raise
                self.confirmations[field] = AS_TYPED
                if not self.is_confirmed(field):
                    raise
            return find(text, as_typed=True)

        match = self.parse(field, find_or_confirm, error_if_empty)
        if match is None:
            if field in self.errors:
                self.errors[field] = self.errors[field].replace(OFFICIAL_PREFIX, "")
            return None
        if match.note:
            self.notes[field] = match.note
        self.resolved[field] = match.name
        return match.name

    def require_all_or_none(self, options: Mapping[str, Any], **errors: str) -> None:
        """Add an error to each empty one of several fields, unless all are empty."""
        if any(options[field] for field in errors):
            for field, error in errors.items():
                if not options[field]:
                    self.errors.setdefault(field, error)

    def check_reuse(self, taken: Sequence[Pod], spec: PodSpec) -> None:
        """Note that a launch uses the pod of that name, or add what differs as an error."""
        text = _describe_taken(taken)
        try:
            self._reused = find_reusable(taken, spec)
            self.notes["pod_name"] = f"{text}. Launch uses that pod and creates none."
        except NameTaken as error:
            reason = error.message.partition(" exists and differs: ")[2]
            self.errors["pod_name"] = f"{text}, but {reason}" if reason else f"{text}. Choose another name."

    def result(self, spec: PodSpec | None, catalog: Catalog) -> FormResult:
        result = FormResult(spec, self.errors, self.notes, self.confirmations, self.resolved)
        if spec is None:
            return result
        result.another = self.is_confirmed("pod_name")
        as_typed = any(self.is_confirmed(field) for field, kind in self.confirmations.items() if kind == AS_TYPED)
        result.command = to_command(spec, as_typed=as_typed, another=result.another)
        result.price = catalog.prices(spec.gpu_type, spec.region).single_card
        if self._reused is not None and self._reused.hourly_rate is not None:
            result.estimate, result.basis = self._reused.hourly_rate, "the price of that pod"
        else:
            result.estimate, result.basis = estimate(spec, catalog)
        return result

    def _try(self, field: str, parse: Callable[[Any], Result], value: Any) -> Result | None:
        try:
            return parse(value)
        except InvalidRequest as error:
            self.errors.setdefault(field, error.message)
            return None


def _build_spec(form: _Form, options: Mapping[str, Any]) -> PodSpec | None:
    if form.errors:
        return None
    try:
        return PodSpec(**options)
    except InvalidRequest as error:
        field = error.field if error.field in options else None
        form.errors[field or "form"] = error.message
        return None


def _describe_taken(pods: Sequence[Pod]) -> str:
    """Return a text such as ``train exists (RUNNING, 1 × L4)``."""
    name = single_line(pods[0].name or "", 40)
    if len(pods) > 1:
        return f"{pluralize(len(pods), 'live pod')} are named {name}"
    pod = pods[0]
    gpus = f"{pod.gpu_count or '?'} × {single_line(short_gpu_type(pod.gpu_type or 'unknown GPU'), 30)}"
    return f"{name} exists ({single_line(pod.status, 20)}, {gpus})"


def _unique_name(gpu: GpuType, catalog: Catalog) -> str:
    """Return the display name of a GPU type if that means no other one, else its id."""
    try:
        match = catalog.find_gpu(gpu.display_name or gpu.id)
    except InvalidRequest:
        return gpu.id
    return gpu.display_name if gpu.display_name and match == Match(gpu.id) else gpu.id


def _parse_ports(text: str) -> tuple[PortSpec, ...]:
    return parse_ports([word for word in re.split(r"[\s,;]+", text) if word])


def _parse_env(pairs: Any) -> dict[str, Secret]:
    entries = [(str(name).strip(), value) for name, value in pairs]
    return parse_env([{"key": name, "value": value} for name, value in entries if name or value])


def _parse_gb(text: str) -> int:
    if not text.isascii() or not text.isdecimal() or len(text) > 9:
        raise InvalidRequest("A whole number of gigabytes, such as 50.")
    return int(text)


def _parse_path(text: str) -> str:
    if not text.startswith("/"):
        raise InvalidRequest("A path that starts with /, such as /workspace.")
    return text
