"""Exceptions of this package.

* YottaError
  + InvalidRequest
    - UnknownName
    - NameTaken
    - UnusableKey
    - UnsupportedValue
  + ConnectionFailed
  + UnexpectedResponse
  + ApiError
    - AuthenticationError
    - PodNotFound
    - InvalidPodState
    - ServerError
  + CreateOutcomeUnknown
  + WaitTimeout
  + RemoteError
  + CommandFailed
  + RemoteUnavailable
    - PodUnreachable
* KeyboardInterrupt
  + WaitInterrupted
  + ConnectInterrupted
  + RemoteDetached
  + RunInterrupted
  + TransferInterrupted
  + CopyInterrupted
  + RequestInterrupted

The advice of an error is the next step in Python. For users of the magics, `yotta_jupyter.hints` replaces it by a
``%yotta`` command.
"""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING, Final, Literal

from .sanitize import single_line
from .wait_advice import interrupted_message, pending_message, stop_advice

if TYPE_CHECKING:
    from .models import Pod
    from .remote.outputs import RunResult
    from .remote.shell import ShellResult

SshProblem = Literal["not exposed", "not ready"]
"""Why a pod is not reachable by SSH: it exposes no SSH port, or the port is not healthy."""

CHECK_KEY: Final = "Check it in the console under Settings → Access Keys"
"""What to do about an API key that is refused, without a full stop."""


class OneLineError:
    """Base of errors and interrupts. IPython shows them as one line, without a traceback.

    Attributes
    ----------
    message : str
        What happened.
    advice : str
        What to do next, if anything.
    """

    message: str
    advice: str

    def __str__(self) -> str:
        return f"{self.message} {self.advice}".rstrip()

    def _render_traceback_(self) -> list[str]:
        return [f"{type(self).__name__}: {self}"]


class YottaError(OneLineError, Exception):
    """Base class of all errors, but not of interrupts. ``str(error)`` is the message and the advice.

    Parameters
    ----------
    message : str
        What happened, in one line.
    advice : str, optional
        What to do next.
    base_url : str, optional
        The address of the API that the request was for.

    Notes
    -----
    Unpickling calls the class with ``self.args``. A subclass with other required arguments therefore sets `args`.
    """

    def __init__(self, message: str, *, advice: str = "", base_url: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.advice = advice
        self.base_url = base_url


class InvalidRequest(YottaError):
    """A request is invalid. Nothing was sent.

    Parameters
    ----------
    message : str
    field : str, optional
        The field of `PodSpec` at fault, or the variable that cannot be moved.
    is_missing : bool, default False
        Whether the error is that the field is missing.
    advice : str, optional
    """

    def __init__(self, message: str, *, field: str | None = None, is_missing: bool = False, advice: str = "") -> None:
        super().__init__(message, advice=advice)
        self.field = field
        self.is_missing = is_missing


class UnknownName(InvalidRequest):
    """A GPU type, region or image is not in the catalog and does not look like a name of the API."""


class NameTaken(InvalidRequest):
    """A pod with the name exists and does not match the request. Nothing was created.

    Parameters
    ----------
    message : str
    pods : tuple of Pod
        The pods with that name that have not ended.
    differences : str
        How the pod differs; empty if several pods have that name.
    """

    def __init__(self, message: str, pods: tuple[Pod, ...] = (), differences: str = "") -> None:
        super().__init__(message, field="pod_name", advice="Choose another name.")
        self.pods = pods
        self.differences = differences


class UnusableKey(InvalidRequest):
    """The SSH key for a pod is missing, unreadable or not a key. Nothing was created."""


class UnsupportedValue(InvalidRequest):
    """A value cannot be moved to or from a pod as data."""


class ConnectionFailed(YottaError):
    """No response: connection refused, unknown host, timeout, or connection lost.

    Parameters
    ----------
    message : str
    may_have_been_delivered : bool, default True
        False if the request was certainly not sent: connection refused, unknown host, untrusted certificate.
    method : str, optional
        The HTTP method of the request.
    advice, base_url : str, optional
    """

    def __init__(
        self,
        message: str,
        may_have_been_delivered: bool = True,
        *,
        method: str | None = None,
        advice: str = "",
        base_url: str | None = None,
    ) -> None:
        super().__init__(message, advice=advice, base_url=base_url)
        self.may_have_been_delivered = may_have_been_delivered
        self.method = method

    @property
    def may_have_changed_pods(self) -> bool:
        """Whether the request may have been delivered and is one that changes pods."""
        return self.may_have_been_delivered and self.method != "GET"


class UnexpectedResponse(YottaError):
    """The response does not follow the Pods API: HTML, an empty or truncated body, a JSON list, a redirect.

    Parameters
    ----------
    message : str
    http_status : int
    advice, base_url : str, optional
    """

    def __init__(self, message: str, http_status: int, *, advice: str = "", base_url: str | None = None) -> None:
        super().__init__(message, advice=advice, base_url=base_url)
        self.args = (message, http_status)
        self.http_status = http_status


class ApiError(YottaError):
    """The API refused a request or failed.

    Parameters
    ----------
    code : int or None
        The code in the body of the response, such as 12001; None if there was none.
    http_status : int or None
        None if the error was derived from a pod's status.
    message : str
    pod_id : str, optional
        The pod that the request was about.
    pod_status : str, optional
        The status of that pod.
    ssh_problem : "not exposed" or "not ready", optional
        Why the pod is not reachable by SSH, if that is the error.
    may_be_duplicate : bool, default False
        Whether an earlier attempt of the same request may have been processed.
    advice, base_url : str, optional
    """

    def __init__(
        self,
        code: int | None,
        http_status: int | None,
        message: str,
        *,
        pod_id: str | None = None,
        pod_status: str | None = None,
        ssh_problem: SshProblem | None = None,
        may_be_duplicate: bool = False,
        advice: str = "",
        base_url: str | None = None,
    ) -> None:
        super().__init__(message, advice=advice, base_url=base_url)
        self.args = (code, http_status, message)
        self.code = code
        self.http_status = http_status
        self.pod_id = pod_id
        self.pod_status = pod_status
        self.ssh_problem = ssh_problem
        self.may_be_duplicate = may_be_duplicate


class AuthenticationError(ApiError):
    """The API refused the key."""


class PodNotFound(ApiError):
    """There is no pod with that id."""


class InvalidPodState(ApiError):
    """The pod's status does not allow the action, such as pausing a paused pod, or the pod is not reachable by SSH."""


class ServerError(ApiError):
    """The API failed. It may have processed the request."""


class CreateOutcomeUnknown(YottaError):
    """A create request was sent, but whether it created a pod is unknown. It is not sent again.

    Parameters
    ----------
    launch_id : str
        The value of ``YOTTA_JUPYTER_LAUNCH`` in the pod's environment, if the pod exists.
    reason : str
        What happened to the response.
    """

    def __init__(self, launch_id: str, reason: str) -> None:
        super().__init__(
            f"The pod may exist and cost money: {reason}",
            advice=f'Do not create it again yet; look for it with pods.find_by_launch_id("{launch_id}").',
        )
        self.args = (launch_id, reason)
        self.launch_id = launch_id
        self.reason = reason


class WaitTimeout(YottaError):
    """A pod did not reach a status in time.

    Parameters
    ----------
    pod : Pod
        In its last known status.
    waited : float
        Seconds.
    target : str, default "RUNNING"
        The status that was waited for, or ``SSH``.
    unsent : str, default ""
        The action that was to be sent after the wait, such as ``pause``.
    """

    def __init__(self, pod: Pod, waited: float, target: str = "RUNNING", unsent: str = "") -> None:
        message = pending_message(f"Not {target} after {waited:.0f} s", (pod,), unsent)
        super().__init__(message, advice=stop_advice((pod,)))
        self.args = (pod, waited, target, unsent)
        self.pod = pod
        self.waited = waited
        self.target = target
        self.unsent = unsent

    @property
    def pods(self) -> tuple[Pod, ...]:
        """The pod, as a tuple like that of `WaitInterrupted`."""
        return (self.pod,)


class WaitInterrupted(OneLineError, KeyboardInterrupt):
    """A wait was interrupted by Ctrl-C or Interrupt Kernel. A `KeyboardInterrupt`, so that loops around it end too.

    Parameters
    ----------
    *pods : Pod
        One or more, in their last known status.
    target : str, default "RUNNING"
        The status that was waited for, or ``SSH``.
    unsent : str, default ""
        The action that was to be sent after the wait, such as ``pause``.
    """

    def __init__(self, *pods: Pod, target: str = "RUNNING", unsent: str = "") -> None:
        super().__init__(*pods)
        self.pods = pods
        self.target = target
        self.unsent = unsent
        self.message = pending_message("Interrupted", pods, unsent)
        self.advice = stop_advice(pods)

    @property
    def pod(self) -> Pod:
        """The first of the pods."""
        return self.pods[0]


class RemoteError(YottaError):
    """Code on a pod raised an exception.

    Parameters
    ----------
    ename : str
        The name of the exception's class, such as ``ZeroDivisionError``.
    evalue : str
        Its text.
    traceback : list of str, optional
        The remote traceback as IPython sends it, with ANSI colours.

    Attributes
    ----------
    ename, evalue, traceback
        As given.
    result : RunResult or None
        The outputs before the exception.
    """

    def __init__(self, ename: str, evalue: str, traceback: list[str] | None = None) -> None:
        super().__init__(single_line(f"{ename}: {evalue}" if evalue else ename, 500))
        self.args = (ename, evalue, traceback)
        self.ename = ename
        self.evalue = evalue
        self.traceback = traceback or []
        self.result: RunResult | None = None

    def _render_traceback_(self) -> list[str]:
        return self.traceback or super()._render_traceback_()


class CommandFailed(YottaError):
    """A shell command on a pod ended with an exit status other than 0, or by a signal.

    Parameters
    ----------
    returncode : int
        The exit status; negative if a signal ended the command.
    result : ShellResult, optional
        With the output of the command.
    """

    def __init__(self, returncode: int, result: ShellResult | None = None) -> None:
        super().__init__(f"The command {_describe_exit(returncode)}.")
        self.args = (returncode, result)
        self.returncode = returncode
        self.result = result


def _describe_exit(returncode: int) -> str:
    if returncode < 0:
        return f"was ended by {_signal_name(-returncode) or f'signal {-returncode}'}"
    # If a signal ended the last command of a script, a shell returns 128 plus its number.
    name = _signal_name(returncode - 128)
    suffix = f" ({name})" if name else ""
    return f"ended with exit status {returncode}{suffix}"


def _signal_name(number: int) -> str | None:
    return signal.Signals(number).name if number in signal.valid_signals() else None


class RemoteUnavailable(YottaError):
    """A pod cannot be used by SSH, or cannot do what was requested.

    The pod accepts no key, its host key changed, it has no Python, or a lost connection cannot be restored.

    Parameters
    ----------
    message : str
    advice : str, optional
    pod_id : str, optional
        The pod, if known.
    locked_keys : tuple of str
        The key files that were not tried because they need a passphrase; see `Remote.unlock`.
    """

    def __init__(
        self,
        message: str,
        *,
        advice: str = "",
        pod_id: str | None = None,
        locked_keys: tuple[str, ...] = (),
    ) -> None:
        super().__init__(message, advice=advice)
        self.locked_keys = locked_keys
        self.pod_id = pod_id


class PodUnreachable(RemoteUnavailable):
    """A pod did not answer by SSH in time.

    Parameters
    ----------
    message : str
    pod_id : str
    """

    def __init__(self, message: str, pod_id: str) -> None:
        super().__init__(
            message,
            advice=f'See it with pods.get("{pod_id}"); to restart it: pods.pause, then pods.resume.',
            pod_id=pod_id,
        )
        self.args = (message, pod_id)


class ConnectInterrupted(OneLineError, KeyboardInterrupt):
    """Ctrl-C ended the attempts to connect to a pod. A `KeyboardInterrupt`.

    Parameters
    ----------
    label : str
        The pod's name; its id if it has no name.
    """

    def __init__(self, label: str) -> None:
        super().__init__(label)
        self.message = f"Interrupted while connecting to pod {label}; nothing was sent to it."
        self.advice = ""


class RemoteDetached(OneLineError, KeyboardInterrupt):
    """Ctrl-C ended the wait for a cell on a pod, not the cell. A `KeyboardInterrupt`.

    Parameters
    ----------
    request_id : str
        Accepted by `Remote.attach`.
    pod_id : str
    was_interrupted : bool, default False
        Whether an interrupt was sent to the cell before.
    is_confirmed : bool, default True
        False if an interrupt could not be sent, or if it is unknown whether the pod received it.
    label : str, optional
        The pod's name in the message; by default its id.
    """

    def __init__(
        self,
        request_id: str,
        pod_id: str,
        was_interrupted: bool = False,
        is_confirmed: bool = True,
        label: str | None = None,
    ) -> None:
        super().__init__(request_id, pod_id, was_interrupted, is_confirmed, label)
        label = label or pod_id
        self.request_id = request_id
        self.pod_id = pod_id
        self.was_interrupted = was_interrupted
        self.is_confirmed = is_confirmed
        if was_interrupted and is_confirmed:
            self.message = f"Detached from pod {label}; the cell was interrupted there, and may still run."
        elif was_interrupted:
            self.message = f"Detached from pod {label}; whether it received the interrupt is unknown."
        elif is_confirmed:
            self.message = f"Detached from pod {label}; the cell still runs there."
        else:
            self.message = (
                f"The cell could not be interrupted: no connection to pod {label}. "
                "If it has started, it goes on running there."
            )
        self.advice = f'See all of its output with remote.attach("{request_id}").'


class RunInterrupted(OneLineError, KeyboardInterrupt):
    """Ctrl-C was pressed, but the code on the pod ended before it was interrupted. A `KeyboardInterrupt`.

    Parameters
    ----------
    label : str
        The pod's name.
    """

    def __init__(self, label: str) -> None:
        super().__init__(label)
        self.message = f"The cell on pod {label} ended before it was interrupted; its variables are there."
        self.advice = ""


class TransferInterrupted(OneLineError, KeyboardInterrupt):
    """A push or a pull was interrupted by Ctrl-C. A `KeyboardInterrupt`.

    Parameters
    ----------
    message : str
    advice : str
    """

    def __init__(self, message: str, advice: str) -> None:
        super().__init__(message, advice)
        self.message = message
        self.advice = advice


class CopyInterrupted(OneLineError, KeyboardInterrupt):
    """A copy was interrupted by Ctrl-C or Interrupt Kernel. A `KeyboardInterrupt`."""

    def __init__(self) -> None:
        super().__init__()
        self.message = "The copy was interrupted; what has arrived is kept."
        self.advice = "The same copy again sends only the rest."


class RequestInterrupted(OneLineError, KeyboardInterrupt):
    """A pause, resume or delete was interrupted before its response, and may have been applied.

    A `KeyboardInterrupt`.

    Parameters
    ----------
    action : str
        ``pause``, ``resume`` or ``delete``.
    *pods : Pod
        One or more, in their last known status.
    """

    def __init__(self, action: str, *pods: Pod) -> None:
        super().__init__(action, *pods)
        self.action = action
        self.pods = pods
        self.message = interrupted_message(action, pods)
        self.advice = "List the pods to see their statuses."
