"""Types and validation of the arguments of `PodsClient`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ..errors import InvalidRequest
from ..models import is_valid_pod_id
from ..sanitize import single_line
from ..spec import PortSpec
from ..statuses import parse_status

Regions = Iterable[str] | str
Statuses = Iterable[str | int] | str | int
EnvironmentVars = Mapping[str, str] | Iterable[Mapping[str, str]]
Ports = Iterable[int | str | tuple[int, str] | Mapping[str, int | str] | PortSpec] | int | str


def validate_pod_id(pod_id: str) -> str:
    """Return a pod's id as a string.

    Parameters
    ----------
    pod_id : str
        An int is converted.

    Returns
    -------
    str

    Raises
    ------
    InvalidRequest
        It is not a valid id.
    """
    if isinstance(pod_id, int) and not isinstance(pod_id, bool):
        pod_id = str(pod_id)
    if not is_valid_pod_id(pod_id):
        raise InvalidRequest(f"A pod's id is a string such as '331864222263676928', not {single_line(pod_id, 40)!r}.")
    return pod_id


def parse_regions(regions: Regions) -> list[str]:
    """Return the regions of a filter as a list.

    Parameters
    ----------
    regions : iterable of str, or str

    Returns
    -------
    list of str

    Raises
    ------
    InvalidRequest
        A region is empty or not a string.
    """
    parsed = [regions] if isinstance(regions, str) else list(regions)
    if not all(isinstance(region, str) and region.strip() for region in parsed):
        raise InvalidRequest("A region is a string such as us-west-1; leave the filter out for all regions.")
    return parsed


def parse_statuses(statuses: Statuses) -> list[str]:
    """Return the names of the statuses of a filter.

    Parameters
    ----------
    statuses : iterable of str or int, or str, or int
        Names in any case, aliases or codes.

    Returns
    -------
    list of str

    Raises
    ------
    InvalidRequest
        A status is unknown. The message suggests the closest one.
    """
    if isinstance(statuses, (str, int)):
        return [parse_status(statuses)]
    return [parse_status(status) for status in statuses]
