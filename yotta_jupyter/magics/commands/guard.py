"""The command for guards, and the flags of create that set one."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ...errors import InvalidRequest, YottaError
from ...guard.durations import format_duration
from ...guard.limits import parse_limits
from ...hints import pod_word
from ...models import Pod
from ...sanitize import single_line
from ..confirm import confirm
from ..display import PlainText
from ..parser import Command, LineParser
from ..resolve import resolve_pods
from ..session import Session

if TYPE_CHECKING:
    import pandas as pd


def add_guard_arguments(parser: LineParser) -> None:
    """Add the flags with which create sets a guard.

    Parameters
    ----------
    parser : LineParser
    """
    parser.add_argument("--guard-after", metavar="D", help="pause the pod after it has run for so long, such as 8h")
    parser.add_argument("--guard-idle", metavar="D", help="pause the pod after it was idle for so long, such as 30m")


def guard_limits(session: Session, arguments: Namespace) -> dict[str, str]:
    """Return the limits of the guard that create sets, from its flags and the setting ``guard_after``.

    Parameters
    ----------
    session : Session
    arguments : Namespace

    Returns
    -------
    dict
        Arguments of `Guards.set`; empty without a guard.

    Raises
    ------
    InvalidRequest
        A limit is invalid.
    """
    limits = {"after": arguments.guard_after or session.overrides().guard_after, "idle": arguments.guard_idle}
    given = {name: value for name, value in limits.items() if value is not None}
    if given:
        parse_limits(given.get("after"), None, given.get("idle"))
    return given


def set_guard(session: Session, pod: Pod, limits: dict[str, Any]) -> None:
    """Set a guard and print what it does.

    Parameters
    ----------
    session : Session
    pod : Pod
    limits : dict
        Arguments of `Guards.set`.

    Raises
    ------
    YottaError
        It could not be set, or is not enforced.
    """
    guards = session.client.guards
    before = {guard.pod_id: guard for guard in guards.list()}.get(pod.id)
    try:
        guard = guards.set(pod.id, **limits)
    except YottaError as error:
        error.message = f"Pod {pod.label} is NOT guarded: {error.message}"
        raise
    print(f"{guards.describe(guard)} {pod.pause_loss}")
    if before is not None:
        print(f"Note: {pod.label} had a guard ({before.rule}). The stricter limits count now: {guard.rule}.")
    if guard.idle is not None and guard.after is None and guard.budget is None:
        print(
            "Note: a signal that cannot be read counts as busy. Add --after or --budget for a limit that always holds."
        )


def _add_arguments(parser: LineParser) -> None:
    parser.add_argument("pods", nargs="*", metavar="POD", completes="pod", help="ids, beginnings of ids, or names")
    parser.add_argument(
        "--after", metavar="D", help="pause after so long from now, or from the pod's start: 90s, 30m, 8h, 2d"
    )
    parser.add_argument("--budget", metavar="USD", help="pause when the pod has cost so many US dollars from now on")
    parser.add_argument(
        "--idle", metavar="D", help="pause when GPU, CPU, network, kernels and terminals were idle for so long"
    )
    parser.add_argument("--extend", metavar="D", help="put off the limits of a guard by so long")
    parser.add_argument("--off", action="store_true", help="end the guard; the pod is not changed")
    parser.add_argument(
        "--on-pod", action="store_true", help="enforce --after and --budget on the pod as well; sends it the API key"
    )
    parser.add_argument("--yes", action="store_true", help="with --on-pod: do not ask")
    parser.add_argument("--log", action="store_true", help="what the enforcer did")


def _guard(session: Session, arguments: Namespace) -> pd.DataFrame | PlainText | None:
    limits: dict[str, Any] = {
        name: value for name in ("after", "budget", "idle") if (value := getattr(arguments, name)) is not None
    }
    actions = [name for name in ("extend", "off", "log") if getattr(arguments, name)]
    if len(actions) + bool(limits) > 1:
        raise InvalidRequest("%yotta guard sets limits, or takes one of --extend, --off and --log.")
    if arguments.on_pod and not {"after", "budget"} & limits.keys():
        raise InvalidRequest("--on-pod needs --after or --budget: the watchdog on the pod enforces no idle rule.")
    if arguments.log:
        return PlainText(session.client.guards.log() or "The log is empty: no guard was ever set.")
    if not arguments.pods:
        if limits or actions:
            raise InvalidRequest("%yotta guard needs POD, such as: %yotta guard train --after 8h. See %yotta list")
        return session.client.guards.frame()
    if limits:
        parse_limits(limits.get("after"), limits.get("budget"), limits.get("idle"))  # Before anything is sent.
    pods = resolve_pods(session.client, arguments.pods)
    if arguments.on_pod:
        if not (arguments.yes or _confirm_on_pod(pods)):
            print("No guard was set.")
            return None
        limits["on_pod"] = True
    for pod in pods:
        if arguments.off:
            _end(session, pod)
        elif arguments.extend:
            guard = session.client.guards.extend(pod.id, arguments.extend)
            print(session.client.guards.describe(guard))
        elif limits:
            set_guard(session, pod, limits)
        else:
            _print_watchdog(session, pod)
    frame = session.client.guards.frame()
    return None if limits or actions else frame[frame.index.isin([pod.id for pod in pods])]


def _confirm_on_pod(pods: Sequence[Pod]) -> bool:
    names = ", ".join(pod.label for pod in pods)
    return confirm(
        f"This sends your API key to {names}: root on the pod can read it and use your account. Continue?",
        "Input is not possible here, so no guard was set. To send your API key to the pod without asking, add --yes",
    )


def _print_watchdog(session: Session, pod: Pod) -> None:
    """Print what the watchdog on a pod says, if one was started."""
    guards = session.client.guards
    if not any(guard.pod_id == pod.id and guard.on_pod is not None for guard in guards.list()):
        return
    state = guards.read_watchdog(pod.id)
    left = "" if state.left is None else f", it pauses the pod in {format_duration(state.left)}"
    error = f"; its last request failed: {single_line(state.error, 100)}" if state.error else ""
    print(f"The watchdog on {pod.label} {'runs' if state.alive else 'does NOT run'}{left}{error}.")


def _end(session: Session, pod: Pod) -> None:
    existed = session.client.guards.off(pod.id)
    word = pod_word(pod, session.known_pods)
    cost = "it runs until you pause it" if pod.status == "RUNNING" else f"it is {pod.status}"
    print(f"{pod.label} has no guard any more: {cost}." if existed else f"{word} had no guard.")


COMMANDS: tuple[Command, ...] = (
    Command("guard", "Pause pods after a time, at a cost or when idle; show the guards.", _guard, _add_arguments),
)
