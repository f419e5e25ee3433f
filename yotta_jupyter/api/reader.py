"""Reading pods: requests that change nothing, the cache of the latest pods, and the events of a client."""

from __future__ import annotations

import builtins
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from ..errors import PodNotFound
from ..gc_pause import gc_paused
from ..models import Pod, PodOperations
from ..sanitize import single_line
from .arguments import Regions, Statuses, parse_regions, parse_statuses, validate_pod_id
from .backend import Backend
from .events import EventCallback, PodsListed, Subscribers
from .idempotency import select_by_launch_id

if TYPE_CHECKING:
    import pandas as pd


class PodReader(PodOperations):
    """Reads pods. `PodsClient` documents the attributes.

    Each pod is bound to its client. Of the protocol `PodOperations`, `PodsClient` has the methods that change pods.

    Parameters
    ----------
    backend : Backend
    """

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._subscribers = Subscribers()
        self.cached: dict[str, Pod] = {}
        self.last_listed_at: datetime | None = None

    def list(self, regions: Regions = (), statuses: Statuses = ()) -> builtins.list[Pod]:
        """Return the pods: ``GET /openapi/v1/pods/list``.

        Parameters
        ----------
        regions : iterable of str, or str
            Only pods in any of these regions.
        statuses : iterable of str or int, or str, or int
            Only pods in any of these statuses, by name in any case or by code.

        Returns
        -------
        list of Pod

        Raises
        ------
        InvalidRequest
            A status is unknown; the closest one is suggested. Nothing was sent.
        ApiError, ConnectionFailed, UnexpectedResponse
            The API refused the request or failed, was not reached, or sent something else.
        """
        region_list = parse_regions(regions)
        status_list = parse_statuses(statuses)
        requested_at = datetime.now(UTC)
        pods = self._backend.list(region_list, status_list)
        complete = not region_list and not status_list
        if complete:
            self.last_listed_at = requested_at
        self._bind_and_publish(pods, complete)
        return pods

    def frame(self, regions: Regions = (), statuses: Statuses = (), wide: bool = False) -> pd.DataFrame:
        """Return the pods as a DataFrame: ``GET /openapi/v1/pods/list``.

        Parameters
        ----------
        regions, statuses
            As for `list`.
        wide : bool, default False
            Return all fields of the API.

        Returns
        -------
        pandas.DataFrame
            Index and columns as described in `yotta_jupyter.pod_frames.pods_frame`.

        Raises
        ------
        InvalidRequest, ApiError, ConnectionFailed, UnexpectedResponse
            As for `list`.
        """
        from ..pod_frames import pods_frame

        with gc_paused():
            return pods_frame(self.list(regions, statuses), wide)

    def get(self, pod_id: str) -> Pod:
        """Return one pod: ``GET /openapi/v1/pods/{podId}``, or the listing if that endpoint is missing.

        Parameters
        ----------
        pod_id : str

        Returns
        -------
        Pod

        Raises
        ------
        PodNotFound
            The API says that the id does not exist.
        InvalidRequest, ApiError, ConnectionFailed, UnexpectedResponse
            As for `list`.
        """
        pod = self._backend.get(validate_pod_id(pod_id))
        self._bind_and_publish([pod], complete=False)
        return pod

    def find_by_launch_id(self, launch_id: str) -> Pod:
        """Return the pod of a create request whose response was lost: ``GET /openapi/v1/pods/list``.

        Parameters
        ----------
        launch_id : str
            From `CreateOutcomeUnknown.launch_id`.

        Returns
        -------
        Pod

        Raises
        ------
        PodNotFound
            No listed pod has that launch ID.
        ApiError, ConnectionFailed, UnexpectedResponse
            As for `list`.
        """
        pod = select_by_launch_id(self.list(), launch_id)
        if pod is None:
            raise PodNotFound(
                None,
                None,
                f"No listed pod has the launch ID {single_line(launch_id, 60)}.",
                advice="A listing may lag: look again in a minute before you create it again.",
            )
        return pod

    def subscribe(self, callback: EventCallback) -> Callable[[], None]:
        """Call a function after each response with pods and each request that may have changed pods.

        Parameters
        ----------
        callback : callable
            Called with a `PodsListed` or `PodsChanged` on the requesting thread. Must return at once.

        Returns
        -------
        callable
            Ends the subscription.
        """
        return self._subscribers.add(callback)

    def _bind_and_publish(self, pods: builtins.list[Pod], complete: bool) -> None:
        """Bind received pods to this client, cache them and publish them.

        Parameters
        ----------
        pods : list of Pod
        complete : bool
            Whether these are all pods of the account.
        """
        for pod in pods:
            pod.bind(self)
            pod.carry_over_was_paused(self.cached)  # The API does not report it.
        latest = {pod.id: pod for pod in pods}
        self.cached = latest if complete else {**self.cached, **latest}
        self._subscribers.publish(PodsListed(pods, complete))
