"""The requests of version 1 of the Pods API. The contract is the provider's page for the Pods API."""

from __future__ import annotations

import builtins
import time
from collections.abc import Sequence
from typing import Any, Final
from urllib.parse import quote

import msgspec

from ...errors import ApiError, PodNotFound, UnexpectedResponse
from ...models import LAUNCH_ID_ENV, Pod
from ...secret import Secret
from ...spec import PodSpec
from ...statuses import STATUSES
from ..transport import Transport
from .responses import parse_created_id, parse_pod, parse_pods, unwrap_envelope

_PODS: Final = "/openapi/v1/pods"
_GET_FALLBACK_DELAYS: Final = (0.0, 1.0)
"""Seconds before each listing in which a pod is looked up. The first listing may lag."""


class V1Backend:
    """Version 1 of the Pods API. Implements `yotta_jupyter.api.backend.Backend`.

    Parameters
    ----------
    transport : Transport
    """

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def list(self, regions: Sequence[str], statuses: Sequence[str]) -> builtins.list[Pod]:
        """``GET /openapi/v1/pods/list``"""
        query = [("regionList", region) for region in regions]
        query += [("statusList", str(STATUSES.index(status))) for status in statuses]
        return parse_pods(self._transport.request("GET", f"{_PODS}/list", query))

    def get(self, pod_id: str) -> Pod:
        """``GET /openapi/v1/pods/{podId}``, or the listing if a deployment lacks that endpoint."""
        try:
            return parse_pod(self._transport.request("GET", _pod_path(pod_id)), pod_id)
        except (ApiError, UnexpectedResponse) as error:
            lacks_endpoint = error.http_status == 404 and not isinstance(error, PodNotFound)
            if not lacks_endpoint:
                raise
        return self._get_from_list(pod_id)

    def create(self, spec: PodSpec, launch_id: str) -> str:
        """``POST /openapi/v1/pods/create``"""
        body = Secret(msgspec.json.encode(_reveal(_create_body(spec, launch_id))).decode())
        return parse_created_id(self._transport.request_once("POST", f"{_PODS}/create", body, spec.secrets))

    def pause(self, pod_id: str) -> None:
        """``POST /openapi/v1/pods/pause/{podId}``"""
        unwrap_envelope(self._transport.request(*self.pause_request(pod_id)), pod_id)

    @staticmethod
    def pause_request(pod_id: str) -> tuple[str, str]:
        """Return the method and the path of a pause, for a program on the pod that runs without this package."""
        return "POST", f"{_PODS}/pause/{quote(pod_id, safe='')}"

    def resume(self, pod_id: str) -> None:
        """``POST /openapi/v1/pods/resume/{podId}``"""
        unwrap_envelope(self._transport.request("POST", f"{_PODS}/resume/{quote(pod_id, safe='')}"), pod_id)

    def delete(self, pod_id: str) -> None:
        """``DELETE /openapi/v1/pods/{podId}``"""
        unwrap_envelope(self._transport.request("DELETE", _pod_path(pod_id)), pod_id)

    @staticmethod
    def preview(spec: PodSpec) -> dict[str, Any]:
        """Return the request body of a create. Each secret is a `Secret`, which shows itself masked. Sends nothing."""
        return _create_body(spec, launch_id="")

    def _get_from_list(self, pod_id: str) -> Pod:
        for delay in _GET_FALLBACK_DELAYS:
            time.sleep(delay)
            for pod in self.list((), ()):
                if pod.id == pod_id:
                    return pod
        raise PodNotFound(None, None, f"There is no pod {pod_id}.", pod_id=pod_id)


def _pod_path(pod_id: str) -> str:
    return f"{_PODS}/{quote(pod_id, safe='')}"


def _create_body(spec: PodSpec, launch_id: str) -> dict[str, Any]:
    """Return the request body of a create, without fields that are not set, with secrets as `Secret`."""
    variables = {**spec.environment_vars, LAUNCH_ID_ENV: Secret(launch_id)}
    values = {name: getattr(spec, name) for name in spec.__struct_fields__}
    values["environment_vars"] = [{"key": key, "value": value} for key, value in variables.items()]
    if spec.expose:
        values["expose"] = [msgspec.to_builtins(port) for port in spec.expose]
    else:
        del values["expose"]
    return {_camel_case(name): value for name, value in values.items() if value is not None}


def _camel_case(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(part.capitalize() for part in rest)


def _reveal(value: Any) -> Any:
    if isinstance(value, Secret):
        return value.reveal()
    if isinstance(value, dict):
        return {key: _reveal(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [_reveal(entry) for entry in value]
    return value
