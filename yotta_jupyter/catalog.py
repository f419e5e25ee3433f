"""Known GPU types, images and regions: bundled with the package and updated from listings."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Final

import msgspec

from .errors import InvalidRequest
from .models import Pod
from .sanitize import single_line
from .spelling import closest_match

if TYPE_CHECKING:
    import pandas as pd

OFFICIAL_PREFIX: Final = "yottalabsai/"
_WORDS: Final = re.compile(r"[A-Za-z0-9]+")


class GpuType(msgspec.Struct, frozen=True):
    """A GPU type.

    Attributes
    ----------
    id : str
        The API's ``gpuType``.
    display_name : str or None
    vram_in_gb : int or None
        Gigabytes a card.
    single_card_price : float or None
        US dollars an hour for one card, from the latest listing; None if no listing contained one.
    regions : tuple of str
        Regions of pods with this type in listings.
    from_listing : bool
        Whether a listing contained it.
    """

    id: str
    display_name: str | None = None
    vram_in_gb: int | None = None
    single_card_price: float | None = None
    regions: tuple[str, ...] = ()
    from_listing: bool = False


class Match(msgspec.Struct, frozen=True):
    """The result of a lookup by a name or a part of one.

    Attributes
    ----------
    name : str
        The full name.
    warning : str or None
        A remark for the user, such as that the name is unknown.
    """

    name: str
    warning: str | None = None


class Catalog:
    """Known GPU types, images and regions. No list is complete: other names are used unchanged.

    Thread-safe.
    """

    def __init__(self) -> None:
        bundled = _bundled()
        self._lock = threading.Lock()
        self._gpus = {gpu.id: gpu for gpu in bundled.gpus}
        self._images = dict.fromkeys(bundled.images, False)
        self._regions: set[str] = set()

    @property
    def gpus(self) -> list[GpuType]:
        """The GPU types, bundled ones first."""
        with self._lock:
            return list(self._gpus.values())

    @property
    def images(self) -> list[str]:
        """The images, bundled ones first, newest first."""
        with self._lock:
            return list(self._images)

    @property
    def regions(self) -> list[str]:
        """The regions of pods in listings, sorted."""
        with self._lock:
            return sorted(self._regions)

    def update(self, pods: Iterable[Pod]) -> None:
        """Add the GPU types, prices, regions and images of pods.

        Parameters
        ----------
        pods : iterable of Pod
        """
        with self._lock:
            for pod in pods:
                if pod.gpu_type:
                    self._update_gpu(pod.gpu_type, pod)
                if pod.image:
                    self._images[pod.image] = True
                if pod.region:
                    self._regions.add(pod.region)

    def gpu(self, query: str) -> Match:
        """Look up a GPU type by its id or by words that match only one, such as ``L4``.

        Parameters
        ----------
        query : str

        Returns
        -------
        Match
            An unknown type is returned unchanged, with a warning that names the closest known one.

        Raises
        ------
        InvalidRequest
            Several types match; the message lists them.
        """
        gpus = self.gpus
        for gpu in gpus:
            if gpu.id.lower() == query.lower():
                return Match(gpu.id)
        matches = self._matches(query)
        if len(matches) == 1:
            return Match(matches[0])
        if matches:
            raise InvalidRequest(
                f"The GPU type {single_line(query, 40)!r} may be {_join_or(matches)}; write one of them.",
                field="gpu_type",
            )
        closest = closest_match(query, [*(gpu.id for gpu in gpus), *(gpu.display_name or "" for gpu in gpus)])
        by_name = {gpu.display_name: gpu.id for gpu in gpus}
        hint = f"; the closest known type is {by_name.get(closest, closest)}" if closest else ""
        return Match(query, f"{single_line(query, 60)} is not in the catalog and is sent unchanged{hint}.")

    @property
    def short_gpu_names(self) -> list[str]:
        """The display names that match only one GPU type, such as ``L4``."""
        names = dict.fromkeys(gpu.display_name for gpu in self.gpus if gpu.display_name and " " not in gpu.display_name)
        return [name for name in names if len(self._matches(name)) == 1]

    def region(self, query: str) -> Match:
        """Look up a region. Any name is accepted.

        Parameters
        ----------
        query : str

        Returns
        -------
        Match
            With a warning if no listed pod is in that region.
        """
        regions = self.regions
        if not regions or query in regions:
            return Match(query)
        closest = closest_match(query, regions)
        hint = f"; the closest is {closest}" if closest else ""
        return Match(query, f"No listed pod is in {single_line(query, 60)}, which is sent unchanged{hint}.")

    def image(self, query: str) -> Match:
        """Look up an image by its full name or by the short name of an official one, such as ``pytorch``.

        Parameters
        ----------
        query : str
            ``pytorch`` is the newest official image of that name in the catalog, ``pytorch:2.8.0`` the one whose tag
            starts with that. Any other name is accepted.

        Returns
        -------
        Match

        Raises
        ------
        InvalidRequest
            Several tags match; the message lists them.
        """
        repository, colon, tag = query.removeprefix(OFFICIAL_PREFIX).partition(":")
        if "/" in repository:
            return Match(query)
        official = [image for image in self.images if image.startswith(f"{OFFICIAL_PREFIX}{repository}:")]
        matches = [image for image in official if image.startswith(f"{OFFICIAL_PREFIX}{repository}:{tag}")]
        if f"{OFFICIAL_PREFIX}{repository}:{tag}" in matches:
            return Match(f"{OFFICIAL_PREFIX}{repository}:{tag}")
        if matches and (not colon or len(matches) == 1):
            return Match(matches[0], f"{single_line(query, 60)} is {matches[0]}")
        if matches:
            raise InvalidRequest(
                f"The image {single_line(query, 40)!r} may be {_join_or(matches)}; write one of them.", field="image"
            )
        closest = closest_match(repository, {_repository(image) for image in self.images})
        if closest and not official and not colon:
            warning = f"is not an official image and is sent unchanged; the closest is {closest}."
            return Match(query, f"{single_line(query, 60)} {warning}")
        return Match(query)

    def short_name(self, image: str) -> str | None:
        """Return the short name of an image if it is the newest official one of its name.

        Parameters
        ----------
        image : str

        Returns
        -------
        str or None
            Such as ``pytorch``.
        """
        return _short_name(image, self.images)

    def price(self, gpu_type: str) -> float | None:
        """Return the price of one card of a GPU type.

        Parameters
        ----------
        gpu_type : str

        Returns
        -------
        float or None
            US dollars an hour from the latest listing; None if unknown.
        """
        gpu = self._gpus.get(gpu_type)
        return gpu.single_card_price if gpu else None

    def gpus_frame(self) -> pd.DataFrame:
        """Return the GPU types as a DataFrame.

        Returns
        -------
        pandas.DataFrame
            Index `gpu_type`; `display_name`, `vram_in_gb`, `single_card_price` (US dollars an hour for one card, NaN
            if unknown), `regions` of listed pods, and `source`: ``bundled`` or ``listing``.
        """
        import pandas as pd

        gpus = self.gpus
        return pd.DataFrame(
            {
                "display_name": pd.array([gpu.display_name for gpu in gpus], dtype="string"),
                "vram_in_gb": pd.array([gpu.vram_in_gb for gpu in gpus], dtype="Int64"),
                "single_card_price": pd.Series([gpu.single_card_price for gpu in gpus], dtype="float64").to_numpy(),
                "regions": pd.array([", ".join(gpu.regions) for gpu in gpus], dtype="string"),
                "source": pd.array(["listing" if gpu.from_listing else "bundled" for gpu in gpus], dtype="string"),
            },
            index=pd.Index([gpu.id for gpu in gpus], name="gpu_type", dtype="string"),
        )

    def images_frame(self) -> pd.DataFrame:
        """Return the images as a DataFrame.

        Returns
        -------
        pandas.DataFrame
            Index `image`; `short_name` of the newest official image of a name, else missing; `source` as in
            `gpus_frame`.
        """
        import pandas as pd

        with self._lock:
            images = dict(self._images)
        return pd.DataFrame(
            {
                "short_name": pd.array([_short_name(image, images) for image in images], dtype="string"),
                "source": pd.array(
                    ["listing" if from_listing else "bundled" for from_listing in images.values()], dtype="string"
                ),
            },
            index=pd.Index(list(images), name="image", dtype="string"),
        )

    def _matches(self, query: str) -> list[str]:
        required = tokenize(query)
        return [gpu.id for gpu in self.gpus if required and required <= tokenize(f"{gpu.id} {gpu.display_name or ''}")]

    def _update_gpu(self, gpu_type: str, pod: Pod) -> None:
        gpu = self._gpus.get(gpu_type, GpuType(gpu_type))
        is_current = pod.single_card_price == gpu.single_card_price and pod.region in gpu.regions
        if gpu.from_listing and is_current and gpu.display_name:
            return
        self._gpus[gpu_type] = GpuType(
            gpu_type,
            gpu.display_name or pod.gpu_display_name,
            gpu.vram_in_gb or pod.single_card_vram_in_gb,
            gpu.single_card_price if pod.single_card_price is None else pod.single_card_price,
            tuple(sorted({*gpu.regions, *([pod.region] if pod.region else [])})),
            from_listing=True,
        )


class _Bundled(msgspec.Struct):
    gpus: list[GpuType]
    images: list[str]


@cache
def _bundled() -> _Bundled:
    return msgspec.json.decode(files("yotta_jupyter").joinpath("data/catalog.json").read_bytes(), type=_Bundled)


def tokenize(text: str) -> set[str]:
    """Return the lower-case words of a GPU type: ``NVIDIA_L4_24G`` contains ``l4``, ``NVIDIA_L40S_48G`` does not.

    Parameters
    ----------
    text : str

    Returns
    -------
    set of str
    """
    return {word.lower() for word in _WORDS.findall(text)}


def _join_or(names: list[str]) -> str:
    return ", ".join(names[:-1]) + f" or {names[-1]}" if len(names) > 1 else names[0]


def _repository(image: str) -> str:
    return image.removeprefix(OFFICIAL_PREFIX).partition(":")[0]


def _short_name(image: str, images: Iterable[str]) -> str | None:
    if not image.startswith(OFFICIAL_PREFIX):
        return None
    repository = _repository(image)
    newest = next(other for other in images if other.startswith(f"{OFFICIAL_PREFIX}{repository}:"))
    return repository if newest == image else None
