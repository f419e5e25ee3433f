"""The handlers of the Pods API, a WSGI application: the function of each endpoint and the HTTP status of each error."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from werkzeug.wrappers import Request, Response

from .gateway import ENDPOINT, POD_ID
from .responses import INVALID_PARAMETERS, INVALID_STATUS, POD_NOT_FOUND, failure, success
from .simulator import InvalidStatus, PodNotFound, Simulator
from .validation import InvalidParameters, validate_create, validate_status

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

LAG = "sandbox.lag"
"""The environ key of a lag: ``list`` and ``get`` return the pods as they were that many sandbox seconds ago."""

NEW_POD_FAILS = "sandbox.new_pod_fails"
"""The environ key of a boolean: whether the pod that ``create`` adds changes to FAILED instead of RUNNING."""


class PodsApp:
    """The endpoints of the API. Requests come through `Gateway`, which sets ``ENDPOINT`` and ``POD_ID``."""

    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Handle a request."""
        try:
            response = self._handle(Request(environ))
        except InvalidParameters as error:
            response = failure(400, INVALID_PARAMETERS, f"invalid request parameters: {error}")
        except PodNotFound as error:
            response = failure(404, POD_NOT_FOUND, f"pod not found: {error}")
        except InvalidStatus as error:
            response = failure(400, INVALID_STATUS, f"resource status invalid: {error}")
        return response(environ, start_response)

    def _handle(self, request: Request) -> Response:
        environ = request.environ
        pod_id = environ[POD_ID]
        lag = environ.get(LAG, 0.0)
        match environ[ENDPOINT]:
            case "create":
                body = validate_create(request.get_data())
                new_id = self._simulator.create(body, will_fail=environ.get(NEW_POD_FAILS, False))
                # In this response the API has the id as a JSON number, everywhere else as a string.
                return success(new_id.encode())
            case "list":
                regions = _query_values(request, "regionList")
                statuses = [validate_status(value) for value in _query_values(request, "statusList")]
                pods = self._simulator.list_pods(regions, statuses, lag)
                return success(b"[" + b",".join(pods) + b"]")
            case "get":
                return success(self._simulator.get(pod_id, lag))
            case "pause" | "resume" | "delete" as action:
                self._simulator.transition(action, pod_id)
                return success()
            case endpoint:
                raise AssertionError(f"endpoint {endpoint} has no handler")


def _query_values(request: Request, name: str) -> list[str]:
    """Return the values of a query parameter that is repeated, comma-separated or both."""
    joined = ",".join(request.args.getlist(name))
    return [value.strip() for value in joined.split(",") if value.strip()]
