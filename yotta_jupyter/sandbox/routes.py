"""The endpoints of the Pods API: their names, methods and paths."""

PREFIX = "/openapi/v1/pods"

ENDPOINTS = {
    "create": ("POST", "/create"),
    "list": ("GET", "/list"),
    "get": ("GET", "/<pod_id>"),
    "pause": ("POST", "/pause/<pod_id>"),
    "resume": ("POST", "/resume/<pod_id>"),
    "delete": ("DELETE", "/<pod_id>"),
}
"""Endpoint name to its HTTP method and its path below ``PREFIX``."""
