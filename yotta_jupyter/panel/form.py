"""The launch form: what was typed, checked field by field, and the equal ``%yotta create`` line."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from typing import Any, Final, TypeVar

import msgspec

from ..api import InvalidRequest, PodSpec, Secret
from ..api.spec import CHOICES, environment_variables, gpu_count, ports
from ..catalog import Catalog
from ..magics.creating import DEFAULT_EXPOSE, JUPYTER_PASSWORD, JUPYTER_PORT, create_line, port_and_protocol

COUNTS: Final = (1, 2, 4, 8)
_IMAGES: Final = 200
"""Images that the form offers; more would make a slow list that nobody reads."""

Result = TypeVar("Result")


class Checked(msgspec.Struct):
    """What a form comes to.

    Attributes
    ----------
    spec : PodSpec or None
        What to create, where nothing is wrong.
    errors, notes : dict of str to str
        By field, what is wrong, and what the user should know.
    line : str or None
        The equal ``%yotta create`` line, without secrets.
    estimate : float or None
        US dollars an hour for the GPUs, where a listing showed the price of one.
    """

    spec: PodSpec | None
    errors: dict[str, str]
    notes: dict[str, str]
    line: str | None = None
    estimate: float | None = None


def choices(catalog: Catalog) -> dict[str, Any]:
    """Return what the form's lists offer: GPU types with their VRAM in GB and price, images, regions, clouds."""
    gpus = [[gpu.id, gpu.display_name, gpu.vram_in_gb, gpu.single_card_price] for gpu in catalog.gpus]
    return {
        "gpus": sorted(gpus, key=lambda gpu: (gpu[3] is None, gpu[1] or gpu[0])),
        "images": catalog.images[:_IMAGES],
        "regions": catalog.regions,
        "counts": COUNTS,
        "clouds": CHOICES["cloud_type"],
    }


def check(values: Mapping[str, Any], catalog: Catalog, taken: Collection[str | None] = ()) -> Checked:
    """Check a form. Nothing is sent.

    Parameters
    ----------
    values : mapping
        What was typed: texts by field; ``env``, a list of pairs of a name and a value; ``private``, a bool.
    catalog : Catalog
    taken : collection of str
        Names that pods have which may cost money.

    Returns
    -------
    Checked
    """
    form = _Form(values)
    gpu = form.field("gpu_type", lambda text: catalog.gpu(text), needed="Choose a GPU type, such as L4.")
    image = form.field("image", lambda text: catalog.image(text), needed="Choose an image, such as pytorch.")
    region = form.field("region", catalog.region)
    for name, resolved in (("gpu_type", gpu), ("image", image), ("region", region)):
        if resolved is not None and resolved.note:
            form.notes[name] = resolved.note
    if form.text("name") in taken:
        form.notes["name"] = "A pod has this name already; both will cost money."
    options: dict[str, Any] = {
        "gpu_type": gpu and gpu.name,
        "image": image and image.name,
        "gpu_count": form.field("gpu_count", gpu_count),
        "expose": form.field("ports", _ports) or _ports(" ".join(DEFAULT_EXPOSE)),
        "environment_vars": form.whole("env", lambda pairs: environment_variables(_pairs(pairs))) or {},
        "pod_name": form.text("name"),
        "region": region and region.name,
        "cloud_type": form.text("cloud"),
        "initialization_command": form.text("init"),
        "container_volume_in_gb": form.field("container_volume", _gigabytes),
        "persistent_volume_in_gb": form.field("persistent_volume", _gigabytes),
        "persistent_mount_path": form.field("mount", _path),
    }
    if options["persistent_volume_in_gb"] and not options["persistent_mount_path"]:
        form.error("mount", "A persistent volume needs a path, such as /workspace.")
    if options["persistent_mount_path"] and not options["persistent_volume_in_gb"]:
        form.error("persistent_volume", "Give the volume's size in GB, or leave the path out.")
    if values.get("private"):
        options["image_public_type"] = "PRIVATE"
        options["image_registry_username"] = form.text("registry_username")
        options["image_registry_token"] = form.secret("registry_token")
        if options["image_registry_username"] is None:
            form.error("registry_username", "A private image needs the registry's user name.")
        if options["image_registry_token"] is None:
            form.error("registry_token", "A private image needs the registry's token.")
    return _checked(form, options, catalog)


class _Form:
    """Reads fields, and collects what is wrong with them."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._values = values
        self.errors: dict[str, str] = {}
        self.notes: dict[str, str] = {}

    def text(self, name: str) -> str | None:
        return str(self._values.get(name) or "").strip() or None

    def secret(self, name: str) -> Secret | None:
        return Secret(text) if (text := self.text(name)) else None

    def field(self, name: str, read: Callable[[str], Result], needed: str = "") -> Result | None:
        text = self.text(name)
        if text is None:
            if needed:
                self.error(name, needed)
            return None
        return self._read(name, text, read)

    def whole(self, name: str, read: Callable[[Any], Result]) -> Result | None:
        return self._read(name, self._values.get(name) or (), read)

    def error(self, name: str, told: str) -> None:
        self.errors.setdefault(name, told)

    def _read(self, name: str, value: Any, read: Callable[[Any], Result]) -> Result | None:
        try:
            return read(value)
        except InvalidRequest as error:
            self.error(name, str(error))
            return None


def _checked(form: _Form, options: dict[str, Any], catalog: Catalog) -> Checked:
    if form.errors:
        return Checked(None, form.errors, form.notes)
    try:
        spec = PodSpec.of(**options)
    except InvalidRequest as error:
        return Checked(None, {"form": str(error)}, form.notes)
    price = catalog.price(spec.gpu_type)
    estimate = None if price is None else price * spec.gpu_count
    return Checked(spec, {}, form.notes, create_line(_with_password(spec)), estimate)


def _with_password(spec: PodSpec) -> PodSpec:
    """Return the spec with the Jupyter password that the browser makes at a launch, where nobody gave one."""
    if JUPYTER_PASSWORD in spec.environment_vars or not any(port.port == JUPYTER_PORT for port in spec.expose):
        return spec
    variables = {**spec.environment_vars, JUPYTER_PASSWORD: Secret("")}
    return msgspec.structs.replace(spec, environment_vars=variables)


def _ports(text: str) -> tuple[Any, ...]:
    return ports([port_and_protocol(word) for word in re.split(r"[\s,;]+", text) if word])


def _pairs(pairs: Any) -> list[dict[str, object]]:
    return [{"key": str(name).strip(), "value": value} for name, value in pairs if str(name).strip() or value]


def _gigabytes(text: str) -> int:
    if not text.isascii() or not text.isdecimal() or len(text) > 9:
        raise InvalidRequest("A whole number of gigabytes, such as 50.")
    return int(text)


def _path(text: str) -> str:
    if not text.startswith("/"):
        raise InvalidRequest("A path that starts with /, such as /workspace.")
    return text
