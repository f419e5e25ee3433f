"""The Pods API: a client, pods as objects, typed errors. It knows nothing of notebooks."""

from .client import DEFAULT_BASE_URL, Client, PodsClient
from .errors import (
    ApiError,
    AuthenticationError,
    ConnectionFailed,
    CreateOutcomeUnknown,
    InvalidPodState,
    InvalidRequest,
    PodNotFound,
    UnexpectedResponse,
    WaitInterrupted,
    WaitTimeout,
    YottaError,
)
from .models import EnvironmentVariable, ExposedPort, Pod
from .secret import Secret
from .spec import PodSpec, PortSpec

__all__ = [
    "DEFAULT_BASE_URL",
    "ApiError",
    "AuthenticationError",
    "Client",
    "ConnectionFailed",
    "CreateOutcomeUnknown",
    "EnvironmentVariable",
    "ExposedPort",
    "InvalidPodState",
    "InvalidRequest",
    "Pod",
    "PodNotFound",
    "PodSpec",
    "PodsClient",
    "PortSpec",
    "Secret",
    "UnexpectedResponse",
    "WaitInterrupted",
    "WaitTimeout",
    "YottaError",
]
