"""Known GPU types, images and regions: bundled with the package and updated from listings."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Final

import msgspec

from .errors import InvalidRequest, UnknownName
from .formatting import join_limited, join_or
from .gpu_names import model_words, search_tokens, tokenize
from .models import Pod
from .sanitize import single_line
from .spelling import closest_matches

if TYPE_CHECKING:
    import pandas as pd

OFFICIAL_PREFIX: Final = "yottalabsai/"
"""The beginning of the provider's own images."""

_GPU_ID: Final = re.compile(r"[A-Za-z]+_\w+_\d+G")
"""The form of the API's GPU types, such as ``NVIDIA_L4_24G``."""

_REGION_ID: Final = re.compile(r"[a-z]+(-[a-z]+)+-\d+")
"""The form of the API's regions, such as ``us-east-2``."""

_OLDEST: Final = datetime.min.replace(tzinfo=UTC)

_PROVEN_STATUSES: Final = frozenset({"RUNNING", "PAUSING", "PAUSED"})
"""Statuses of pods whose GPU type, image and region are proven to exist."""

_MAX_KNOWN_NAMES: Final = 4
"""How many known names an error lists if none resembles the query."""

_MAX_MATCHES: Final = 6
"""How many GPU types an error lists if the query matches many."""


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
    aliases : tuple of str
        More words by which people call it, such as ``SXM5``.
    """

    id: str
    display_name: str | None = None
    vram_in_gb: int | None = None
    single_card_price: float | None = None
    regions: tuple[str, ...] = ()
    from_listing: bool = False
    aliases: tuple[str, ...] = ()


class Prices(msgspec.Struct, frozen=True):
    """Prices of a listed pod in US dollars an hour; None if unknown.

    Attributes
    ----------
    region : str or None
        The region of that pod.
    single_card : float or None
        For one GPU.
    container_volume, persistent_volume : float or None
        For one GB.
    """

    region: str | None = None
    single_card: float | None = None
    container_volume: float | None = None
    persistent_volume: float | None = None


class Match(msgspec.Struct, frozen=True):
    """The result of a lookup by a name or a part of one.

    Attributes
    ----------
    name : str
        The full name.
    note : str or None
        A remark for the user, such as that other types also match.
    """

    name: str
    note: str | None = None


class Catalog:
    """Known GPU types, images and regions. No list is complete. Thread-safe."""

    def __init__(self) -> None:
        bundled = _bundled()
        self._lock = threading.Lock()
        self._gpus = {gpu.id: gpu for gpu in bundled.gpus}
        self._source_by_image = dict.fromkeys(bundled.images, "bundled")
        self._regions: set[str] = set()
        # The prices of the newest pod by GPU type and region. The region None stands for any region.
        self._prices: dict[tuple[str, str | None], Prices] = {}

    @property
    def gpus(self) -> list[GpuType]:
        """The GPU types, bundled ones first."""
        with self._lock:
            return list(self._gpus.values())

    @property
    def images(self) -> list[str]:
        """The images, bundled ones (newest first), then listed ones."""
        with self._lock:
            return list(self._source_by_image)

    @property
    def regions(self) -> list[str]:
        """The regions of listed pods, sorted. Before the first listing these are the bundled regions."""
        with self._lock:
            return sorted(self._regions or _bundled().regions)

    def update(self, pods: Iterable[Pod]) -> None:
        """Add the GPU types, prices, regions and images of the pods of a listing.

        Parameters
        ----------
        pods : iterable of Pod
            Pods that never ran are ignored: their GPU type, region or image may be mistyped.
        """
        proven = [pod for pod in pods if pod.status in _PROVEN_STATUSES]
        # For each GPU type and region, the newest pod with a price and the newest pod without one are enough.
        newest: dict[tuple[str | None, str | None, bool], Pod] = {}
        for pod in proven:
            key = (pod.gpu_type, pod.region, pod.single_card_price is None)
            if _created_at(pod) > _created_at(newest.setdefault(key, pod)):
                newest[key] = pod
        with self._lock:
            # Oldest first, so that the prices of newer pods replace those of older ones.
            for pod in sorted(newest.values(), key=_created_at):
                # A type named "h100" would match the query h100 before the known types do.
                if pod.gpu_type and _GPU_ID.fullmatch(pod.gpu_type):
                    self._update_gpu(pod.gpu_type, pod)
                    self._update_prices(pod.gpu_type, pod)
            images = [pod.image for pod in proven if pod.image]
            # Likewise, an image named "pytorch" would match before the official ones do.
            self._source_by_image.update({image: "listing" for image in images if "/" in image or ":" in image})
            self._regions.update({pod.region for pod in proven if pod.region})

    def find_gpu(self, query: str, as_typed: bool = False) -> Match:
        """Look up a GPU type by its id or by words such as ``L4``, ``4090`` or ``H100 80GB``.

        Parameters
        ----------
        query : str
        as_typed : bool, default False
            Accept an unknown type.

        Returns
        -------
        Match
            If several types match, the first one in the catalog, with a note that names the others. An id of the
            API's form is accepted, with a note if it is unknown.

        Raises
        ------
        UnknownName
            No type matches.
        InvalidRequest
            Too many types match, because the query names no model.
        """
        gpus = self.gpus
        exact = next((gpu.id for gpu in gpus if gpu.id.lower() == query.lower()), None)
        if exact:
            return Match(exact)
        matches = self._matching_gpus(query)
        if len(matches) == 1:
            return Match(matches[0])
        if matches and model_words(query):
            return Match(matches[0], f"{single_line(query, 40)} is {matches[0]}; others: {', '.join(matches[1:])}.")
        closest = _closest_gpus(query, gpus)
        if as_typed or _GPU_ID.fullmatch(query):
            suggestion = f" Closest: {closest[0]}." if closest else ""
            return Match(query, f"{single_line(query, 60)} is not in the catalog and is sent unchanged.{suggestion}")
        if matches:
            candidates = join_or(matches[:_MAX_MATCHES])
            raise InvalidRequest(
                f"The GPU type {single_line(query, 40)!r} may be {candidates}; write one of them.",
                field="gpu_type",
            )
        raise UnknownName(_unknown_message("GPU type", query, closest, [gpu.id for gpu in gpus]), field="gpu_type")

    @property
    def short_gpu_names(self) -> list[str]:
        """Names by which people call GPU types, such as ``L4`` and ``4090``."""
        words = (word for gpu in self.gpus for word in model_words(gpu.display_name or ""))
        return list(dict.fromkeys(word for word in words if not word.startswith("HBM")))  # HBM3 is a type of memory.

    def find_region(self, query: str, as_typed: bool = False) -> Match:
        """Look up a region.

        Parameters
        ----------
        query : str
        as_typed : bool, default False
            Accept an unknown region.

        Returns
        -------
        Match
            A region of the API's form is accepted, with a note if no listed pod is in it.

        Raises
        ------
        UnknownName
            The region is unknown and not of that form, or misspells a word of a known region.
        """
        regions = self.regions
        if query.lower() in regions:
            return Match(query.lower())
        is_misspelled = _has_misspelled_word(query, [*regions, *_bundled().regions])
        is_plausible = _REGION_ID.fullmatch(query) and not is_misspelled
        if as_typed or is_plausible:
            return Match(query, f"No listed pod is in {single_line(query, 60)}, which is sent unchanged.")
        raise UnknownName(_unknown_message("region", query, closest_matches(query, regions), regions), field="region")

    def find_image(self, query: str, as_typed: bool = False) -> Match:
        """Look up an image by its full name or by the short name of an official one, such as ``pytorch``.

        Parameters
        ----------
        query : str
            ``pytorch`` finds the newest official image of that name in the catalog, ``pytorch:2.8.0`` the one whose
            tag starts with ``2.8.0``. A reference such as ``me/own:1`` or ``python:3.11`` is accepted unchanged.
        as_typed : bool, default False
            Accept an unknown or ambiguous name unchanged.

        Returns
        -------
        Match

        Raises
        ------
        UnknownName
            A bare name is not an official one, or an official image has no such tag.
        InvalidRequest
            Several tags match; the message lists them.
        """
        images = self.images
        if query in images:
            return Match(query)
        has_prefix = query.startswith(OFFICIAL_PREFIX)
        name = query.removeprefix(OFFICIAL_PREFIX)
        repository, _, tag = name.partition(":")
        official = [image for image in images if image.startswith(f"{OFFICIAL_PREFIX}{repository}:")]
        matches = [image for image in official if image.startswith(f"{OFFICIAL_PREFIX}{name}")]
        if matches and (not tag or len(matches) == 1):
            return Match(matches[0], f"{single_line(query, 60)} is {matches[0]}.")
        sent_unchanged = Match(query, f"{single_line(query, 80)} is not in the catalog and is sent unchanged.")
        if as_typed:
            return sent_unchanged
        if matches:
            raise InvalidRequest(
                f"The image {single_line(query, 40)!r} may be {join_or(matches)}; write one of them.", field="image"
            )
        if official and not has_prefix:
            raise UnknownName(_unknown_message("image", query, closest=official), field="image")  # An unknown tag.
        repositories = list(dict.fromkeys(_repository(i) for i in images if i.startswith(OFFICIAL_PREFIX)))
        if has_prefix:
            is_misspelled = not official and bool(closest_matches(repository, repositories, cutoff=0.7))
            if tag and not is_misspelled:
                return sent_unchanged  # The provider may have published it after this version of the catalog.
        elif "/" in repository or tag:
            return Match(query, _misspelling_note(query, repository, repositories))  # An image of another publisher.
        closest = closest_matches(name, repositories)
        raise UnknownName(_unknown_message("image", query, closest, repositories), field="image")

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

    def prices(self, gpu_type: str, region: str | None = None) -> Prices:
        """Return the prices of the newest listed pod of a GPU type.

        Parameters
        ----------
        gpu_type : str
        region : str, optional
            Prefer a pod in this region.

        Returns
        -------
        Prices
            Those of the latest listing that contains this type; all None without one.
        """
        with self._lock:
            return self._prices.get((gpu_type, region)) or self._prices.get((gpu_type, None)) or Prices()

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
            source_by_image = dict(self._source_by_image)
        return pd.DataFrame(
            {
                "short_name": pd.array(
                    [_short_name(image, source_by_image) for image in source_by_image], dtype="string"
                ),
                "source": pd.array(list(source_by_image.values()), dtype="string"),
            },
            index=pd.Index(list(source_by_image), name="image", dtype="string"),
        )

    def _matching_gpus(self, query: str) -> list[str]:
        """Return the ids of the GPU types whose names contain all words of a query."""
        required = tokenize(query)
        if not required:
            return []
        return [gpu.id for gpu in self.gpus if required <= search_tokens(gpu.id, gpu.display_name or "", *gpu.aliases)]

    def _update_prices(self, gpu_type: str, pod: Pod) -> None:
        if pod.single_card_price is None:
            return
        prices = Prices(pod.region, pod.single_card_price, pod.container_volume_price, pod.persistent_volume_price)
        self._prices[gpu_type, pod.region] = prices
        self._prices[gpu_type, None] = prices

    def _update_gpu(self, gpu_type: str, pod: Pod) -> None:
        gpu = self._gpus.get(gpu_type, GpuType(gpu_type))
        regions = {*gpu.regions, pod.region} if pod.region else gpu.regions
        self._gpus[gpu_type] = msgspec.structs.replace(
            gpu,
            display_name=gpu.display_name or pod.gpu_display_name,
            vram_in_gb=gpu.vram_in_gb or pod.single_card_vram_in_gb,
            single_card_price=gpu.single_card_price if pod.single_card_price is None else pod.single_card_price,
            regions=tuple(sorted(regions)),
            from_listing=True,
        )


def _created_at(pod: Pod) -> datetime:
    return pod.created_at or _OLDEST


class _Bundled(msgspec.Struct):
    gpus: list[GpuType]
    images: list[str]
    regions: list[str]


@cache
def _bundled() -> _Bundled:
    return msgspec.json.decode(files("yotta_jupyter").joinpath("data/catalog.json").read_bytes(), type=_Bundled)


def _closest_gpus(query: str, gpus: list[GpuType]) -> list[str]:
    """Return the ids of the GPU types whose display name or id is spelled most like a query."""
    ids_by_name = {gpu.display_name: gpu.id for gpu in gpus if gpu.display_name}
    ids_by_name |= {gpu.id: gpu.id for gpu in gpus}
    return list(dict.fromkeys(ids_by_name[name] for name in closest_matches(query, ids_by_name)))


def _has_misspelled_word(query: str, regions: Iterable[str]) -> bool:
    """Return whether a region misspells a word of a known region, such as ``esat`` for ``east`` in ``us-esat-2``."""
    known = {word for region in regions for word in region.split("-")}
    long = {word for word in known if len(word) > 3}  # Short words, such as us and eu, resemble each other.
    return any(closest_matches(word, long, cutoff=0.75) for word in query.split("-") if word not in long)


def _unknown_message(kind: str, query: str, closest: list[str], known: Sequence[str] = ()) -> str:
    suggestions = f"Closest: {', '.join(closest)}" if closest else f"Known: {join_limited(known, _MAX_KNOWN_NAMES)}"
    return f"There is no {kind} {single_line(query, 60)!r} here. {suggestions}."


def _misspelling_note(query: str, repository: str, official: list[str]) -> str | None:
    """Return a note if the last part of a repository is almost, but not exactly, the name of an official image."""
    name = repository.rpartition("/")[2]
    closest = closest_matches(name, official, count=1, cutoff=0.8)
    if not closest or name.lower() in closest:
        return None
    return (
        f"{single_line(query, 80)} is not in the catalog and is sent unchanged. Closest official image: {closest[0]}."
    )


def _repository(image: str) -> str:
    return image.removeprefix(OFFICIAL_PREFIX).partition(":")[0]


def _short_name(image: str, images: Iterable[str]) -> str | None:
    """Return the short name of an image among known ones, newest first; see `Catalog.short_name`."""
    if not image.startswith(OFFICIAL_PREFIX):
        return None
    repository = _repository(image)
    newest = next((other for other in images if other.startswith(f"{OFFICIAL_PREFIX}{repository}:")), None)
    return repository if newest == image else None
