"""Responses in the envelope of the API, and its response codes."""

import msgspec
from werkzeug.wrappers import Response

INVALID_PARAMETERS = 10001
SYSTEM_ERROR = 10002
INVALID_STATUS = 12001
POD_NOT_FOUND = 13000


def success(data: bytes = b"null") -> Response:
    """Return a success response.

    Parameters
    ----------
    data : bytes
        The value of ``data`` in the envelope, encoded as JSON.
    """
    return json_response(200, b'{"message":"success","code":10000,"data":' + data + b"}")


def failure(http_status: int, code: int, message: str) -> Response:
    """Return an error response."""
    return json_response(http_status, msgspec.json.encode({"message": message, "code": code, "data": None}))


def json_response(http_status: int, body: bytes) -> Response:
    """Return a response with a JSON body."""
    return Response(body, http_status, mimetype="application/json")
