"""What can go wrong, as types. Each message is one line and says what to do next."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from .text import printable

if TYPE_CHECKING:
    from .models import Pod


class _OneLine:
    """Shows an exception in a notebook as one line instead of a traceback; the cell still fails."""

    def _render_traceback_(self) -> list[str]:
        return [f"{type(self).__name__}: {self}"]


class YottaError(_OneLine, Exception):
    """The base of all errors of this package."""


class InvalidRequest(YottaError):
    """The request was found wrong before anything was sent."""


class ConnectionFailed(YottaError):
    """No answer came: refused, no such host, timed out, or the connection was lost.

    Parameters
    ----------
    message : str
        One line for the user.
    sent : bool
        False where the request provably never left: refused, no such host, no trusted certificate.
    """

    def __init__(self, message: str, sent: bool = True) -> None:
        super().__init__(message, sent)
        self.sent = sent

    def __str__(self) -> str:
        return str(self.args[0])


class UnexpectedResponse(YottaError):
    """An answer came that is not the Pods API's: HTML, nothing, a JSON list, half a JSON, a redirect.

    Parameters
    ----------
    message : str
        One line for the user.
    http_status : int
        The answer's HTTP status.
    happened : str, optional
        The message without its advice.
    """

    def __init__(self, message: str, http_status: int, happened: str | None = None) -> None:
        super().__init__(message, http_status)
        self.http_status = http_status
        self.happened = happened or message

    def __str__(self) -> str:
        return str(self.args[0])


class ApiError(YottaError):
    """The API answered, and said no.

    Parameters
    ----------
    code : int or None
        The envelope's code, such as 12001; None where there was no envelope.
    http_status : int or None
        The answer's HTTP status; None where the error was seen in a pod's status.
    message : str
        One line for the user.
    happened : str, optional
        The message without its advice.
    """

    def __init__(self, code: int | None, http_status: int | None, message: str, happened: str | None = None) -> None:
        super().__init__(code, http_status, message)
        self.code = code
        self.http_status = http_status
        self.message = message
        self.happened = happened or message

    def __str__(self) -> str:
        return self.message


class AuthenticationError(ApiError):
    """The API refused the key."""


class PodNotFound(ApiError):
    """The API says that there is no pod of that id."""


class InvalidPodState(ApiError):
    """The pod's status does not allow what was asked, such as pausing a paused pod."""


class CreateOutcomeUnknown(YottaError):
    """A create was sent, but whether a pod came of it could not be found out. It is not sent again.

    Parameters
    ----------
    launch_id : str
        The mark that the pod carries, if there is one, in its environment variable ``YOTTA_JUPYTER_LAUNCH``.
    reason : str
        What happened to the answer.
    """

    def __init__(self, launch_id: str, reason: str) -> None:
        super().__init__(launch_id, reason)
        self.launch_id = launch_id
        self.reason = reason

    def __str__(self) -> str:
        return (
            f"The pod may exist and cost money: {self.reason} Do not create it again yet; "
            f"look with: %yotta get {self.launch_id}"
        )


_STOPPING: Final = {"PAUSING", "PAUSED", "TERMINATING"}


def _still_waiting(how: str, pods: tuple[Pod, ...], target: str) -> str:
    """Say of pods that are not there yet what they are, that they cost money, and how to stop that."""
    seen = ", ".join(
        f"{printable(pod.name or 'pod', 60)} ({pod.id}) is {printable(pod.status, 40)}" for pod in pods[:3]
    )
    more = f" and {len(pods) - 3} more" if len(pods) > 3 else ""
    costing = [pod for pod in pods if pod.may_cost]
    if not costing:
        return f"{how}: {seen}{more}. Look again with: %yotta list"
    ids = " ".join(pod.id for pod in costing[:8]) + (" …" if len(costing) > 8 else "")
    still = "still costs" if any(pod.hourly_cost for pod in pods) else "may still cost"
    on = f"wait on with %yotta wait {ids}" + (f" --until {target.lower()}" if target != "RUNNING" else "")
    if all(pod.status in _STOPPING for pod in costing):
        return f"{how}: {seen}{more}. This {still} money; {on}"
    # The API pauses running pods alone.
    stop = "pause" if all(pod.status == "RUNNING" for pod in costing) else "delete"
    return f"{how}: {seen}{more}. This {still} money: stop it with %yotta {stop} {ids} or {on}"


class WaitTimeout(YottaError):
    """The pod was not there in time.

    Parameters
    ----------
    pod : Pod
        The pod as it was last seen.
    waited : float
        Seconds waited.
    target : str, default "RUNNING"
        What was waited for: a status, or ``SSH``.
    """

    def __init__(self, pod: Pod, waited: float, target: str = "RUNNING") -> None:
        super().__init__(pod, waited, target)
        self.pod = pod
        self.waited = waited
        self.target = target

    def __str__(self) -> str:
        return _still_waiting(f"Not there after {self.waited:.0f} s", (self.pod,), self.target)


class WaitInterrupted(_OneLine, KeyboardInterrupt):
    """A wait was ended by Ctrl-C or Interrupt Kernel. A `KeyboardInterrupt`, so that loops around it end too.

    Parameters
    ----------
    *pods : Pod
        The pods as they were last seen, one or more.
    target : str, default "RUNNING"
        What was waited for: a status, or ``SSH``.
    """

    def __init__(self, *pods: Pod, target: str = "RUNNING") -> None:
        super().__init__(*pods)
        self.pods = pods
        self.target = target

    @property
    def pod(self) -> Pod:
        """The first of the pods."""
        return self.pods[0]

    def __str__(self) -> str:
        return _still_waiting("Interrupted", self.pods, self.target)
