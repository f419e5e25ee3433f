"""Validates the launch form and returns its spec and the equal ``%yotta create`` line. Fields are those of PodSpec."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, TypeVar

import msgspec

from ..catalog import Catalog
from ..errors import InvalidRequest
from ..launch import (
    DEFAULT_EXPOSE,
    GPU_COUNTS,
    estimate_rate,
    find_by_name,
    to_command,
    with_jupyter_password,
)
from ..models import Pod
from ..secret import Secret
from ..spec import ALLOWED_VALUES, PodSpec, PortSpec, parse_env, parse_gpu_count, parse_ports

MAX_IMAGES: Final = 200
"""Images that the form offers. Browsers are slow with longer lists."""

Result = TypeVar("Result")


class FormResult(msgspec.Struct):
    """The result of a validation.

    Attributes
    ----------
    spec : PodSpec or None
        What to create; None if the form is invalid.
    errors, notes : dict of str to str
        By field. Errors that concern no single field are under ``form``.
    command : str or None
        The equal ``%yotta create`` line, without secrets.
    estimate : float or None
        US dollars an hour for the GPUs; None if the price is unknown.
    """

    spec: PodSpec | None
    errors: dict[str, str]
    notes: dict[str, str]
    command: str | None = None
    estimate: float | None = None


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
    gpus = sorted(catalog.gpus, key=lambda gpu: (gpu.single_card_price is None, gpu.display_name or gpu.id))
    return {
        "gpu_types": [
            {
                "id": gpu.id,
                "display_name": gpu.display_name,
                "vram_in_gb": gpu.vram_in_gb,
                "price": gpu.single_card_price,
            }
            for gpu in gpus
        ],
        "gpu_counts": GPU_COUNTS,
        "images": catalog.images[:MAX_IMAGES],
        "regions": catalog.regions,
        "clouds": ALLOWED_VALUES["cloud_type"],
        "default_ports": ", ".join(DEFAULT_EXPOSE),
    }


def validate(values: Mapping[str, Any], catalog: Catalog, pods: Iterable[Pod] = ()) -> FormResult:
    """Validate a form. Sends nothing.

    Parameters
    ----------
    values : mapping
        Texts by field; ``environment_vars`` is a list of pairs of a name and a value.
    catalog : Catalog
    pods : iterable of Pod
        The existing pods.

    Returns
    -------
    FormResult
    """
    form = _Form(values)
    options: dict[str, Any] = {
        "gpu_type": form.lookup("gpu_type", catalog.gpu, required="Choose a GPU type, such as L4."),
        "image": form.lookup("image", catalog.image, required="Choose an image, such as pytorch."),
        "region": form.lookup("region", catalog.region),
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
    form.require_both(
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
    if find_by_name(pods, options["pod_name"]) is not None:
        form.notes["pod_name"] = "A pod has this name already; both will cost money."
    return _to_result(form, options, catalog)


class _Form:
    """Parses fields, and collects errors and notes."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._values = values
        self.errors: dict[str, str] = {}
        self.notes: dict[str, str] = {}

    def text(self, field: str) -> str | None:
        return str(self._values.get(field) or "").strip() or None

    def parse(self, field: str, parse: Callable[[str], Result], required: str = "") -> Result | None:
        """Return the parsed text of a field, or None if it is empty or invalid. `required` is the error if empty."""
        text = self.text(field)
        if text is None:
            if required:
                self.errors.setdefault(field, required)
            return None
        return self._try(field, parse, text)

    def parse_raw(self, field: str, parse: Callable[[Any], Result]) -> Result | None:
        """Return the parsed value of a field that is not a text."""
        return self._try(field, parse, self._values.get(field) or ())

    def lookup(self, field: str, find: Callable[[str], Any], required: str = "") -> str | None:
        """Return the full name that the catalog has for the text of a field, and note its warning."""
        match = self.parse(field, find, required)
        if match is None:
            return None
        if match.warning:
            self.notes[field] = match.warning
        return str(match.name)

    def require_both(self, options: Mapping[str, Any], **errors: str) -> None:
        """Add an error to each empty one of several fields, unless all are empty."""
        if any(options[field] for field in errors):
            for field, error in errors.items():
                if not options[field]:
                    self.errors.setdefault(field, error)

    def _try(self, field: str, parse: Callable[[Any], Result], value: Any) -> Result | None:
        try:
            return parse(value)
        except InvalidRequest as error:
            self.errors.setdefault(field, error.message)
            return None


def _to_result(form: _Form, options: Mapping[str, Any], catalog: Catalog) -> FormResult:
    if form.errors:
        return FormResult(None, form.errors, form.notes)
    try:
        spec = PodSpec(**options)
    except InvalidRequest as error:
        field = error.field if error.field in options else None
        return FormResult(None, {field or "form": error.message}, form.notes)
    command = to_command(with_jupyter_password(spec))
    return FormResult(spec, {}, form.notes, command, estimate_rate(spec, catalog))


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
