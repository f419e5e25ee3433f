"""Estimates of what a new pod costs, by the prices of listed pods. The API has no price list."""

from __future__ import annotations

from typing import NamedTuple

from .catalog import Catalog
from .sanitize import single_line
from .spec import PodSpec


class Estimate(NamedTuple):
    """An estimate of what a pod costs while it runs.

    Attributes
    ----------
    rate : float or None
        US dollars an hour; None if no price is known.
    basis : str
        What the rate is based on and what it excludes, or why it is unknown.
    volume_rate : float, default 0
        The part of the rate that is for volumes.
    """

    rate: float | None
    basis: str
    volume_rate: float = 0.0


def estimate(spec: PodSpec, catalog: Catalog) -> Estimate:
    """Return an estimate of what a pod costs while it runs, by the prices of the newest listed pod of its GPU type.

    Parameters
    ----------
    spec : PodSpec
    catalog : Catalog

    Returns
    -------
    Estimate
        A pod in the region of the spec is preferred. Volumes are included if their sizes and prices are known.
    """
    prices = catalog.prices(spec.gpu_type, spec.region)
    if prices.single_card is None:
        return Estimate(None, "the API has no price list, and no listed pod has this GPU type")
    # If the spec has no sizes, the API chooses one for the container volume and creates no persistent volume.
    container = _volume_rate(spec.container_volume_in_gb, prices.container_volume)
    persistent = _volume_rate(spec.persistent_volume_in_gb or 0, prices.persistent_volume)
    volume_rate = (container or 0.0) + (persistent or 0.0)
    excluded = [
        name for name, rate in (("container volume", container), ("persistent volume", persistent)) if rate is None
    ]
    region = f" in {single_line(prices.region, 40)}" if prices.region else ""
    rate = prices.single_card * spec.gpu_count + volume_rate
    return Estimate(rate, f"by a listed pod{region}{_describe_excluded(excluded)}", volume_rate)


def _volume_rate(size_in_gb: int | None, price: float | None) -> float | None:
    """Return US dollars an hour; None if the size or the price is unknown."""
    if size_in_gb == 0:
        return 0.0
    if size_in_gb is None or price is None:
        return None
    return size_in_gb * price


def _describe_excluded(volumes: list[str]) -> str:
    if not volumes:
        return ""
    verb = "costs" if len(volumes) == 1 else "cost"
    return f"; the {' and the '.join(volumes)} {verb} extra"
