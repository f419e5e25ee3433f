"""GPU types and images: shipped as data, learned from listings; short names become whole ones."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final

import msgspec

from .api import InvalidRequest
from .api.text import nearest, printable

if TYPE_CHECKING:
    import pandas as pd

OFFICIAL: Final = "yottalabsai/"
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
        US dollars an hour for one card, as a pod in a listing showed it last; None where none did.
    regions : tuple of str
        Where pods with it were seen.
    learned : bool
        Whether it was seen in a listing.
    """

    id: str
    display_name: str | None = None
    vram_in_gb: int | None = None
    single_card_price: float | None = None
    regions: tuple[str, ...] = ()
    learned: bool = False


class Resolved(msgspec.Struct, frozen=True):
    """What a name that a user typed stands for.

    Attributes
    ----------
    name : str
        The whole name.
    note : str or None
        What the user should be told, such as that the name is not known.
    """

    name: str
    note: str | None = None


class Catalog:
    """The GPU types and images that are known here. No list is complete: any other name is taken as typed.

    May be used from many threads.
    """

    def __init__(self) -> None:
        shipped = _shipped()
        self._lock = threading.Lock()
        self._gpus = {gpu.id: gpu for gpu in shipped.gpus}
        self._images = dict.fromkeys(shipped.images, False)
        self._regions: set[str] = set()

    @property
    def gpus(self) -> list[GpuType]:
        """The GPU types, the shipped ones first."""
        with self._lock:
            return list(self._gpus.values())

    @property
    def images(self) -> list[str]:
        """The images, the shipped ones first, newest first."""
        with self._lock:
            return list(self._images)

    @property
    def regions(self) -> list[str]:
        """The regions in which pods were seen, sorted."""
        with self._lock:
            return sorted(self._regions)

    def knows(self, gpu_types: Iterable[str | None]) -> bool:
        """Return whether all of these GPU types are in the catalog.

        Parameters
        ----------
        gpu_types : iterable of str or None

        Returns
        -------
        bool
        """
        with self._lock:
            return all(gpu_type in self._gpus for gpu_type in gpu_types if gpu_type)

    def learn(self, pods: Iterable[Any]) -> None:
        """Take the GPU types, prices, regions and images from a listing.

        Parameters
        ----------
        pods : iterable of Pod
            Or what `yotta_jupyter.api.v1.rows` returns; without `gpu_display_name` and `single_card_vram_in_gb`, what
            is known of them stays.
        """
        kinds = dict.fromkeys(
            (
                pod.gpu_type,
                getattr(pod, "gpu_display_name", None),
                getattr(pod, "single_card_vram_in_gb", None),
                pod.single_card_price,
                pod.region,
                pod.image,
            )
            for pod in pods
        )
        with self._lock:
            for gpu_type, display_name, vram, price, region, image in kinds:
                if gpu_type:
                    self._learn_gpu(gpu_type, display_name, vram, price, region)
                if image:
                    self._images[image] = True
                if region:
                    self._regions.add(region)

    def gpu(self, typed: str) -> Resolved:
        """Return the GPU type that a user means: an id, or a part of one that fits no other, such as ``L4``.

        Parameters
        ----------
        typed : str

        Returns
        -------
        Resolved
            Unknown types as typed, with a note of the nearest known one.

        Raises
        ------
        InvalidRequest
            It fits several; they are named.
        """
        gpus = self.gpus
        for gpu in gpus:
            if gpu.id.lower() == typed.lower():
                return Resolved(gpu.id)
        matches = self._fitting(typed)
        if len(matches) == 1:
            return Resolved(matches[0])
        if matches:
            raise InvalidRequest(f"The GPU type {printable(typed, 40)!r} may be {_listed(matches)}; write one of them.")
        near = nearest(typed, [*(gpu.id for gpu in gpus), *(gpu.display_name or "" for gpu in gpus)])
        by_name = {gpu.display_name: gpu.id for gpu in gpus}
        hint = f"; the nearest known one is {by_name.get(near, near)}" if near else ""
        return Resolved(typed, f"{printable(typed, 60)} is not in the catalog and is sent as typed{hint}.")

    @property
    def short_gpu_names(self) -> list[str]:
        """The display names that stand for one GPU type alone, such as ``L4``."""
        names = dict.fromkeys(gpu.display_name for gpu in self.gpus if gpu.display_name and " " not in gpu.display_name)
        return [name for name in names if len(self._fitting(name)) == 1]

    def region(self, typed: str) -> Resolved:
        """Return the region that a user means: any is taken as typed.

        Parameters
        ----------
        typed : str

        Returns
        -------
        Resolved
            With a note where pods were seen in others alone.
        """
        seen = self.regions
        if not seen or typed in seen:
            return Resolved(typed)
        near = nearest(typed, seen)
        hint = f"; the nearest is {near}" if near else ""
        return Resolved(typed, f"No pod was seen in {printable(typed, 60)}, which is sent as typed{hint}.")

    def image(self, typed: str) -> Resolved:
        """Return the image that a user means: a whole name, or the short name of an official one, such as ``pytorch``.

        Parameters
        ----------
        typed : str
            ``pytorch`` is the newest official one of that name that is shipped with this package, ``pytorch:2.8.0`` the
            one with that tag or beginning of a tag. Any other name is taken as typed.

        Returns
        -------
        Resolved

        Raises
        ------
        InvalidRequest
            The beginning of the tag fits several; they are named.
        """
        repository, colon, tag = typed.removeprefix(OFFICIAL).partition(":")
        if "/" in repository:
            return Resolved(typed)
        official = [image for image in self.images if image.startswith(f"{OFFICIAL}{repository}:")]
        matches = [image for image in official if image.startswith(f"{OFFICIAL}{repository}:{tag}")]
        if f"{OFFICIAL}{repository}:{tag}" in matches:
            return Resolved(f"{OFFICIAL}{repository}:{tag}")
        if matches and (not colon or len(matches) == 1):
            return Resolved(matches[0], f"{printable(typed, 60)} is {matches[0]}")
        if matches:
            raise InvalidRequest(f"The image {printable(typed, 40)!r} may be {_listed(matches)}; write one of them.")
        near = nearest(repository, {image.removeprefix(OFFICIAL).partition(":")[0] for image in self.images})
        if near and not official and not colon:
            return Resolved(
                typed, f"{printable(typed, 60)} is no official image and is sent as typed; the nearest is {near}."
            )
        return Resolved(typed)

    def short_name(self, image: str) -> str | None:
        """Return the short name of an image, where it is the newest official one of its kind.

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
        """Return US dollars an hour for one card of a GPU type, as a listing last showed it, or None.

        Parameters
        ----------
        gpu_type : str

        Returns
        -------
        float or None
        """
        gpu = self._gpus.get(gpu_type)
        return gpu.single_card_price if gpu else None

    def gpus_frame(self) -> pd.DataFrame:
        """Return the GPU types as a DataFrame.

        Returns
        -------
        pandas.DataFrame
            Index `gpu_type`; `display_name`, `vram_in_gb`, `single_card_price` (US dollars an hour for one card, NaN
            where no listing showed it), `regions` where pods with it were seen, and `source`: ``shipped`` with this
            package, or seen in a ``listing``.
        """
        import pandas as pd

        gpus = self.gpus
        return pd.DataFrame(
            {
                "display_name": pd.array([gpu.display_name for gpu in gpus], dtype="string"),
                "vram_in_gb": pd.array([gpu.vram_in_gb for gpu in gpus], dtype="Int64"),
                "single_card_price": pd.Series([gpu.single_card_price for gpu in gpus], dtype="float64").to_numpy(),
                "regions": pd.array([", ".join(gpu.regions) for gpu in gpus], dtype="string"),
                "source": pd.array(["listing" if gpu.learned else "shipped" for gpu in gpus], dtype="string"),
            },
            index=pd.Index([gpu.id for gpu in gpus], name="gpu_type", dtype="string"),
        )

    def images_frame(self) -> pd.DataFrame:
        """Return the images as a DataFrame.

        Returns
        -------
        pandas.DataFrame
            Index `image`; `short_name`, by which ``%yotta create`` takes the newest official one of a kind, else
            missing; `source` as in `gpus_frame`.
        """
        import pandas as pd

        with self._lock:
            images = dict(self._images)
        return pd.DataFrame(
            {
                "short_name": pd.array([_short_name(image, images) for image in images], dtype="string"),
                "source": pd.array(
                    ["listing" if learned else "shipped" for learned in images.values()], dtype="string"
                ),
            },
            index=pd.Index(list(images), name="image", dtype="string"),
        )

    def _fitting(self, typed: str) -> list[str]:
        wanted = gpu_words(typed)
        return [gpu.id for gpu in self.gpus if wanted and wanted <= gpu_words(f"{gpu.id} {gpu.display_name or ''}")]

    def _learn_gpu(
        self, gpu_type: str, display_name: str | None, vram: int | None, price: float | None, region: str | None
    ) -> None:
        known = self._gpus.get(gpu_type, GpuType(gpu_type))
        self._gpus[gpu_type] = GpuType(
            gpu_type,
            known.display_name or display_name,
            known.vram_in_gb or vram,
            known.single_card_price if price is None else price,
            tuple(sorted({*known.regions, *([region] if region else [])})),
            learned=True,
        )


class _Shipped(msgspec.Struct):
    gpus: list[GpuType]
    images: list[str]


@cache
def _shipped() -> _Shipped:
    return msgspec.json.decode(files("yotta_jupyter").joinpath("data/catalog.json").read_bytes(), type=_Shipped)


def gpu_words(text: str) -> set[str]:
    """Return the words of a GPU type, in small letters: ``NVIDIA_L4_24G`` has ``l4``, ``NVIDIA_L40S_48G`` does not.

    Parameters
    ----------
    text : str

    Returns
    -------
    set of str
    """
    return {word.lower() for word in _WORDS.findall(text)}


def _listed(names: list[str]) -> str:
    return ", ".join(names[:-1]) + f" or {names[-1]}" if len(names) > 1 else names[0]


def _short_name(image: str, images: Iterable[str]) -> str | None:
    if not image.startswith(OFFICIAL):
        return None
    repository = image.removeprefix(OFFICIAL).partition(":")[0]
    newest = next(known for known in images if known.startswith(f"{OFFICIAL}{repository}:"))
    return repository if newest == image else None
