"""The commands for cells on a pod: use, run, attach, interrupt, restart."""

from __future__ import annotations

import time
from argparse import Namespace
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from ...errors import InvalidRequest, RunInterrupted, TransferInterrupted
from ...hints import pod_argument
from ...sanitize import single_line
from ...spelling import did_you_mean
from ..parser import POD_HELP, Command, LineParser
from ..progress import transfer_progress
from ..resolve import resolve_pods
from ..session import Session
from .arguments import add_optional_pod_argument

if TYPE_CHECKING:
    import pandas as pd

    from ...models import Pod
    from ...remote import Remote, RunResult
    from ...remote.progress import OnProgress
    from ...remote.runs import RunInfo
    from ..outputs import CellResult, OutputPublisher

_INTERRUPT_TIMEOUT: Final = 5.0
"""Seconds in which an interrupted run should end."""

_INTERRUPT_POLL_INTERVAL: Final = 0.05
"""Seconds."""

_SHUTDOWN_TIMEOUT: Final = 0.4
"""Seconds for which Ctrl-C waits for a shutdown request of Jupyter."""

_SHUTDOWN_POLL_INTERVAL: Final = 0.01
"""Seconds."""


def _add_use_arguments(parser: LineParser) -> None:
    parser.add_argument(
        "pod", nargs="?", metavar="POD", completes="pod", help=f"{POD_HELP}; without it, the present choice is shown"
    )


def _use(session: Session, arguments: Namespace) -> None:
    if arguments.pod is not None:
        (pod,) = resolve_pods(session.client, [arguments.pod])
        session.connector.use(pod)
    used = session.connector.used_pod
    if used is None:
        print("No pod is chosen. Choose one: %yotta use POD")
    else:
        print(f"Commands use pod {used.label} when none is named.")


def _add_run_arguments(parser: LineParser) -> None:
    add_optional_pod_argument(parser)
    parser.add_argument(
        "--push",
        nargs="+",
        action="extend",
        default=[],
        metavar="NAME",
        completes="variable",
        help="variables of this notebook to assign on the pod before the code runs",
    )
    parser.add_argument(
        "--pull",
        nargs="+",
        action="extend",
        default=[],
        metavar="NAME",
        help="variables of the pod to assign in this notebook after the code has run",
    )
    parser.add_argument("--detach", action="store_true", help="return at once; see the output with %%yotta attach")
    parser.add_argument("--no-install", action="store_true", help="install no missing Python package on the pod")


def _run(session: Session, arguments: Namespace) -> CellResult | None:
    push, pull = _split_names(arguments.push), _split_names(arguments.pull)
    if arguments.detach and arguments.code is None:
        raise InvalidRequest("--detach needs code to run.")
    if arguments.detach and pull:
        raise InvalidRequest("--pull needs the end of the cell, and --detach does not wait for it. Leave one out.")
    values = _find_values(push, arguments.namespace, session)
    pod, remote = session.connector.open(arguments.pod, install=not arguments.no_install)
    with transfer_progress(session.shell) as on_progress:
        if values:
            _push(pod, remote, values, on_progress, has_code=arguments.code is not None)
        if arguments.detach:
            _detach(session, pod, remote, arguments.code)
            return None
        result = None
        try:
            if arguments.code is not None:
                result = _run_code(session, remote, arguments.code)
        except RunInterrupted:
            if not pull:
                raise
            raise _pull_interrupted(session, pod, pull, has_code=True) from None
        if pull:
            _pull(session, pod, remote, pull, on_progress, has_code=result is not None)
    if arguments.is_cell and result is not None and not result.value:
        return None  # A cell cannot be assigned, so it returns a result only to display the value.
    return result


def _run_code(session: Session, remote: Remote, code: str) -> CellResult:
    def run(publisher: OutputPublisher) -> RunResult:
        return remote.run(code, on_output=publisher, on_interrupt=lambda: _should_interrupt_pod(session))

    return _publish_outputs(session, run)


def _push(pod: Pod, remote: Remote, values: Mapping[str, Any], on_progress: OnProgress, *, has_code: bool) -> None:
    try:
        remote.push_values(values, on_progress=on_progress)
    except KeyboardInterrupt:
        not_run = "; the cell did not run" if has_code else ""
        message = f"The push of {', '.join(values)} to {pod.label} was interrupted{not_run}."
        raise TransferInterrupted(message, "Run it again to push.") from None


def _pull(
    session: Session,
    pod: Pod,
    remote: Remote,
    names: Sequence[str],
    on_progress: OnProgress,
    *,
    has_code: bool,
) -> None:
    try:
        session.shell.user_ns.update(remote.pull_values(names, on_progress=on_progress))
    except KeyboardInterrupt:
        raise _pull_interrupted(session, pod, names, has_code=has_code) from None
    except InvalidRequest as error:
        others = [name for name in names if name != error.field]
        if error.field in names and others:
            error.message += f" Nothing was pulled. Pull the others: {_pull_command(session, pod, others)}"
            error.message += "." if error.advice else ""
        raise


def _pull_interrupted(session: Session, pod: Pod, names: Sequence[str], *, has_code: bool) -> TransferInterrupted:
    ended = "The cell has ended, but its pull" if has_code else "The pull"
    return TransferInterrupted(
        f"{ended} was interrupted. The variables are still on {pod.label}.",
        f"Fetch them with: {_pull_command(session, pod, names)}",
    )


def _pull_command(session: Session, pod: Pod, names: Sequence[str]) -> str:
    return f"%yotta run {pod_argument(pod, session.known_pods)} --pull {' '.join(names)}"


def _should_interrupt_pod(session: Session) -> bool:
    """Return whether Ctrl-C also interrupts the cell on the pod: not if this kernel shuts down or restarts.

    Jupyter interrupts a kernel just before it requests the shutdown.
    """
    deadline = time.monotonic() + _SHUTDOWN_TIMEOUT
    while not session.shell.exit_now and time.monotonic() < deadline:
        time.sleep(_SHUTDOWN_POLL_INTERVAL)
    return not session.shell.exit_now


def _split_names(words: Sequence[str]) -> list[str]:
    """Return the names in arguments such as ``a,b``."""
    return [name for word in words for name in word.split(",") if name]


def _find_values(names: Sequence[str], namespace: Mapping[str, Any], session: Session) -> dict[str, Any]:
    for name in names:
        if name in namespace:
            continue
        if session.connector.find_known_id(name) is not None:
            raise InvalidRequest(f"--push takes all names up to the next flag. Write the pod first: %%yotta run {name}")
        hint = did_you_mean(name, [key for key in namespace if not key.startswith("_")])
        raise InvalidRequest(f"--push: this notebook has no variable {single_line(name, 40)!r}.{hint}")
    return {name: namespace[name] for name in names}


def _detach(session: Session, pod: Pod, remote: Remote, code: str) -> None:
    from ...remote.runs import SHORT_ID_LENGTH

    run_id = remote.submit(code)[:SHORT_ID_LENGTH]
    argument = pod_argument(pod, session.known_pods)
    print(f"Runs on {pod.label} as {run_id}. All of its output: %yotta attach {argument} --run {run_id}")


def _publish_outputs(session: Session, run: Callable[[OutputPublisher], RunResult]) -> CellResult:
    """Call `run` with the callback that publishes outputs in the notebook, and return the result."""
    from ..outputs import OutputPublisher

    publisher = OutputPublisher(session.shell)
    try:
        return publisher.to_cell_result(run(publisher))
    except BaseException:
        publisher.flush()
        raise


def _add_attach_arguments(parser: LineParser) -> None:
    add_optional_pod_argument(parser)
    parser.add_argument(
        "--run", metavar="ID", help="a run's id or its unique beginning; default: the present or last run"
    )
    parser.add_argument("--list", action="store_true", help="list the runs of the pod since it was started")


def _attach(session: Session, arguments: Namespace) -> CellResult | pd.DataFrame:
    pod, remote = session.connector.open(arguments.pod)
    if arguments.list:
        from ..runs_frame import runs_frame

        return runs_frame(remote.runs())
    try:
        return _publish_outputs(session, lambda publisher: remote.attach(arguments.run, on_output=publisher))
    except InvalidRequest as error:  # There is no such run.
        if arguments.run is not None:
            error.advice = f"See its runs with: %yotta attach {pod_argument(pod, session.known_pods)} --list"
        raise


def _interrupt(session: Session, arguments: Namespace) -> None:
    pod, remote = session.connector.open(arguments.pod)
    run = _find_running(remote)
    if run is None:
        print(f"Nothing runs on {pod.label}.")
        return
    remote.interrupt(run.request_id)
    deadline = time.monotonic() + _INTERRUPT_TIMEOUT
    while _find_running(remote) == run:
        if time.monotonic() > deadline:
            restart = f"%yotta restart {pod_argument(pod, session.known_pods)}"
            print(f"Still runs on {pod.label}: {run.title}. A new kernel ends it: {restart}")
            return
        time.sleep(_INTERRUPT_POLL_INTERVAL)
    print(f"Interrupted on {pod.label}: {run.title}")


def _find_running(remote: Remote) -> RunInfo | None:
    return next((run for run in remote.runs() if run.state == "running"), None)


def _restart(session: Session, arguments: Namespace) -> None:
    pod, remote = session.connector.open(arguments.pod)
    run = _find_running(remote)
    remote.restart()
    ended = f" This cell was ended: {run.title}" if run is not None else ""
    print(f"{pod.label} has a new kernel. The variables of the old one are gone.{ended}")


COMMANDS: tuple[Command, ...] = (
    Command(
        "run",
        "Run code on a pod: %%yotta run POD with the code below it, or %yotta run POD -- CODE.",
        _run,
        _add_run_arguments,
        takes_code=True,
        flags_without_code=("--push", "--pull"),
    ),
    Command("use", "Choose the pod that commands take when none is named.", _use, _add_use_arguments),
    Command(
        "attach",
        "Show all output of the running or last cell of a pod, or list its runs.",
        _attach,
        _add_attach_arguments,
    ),
    Command("interrupt", "Interrupt the cell that runs on a pod.", _interrupt, add_optional_pod_argument),
    Command("restart", "Start a new kernel on a pod.", _restart, add_optional_pod_argument),
)
