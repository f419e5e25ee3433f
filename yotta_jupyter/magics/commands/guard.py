"""The command guard, for the rules that pause pods, and the flags of create that set one."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ...errors import InvalidRequest, YottaError
from ...guard.durations import format_duration
from ...guard.limit_arguments import parse_limits
from ...guard.probe import READERS
from ...hints import pod_argument
from ...models import Pod
from ...sanitize import single_line
from ..display import PlainText, print_note
from ..parser import Command, LineParser
from ..prompts import confirm
from ..resolve import resolve_pods
from ..session import Session
from .arguments import add_optional_pods_argument

if TYPE_CHECKING:
    import pandas as pd

    from ...guard.rules import Guard


def add_guard_arguments(parser: LineParser) -> None:
    """Add the flags with which create sets a guard.

    Parameters
    ----------
    parser : LineParser
    """
    parser.add_argument("--guard-after", metavar="D", help="pause the pod after it has run for so long, such as 8h")
    parser.add_argument("--guard-budget", metavar="USD", help="pause the pod when it has cost so many US dollars")
    parser.add_argument("--guard-idle", metavar="D", help="pause the pod after it was idle for so long, such as 30m")


def guard_limits(session: Session, arguments: Namespace) -> dict[str, str]:
    """Return the limits of the guard that create sets, from its flags and the setting ``guard_after``.

    Parameters
    ----------
    session : Session
    arguments : Namespace

    Returns
    -------
    dict of str to str
        Arguments of `Guards.set`, ``after``, ``budget`` and ``idle``. Empty if no guard is requested.

    Raises
    ------
    InvalidRequest
        A limit is invalid.
    """
    after = arguments.guard_after or session.overrides().guard_after
    return _validate_limits({"after": after, "budget": arguments.guard_budget, "idle": arguments.guard_idle})


def _validate_limits(limits: Mapping[str, str | None]) -> dict[str, str]:
    """Return the limits that are not None. Raise `InvalidRequest` for an invalid one."""
    given = {name: value for name, value in limits.items() if value is not None}
    if given:
        parse_limits(given.get("after"), given.get("budget"), given.get("idle"))
    return given


def set_guard(session: Session, pod: Pod, limits: Mapping[str, Any], *, on_pod: bool = False) -> None:
    """Set a guard and print what it does.

    Parameters
    ----------
    session : Session
    pod : Pod
    limits : mapping of str to str
        As returned by `guard_limits`.
    on_pod : bool, default False
        Whether a process on the pod enforces the guard as well.

    Raises
    ------
    YottaError
        It could not be set, or is not enforced.
    """
    guards = session.client.guards
    before = _find_guard(session, pod)
    try:
        guard = guards.set(pod.id, **limits, on_pod=on_pod)
    except YottaError as error:
        if not on_pod:  # Otherwise, the message says whether a guard was set.
            error.message = f"Pod {pod.label} is NOT guarded: {error.message}"
        raise
    print(f"{guards.describe(guard)} {pod.pause_loss}")
    if before is not None:
        print_note(f"{pod.label} had a guard ({before.rule}). The stricter limits count now: {guard.rule}.")
    if guard.idle is not None:
        has_limit = guard.after is not None or guard.budget is not None
        advice = "" if has_limit else " Add --after or --budget for a limit that always holds."
        print_note(f"a signal that cannot be read counts as busy, and then the pod is never idle.{advice}")


def _add_arguments(parser: LineParser) -> None:
    add_optional_pods_argument(parser)
    parser.add_argument(
        "--after", metavar="D", help="pause after so long from now, or from the pod's start: 90s, 30m, 8h, 2d"
    )
    parser.add_argument("--budget", metavar="USD", help="pause when the pod has cost so many US dollars from now on")
    parser.add_argument("--idle", metavar="D", help=f"pause when all of {', '.join(READERS)} were idle for so long")
    parser.add_argument("--extend", metavar="D", help="put off the limits of a guard by so long")
    parser.add_argument("--off", action="store_true", help="end the guard; the pod is not changed")
    parser.add_argument(
        "--on-pod", action="store_true", help="enforce --after and --budget on the pod as well; sends it the API key"
    )
    parser.add_argument("--yes", action="store_true", help="with --on-pod: do not ask")
    parser.add_argument("--log", action="store_true", help="what the enforcer did")


def _guard(session: Session, arguments: Namespace) -> pd.DataFrame | PlainText | None:
    from ...frame_display import GuardsFrame

    _check_flags(arguments)
    if arguments.log:
        return PlainText(session.client.guards.log() or "The log is empty: no guard was ever set.")
    if not arguments.pods:
        return session.client.guards.frame()
    limits = _validate_limits({"after": arguments.after, "budget": arguments.budget, "idle": arguments.idle})
    pods = resolve_pods(session.client, arguments.pods)
    if arguments.off:
        for pod in pods:
            _end(session, pod)
        return None
    if arguments.extend:
        for pod in pods:
            _extend(session, pod, arguments.extend)
        return None
    if limits:
        _set_guards(session, pods, limits, arguments)
        return None
    for pod in pods:
        _print_watchdog(session, pod)
    frame = session.client.guards.frame()
    for pod in pods:
        if pod.id not in frame.index:
            argument = pod_argument(pod, session.known_pods)
            print(f"{argument} has no guard. Set one: %yotta guard {argument} --after 8h")
    # A selection of rows is a DataFrame without the display.
    selected = GuardsFrame(frame[frame.index.isin([pod.id for pod in pods])])
    return None if selected.empty else selected


def _check_flags(arguments: Namespace) -> None:
    has_limits = arguments.after is not None or arguments.budget is not None or arguments.idle is not None
    actions = [has_limits, bool(arguments.extend), arguments.off, arguments.log]
    if actions.count(True) > 1:
        raise InvalidRequest("%yotta guard sets limits, or takes one of --extend, --off and --log.")
    if arguments.on_pod and arguments.after is None and arguments.budget is None:
        raise InvalidRequest("--on-pod needs --after or --budget: the watchdog on the pod enforces no idle rule.")
    needs_pod = any(actions) and not arguments.log
    if needs_pod and not arguments.pods:
        raise InvalidRequest("%yotta guard needs POD, such as: %yotta guard train --after 8h. See %yotta list")


def _set_guards(session: Session, pods: Sequence[Pod], limits: Mapping[str, Any], arguments: Namespace) -> None:
    if arguments.on_pod and not arguments.yes and not _confirm_on_pod(pods):
        print("No guard was set.")
        return
    for pod in pods:
        set_guard(session, pod, limits, on_pod=arguments.on_pod)


def _confirm_on_pod(pods: Sequence[Pod]) -> bool:
    names = ", ".join(pod.label for pod in pods)
    return confirm(
        f"This sends your API key to {names}: root on the pod can read it and use your account. Continue?",
        "Input is not possible here, so no guard was set. To send your API key to the pod without asking, add --yes",
    )


def _print_watchdog(session: Session, pod: Pod) -> None:
    """Print the state of the watchdog, the process on the pod that ``--on-pod`` starts, if there is one."""
    guards = session.client.guards
    guard = _find_guard(session, pod)
    if guard is None or guard.watchdog_started_at is None:
        return
    state = guards.read_watchdog(pod.id)
    left = "" if state.left is None else f", it pauses the pod in {format_duration(state.left)}"
    error = f"; its last request failed: {single_line(state.error, 100)}" if state.error else ""
    print(f"The watchdog on {pod.label} {'runs' if state.alive else 'does NOT run'}{left}{error}.")


def _extend(session: Session, pod: Pod, by: str) -> None:
    guards = session.client.guards
    guard = guards.extend(pod.id, by)
    if pod.gpus_stopped_or_stopping or not guard.is_armed:
        status = single_line(pod.status, 40)
        print_note(f"nothing was put off: {pod.label} is {status}, and its limits start anew when it runs.")
    print(guards.describe(guard))


def _end(session: Session, pod: Pod) -> None:
    if not session.client.guards.off(pod.id):
        print(f"{pod_argument(pod, session.known_pods)} had no guard.")
        return
    consequence = "it runs until you pause it" if pod.status == "RUNNING" else f"it is {pod.status}"
    print(f"{pod.label} has no guard any more: {consequence}.")


def _find_guard(session: Session, pod: Pod) -> Guard | None:
    return next((guard for guard in session.client.guards.list() if guard.pod_id == pod.id), None)


COMMANDS: tuple[Command, ...] = (
    Command("guard", "Pause pods after a time, at a cost or when idle; show the guards.", _guard, _add_arguments),
)
