"""Estimates what a pod costs, by the prices in listings. The API has no price list."""

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
        What the rate is based on and what it leaves out, or why it is unknown.
    """

    rate: float | None
    basis: str


def estimate(spec: PodSpec, catalog: Catalog) -> Estimate:
    """Return an estimate of what a pod costs while it runs, by the prices of the latest listed pod of its GPU type.

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
    rate = prices.single_card * spec.gpu_count
    volumes = (
        # Without a size, the API chooses that of the container volume and creates no persistent volume.
        ("container volume", spec.container_volume_in_gb, prices.container_volume),
        ("persistent volume", spec.persistent_volume_in_gb or 0, prices.persistent_volume),
    )
    excluded = [name for name, size, price in volumes if size is None or (size and price is None)]
    # Excluded volumes count as 0.
    rate += sum((size or 0) * (price or 0.0) for _, size, price in volumes)
    region = f" in {single_line(prices.region, 40)}" if prices.region else ""
    extra = ""
    if excluded:
        verb = "costs" if len(excluded) == 1 else "cost"
        extra = f"; the {' and the '.join(excluded)} {verb} extra"
    return Estimate(rate, f"by a listed pod{region}{extra}")
