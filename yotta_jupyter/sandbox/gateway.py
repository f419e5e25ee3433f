"""WSGI middleware for every request: recording, routing and the API key."""

import hmac
import io
import logging
import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from werkzeug.exceptions import MethodNotAllowed, NotFound
from werkzeug.routing import Map, Rule
from werkzeug.wrappers import Request, Response

from .recorder import RecordedRequest
from .responses import SYSTEM_ERROR, failure
from .routes import ENDPOINTS, PREFIX

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

ENDPOINT = "sandbox.endpoint"
"""The environ key of the endpoint's name."""

POD_ID = "sandbox.pod_id"
"""The environ key of the pod id in the path; an empty string at an endpoint without one."""

_ROUTES = Map(
    [Rule(PREFIX + path, endpoint=name, methods=[method]) for name, (method, path) in ENDPOINTS.items()],
    # Respond to a path with duplicate slashes with 404, not with a redirect.
    merge_slashes=False,
).bind("127.0.0.1")

_log = logging.getLogger(__name__)


class Gateway:
    """Pass requests with a known route and a valid API key to an application, with ``ENDPOINT`` and ``POD_ID`` set.

    ``on_request`` is called with every request, also with those that are rejected.
    """

    def __init__(
        self,
        app: "WSGIApplication",
        *,
        api_key: str,
        has_get_endpoint: bool,
        on_request: Callable[[RecordedRequest], None],
    ) -> None:
        self._app = app
        self._api_key = api_key.encode()
        self._has_get_endpoint = has_get_endpoint
        self._on_request = on_request

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Handle a request."""
        try:
            rejection = self._reject_or_route(environ)
            app = self._app if rejection is None else rejection
            return app(environ, start_response)
        except ConnectionError:
            raise  # The server closes the connection.
        except Exception:
            _log.exception("error in the sandbox")
            return failure(500, SYSTEM_ERROR, "system error")(environ, start_response)

    def _reject_or_route(self, environ: "WSGIEnvironment") -> Response | None:
        """Record a request. Return an error response, or set ``ENDPOINT`` and ``POD_ID`` and return None."""
        request = Request(environ)
        environ["wsgi.input"] = io.BytesIO(request.get_data())  # Recording reads the body, and so does the application.
        try:
            endpoint, arguments = _ROUTES.match(request.path, request.method)
        except (NotFound, MethodNotAllowed) as error:
            self._record(request, endpoint="")
            response = failure(error.code, error.code, error.name.lower())
            if isinstance(error, MethodNotAllowed):
                response.allow.update(sorted(error.valid_methods or ()))
            return response
        self._record(request, endpoint)
        if endpoint == "get" and not self._has_get_endpoint:  # As deployments that lack the endpoint respond.
            return Response("404 page not found", 404, mimetype="text/plain")
        api_key = request.headers.get("x-api-key", "")
        if not hmac.compare_digest(api_key.encode(), self._api_key):
            return failure(401, 401, "invalid API key" if api_key else "missing header x-api-key")
        environ[ENDPOINT] = endpoint
        environ[POD_ID] = arguments.get("pod_id", "")
        return None

    def _record(self, request: Request, endpoint: str) -> None:
        self._on_request(
            RecordedRequest(
                method=request.method,
                path=request.path,
                query=request.query_string.decode("latin-1"),
                endpoint=endpoint,
                headers={name.lower(): value for name, value in request.headers.items()},
                body=request.get_data(),
                time=time.monotonic(),
            )
        )
