"""The interface of one version of the Pods API."""

from __future__ import annotations

import builtins
from collections.abc import Sequence
from typing import Any, Protocol

from ..models import Pod
from ..spec import PodSpec


class Backend(Protocol):
    """One version of the Pods API.

    Only an implementation knows the paths, field names, codes and formats of its version. Each method that sends a
    request raises `ApiError`, `ConnectionFailed` or `UnexpectedResponse`. The transport retries a request if that is
    safe.
    """

    def list(self, regions: Sequence[str], statuses: Sequence[str]) -> builtins.list[Pod]:
        """Return the pods in any of the regions and any of the statuses; an empty sequence does not filter."""

    def get(self, pod_id: str) -> Pod:
        """Return one pod. Raises `PodNotFound` only if the API says that the id does not exist."""

    def create(self, spec: PodSpec, launch_id: str) -> str:
        """Create a pod with the launch ID in its environment and return its id. Never sends the request twice.

        Raises `ServerError` if the pod may have been created.
        """

    def pause(self, pod_id: str) -> None:
        """Request a pause. Errors set `may_be_duplicate` if an earlier attempt may have been processed."""

    def resume(self, pod_id: str) -> None:
        """Request a resume; errors as for `pause`."""

    def delete(self, pod_id: str) -> None:
        """Request a deletion; errors as for `pause`."""

    def preview(self, spec: PodSpec) -> dict[str, Any]:
        """Return the request body of a create with masked secrets. Sends nothing."""
