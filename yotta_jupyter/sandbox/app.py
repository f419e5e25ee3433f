"""The Pods API as a WSGI application."""

import hmac
import logging
import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from werkzeug.exceptions import MethodNotAllowed, NotFound
from werkzeug.routing import Map, Rule
from werkzeug.wrappers import Request, Response

from yotta_jupyter.sandbox.answers import envelope, faulty, success
from yotta_jupyter.sandbox.checks import InvalidBody, check_create
from yotta_jupyter.sandbox.faults import Faults, Plan
from yotta_jupyter.sandbox.fleet import Fleet, NoSuchPod, WrongStatus
from yotta_jupyter.sandbox.seen import SeenRequest
from yotta_jupyter.sandbox.server import CloseConnection
from yotta_jupyter.sandbox.statuses import status_filter

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

_log = logging.getLogger(__name__)

_PODS = "/openapi/v1/pods"
_ROUTES = Map(
    [
        Rule(f"{_PODS}/create", endpoint="create", methods=["POST"]),
        Rule(f"{_PODS}/list", endpoint="list", methods=["GET"]),
        Rule(f"{_PODS}/pause/<pod_id>", endpoint="pause", methods=["POST"]),
        Rule(f"{_PODS}/resume/<pod_id>", endpoint="resume", methods=["POST"]),
        Rule(f"{_PODS}/<pod_id>", endpoint="get", methods=["GET"]),
        Rule(f"{_PODS}/<pod_id>", endpoint="delete", methods=["DELETE"]),
    ],
    # A client that gets a path slightly wrong shall be told so, not be redirected.
    merge_slashes=False,
).bind("127.0.0.1")

INVALID_PARAMETERS = 10001
SYSTEM_ERROR = 10002
WRONG_STATUS = 12001
NO_SUCH_POD = 13000


class PodsApp:
    """The endpoints over a fleet.

    Parameters
    ----------
    fleet : Fleet
        The pods.
    faults : Faults
        What goes wrong.
    api_key : str
        The only key that is taken.
    get_endpoint : bool
        Whether one pod can be asked for; where not, that is a 404 of a server that does not know the route.
    seen : callable
        Called with each request as it arrived.
    """

    def __init__(
        self,
        fleet: Fleet,
        faults: Faults,
        *,
        api_key: str,
        get_endpoint: bool = True,
        seen: Callable[[SeenRequest], None] = lambda request: None,
    ) -> None:
        self._fleet = fleet
        self._faults = faults
        self._api_key = api_key.encode()
        self._get_endpoint = get_endpoint
        self._seen = seen

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Answer one request."""
        try:
            response = self._answer(Request(environ))
        except CloseConnection:
            raise
        except Exception:
            _log.exception("the sandbox made a mistake")
            response = envelope(500, SYSTEM_ERROR, "system error")
        return response(environ, start_response)

    def _answer(self, request: Request) -> Response:
        try:
            endpoint, values = _ROUTES.match(request.path, request.method)
        except NotFound:
            self._note(request, "")
            return envelope(404, 404, "not found")
        except MethodNotAllowed as error:
            self._note(request, "")
            response = envelope(405, 405, "method not allowed")
            response.headers["Allow"] = ", ".join(sorted(error.valid_methods or ()))
            return response
        self._note(request, endpoint)
        if endpoint == "get" and not self._get_endpoint:
            return Response("404 page not found", 404, mimetype="text/plain")
        key = request.headers.get("x-api-key", "")
        if not hmac.compare_digest(key.encode(), self._api_key):
            return envelope(401, 401, "the API key is not valid" if key else "the header x-api-key is missing")
        plan = self._faults.plan(endpoint)

        def apply() -> Response:
            return self._apply(endpoint, values.get("pod_id", ""), request, plan)

        if plan.fault is None:
            return apply()
        return faulty(plan.fault, apply, request.environ["werkzeug.socket"])

    def _note(self, request: Request, endpoint: str) -> None:
        self._seen(
            SeenRequest(
                method=request.method,
                path=request.path,
                query=request.query_string.decode("latin-1"),
                endpoint=endpoint,
                headers={name.lower(): value for name, value in request.headers.items()},
                body=request.get_data(),
                time=time.monotonic(),
            )
        )

    def _apply(self, endpoint: str, pod_id: str, request: Request, plan: Plan) -> Response:
        fleet = self._fleet
        try:
            match endpoint:
                case "create":
                    # The page has the new id as a number, although it is a string everywhere else.
                    return success(fleet.create(check_create(request.get_data()), fails=plan.fails).encode())
                case "list":
                    regions = _values(request, "regionList")
                    statuses = [status_filter(value) for value in _values(request, "statusList")]
                    return success(b"[" + b",".join(fleet.listing(regions, statuses, plan.lag)) + b"]")
                case "get":
                    return success(fleet.get(pod_id, plan.lag))
                case "pause":
                    fleet.pause(pod_id)
                case "resume":
                    fleet.resume(pod_id)
                case "delete":
                    fleet.delete(pod_id)
        except InvalidBody as error:
            return envelope(400, INVALID_PARAMETERS, f"invalid request parameters: {error}")
        except NoSuchPod:
            return envelope(404, NO_SUCH_POD, f"pod not found: {pod_id}")
        except WrongStatus as error:
            return envelope(400, WRONG_STATUS, f"resource status invalid: {error}")
        except ValueError as error:
            return envelope(400, INVALID_PARAMETERS, f"invalid request parameters: {error}")
        return success(b"null")


def _values(request: Request, name: str) -> list[str]:
    """Return the values of a parameter that is repeated, or joined by commas, or both."""
    joined = ",".join(request.args.getlist(name))
    return [value.strip() for value in joined.split(",") if value.strip()]
