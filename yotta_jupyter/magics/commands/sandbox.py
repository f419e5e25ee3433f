"""The command for the sandbox, a local server that simulates the API: sandbox."""

from __future__ import annotations

from argparse import Namespace
from typing import TYPE_CHECKING, Any, Final

from ...errors import InvalidRequest
from ...formatting import pluralize
from ...sanitize import single_line
from ..display import PlainText
from ..parser import Command, LineParser
from ..session import Session

if TYPE_CHECKING:
    from ...sandbox import Sandbox

_NUMERIC_DEFAULTS: Final = {"pods": 3, "seed": 0, "speed": 1.0, "port": 0}
"""The numeric options of `Sandbox`. A flag is converted to the type of its default."""

_DEFAULTS: Final[dict[str, Any]] = {"faults": (), **_NUMERIC_DEFAULTS}


def _add_arguments(parser: LineParser) -> None:
    parser.add_argument("action", choices=("start", "stop", "reset", "status"), help="what to do with the sandbox")
    parser.add_argument(
        "--pods", metavar="N", help=f"start: number of pods at first; default: {_NUMERIC_DEFAULTS['pods']}"
    )
    parser.add_argument("--seed", metavar="N", help="start: the same seed gives the same pods")
    parser.add_argument("--speed", metavar="X", help="start: how many times faster than real pods change status")
    parser.add_argument("--port", metavar="N", help="start: the port; default: a free one")
    parser.add_argument(
        "--fault",
        action="append",
        default=[],
        metavar="SPEC",
        help="start: a fault to inject, such as create:lost; may be repeated",
    )


def _sandbox(session: Session, arguments: Namespace) -> PlainText:
    if arguments.action == "start":
        return _start(session, arguments)
    if session.sandbox is None:
        raise InvalidRequest("No sandbox was started from this notebook. Start one with: %yotta sandbox start")
    from ...guard.guards import end_guards

    if arguments.action == "status":
        return _status_text(session.sandbox, "The sandbox runs")
    # Both other actions remove the pods. Their guards would apply to a later sandbox at the same address.
    end_guards(session.sandbox.base_url)
    if arguments.action == "stop":
        session.sandbox.stop()
        session.sandbox = None
        session.reset()
        return PlainText(
            "The sandbox is stopped and its pods are gone. %yotta uses your own API key again, if there is one."
        )
    session.sandbox.reset()
    return _status_text(session.sandbox, "The sandbox is reset")


def _start(session: Session, arguments: Namespace) -> PlainText:
    options = _parse_options(arguments)
    if session.sandbox is not None:
        if options not in (session.sandbox_options, _DEFAULTS):
            raise InvalidRequest("A sandbox with other options is running. Stop it first: %yotta sandbox stop")
        return _status_text(session.sandbox, "The sandbox runs already")
    sandbox = _start_server(options)
    session.sandbox, session.sandbox_options = sandbox, options
    session.reset()
    return _status_text(sandbox, "The sandbox runs")


def _start_server(options: dict[str, Any]) -> Sandbox:
    from ...sandbox import Sandbox

    try:
        return Sandbox(**options).start()
    except (ImportError, ValueError) as error:
        raise InvalidRequest(single_line(error, 400)) from None
    except OSError as error:
        reason = single_line(error.strerror or error)
        raise InvalidRequest(f"The port cannot be used: {reason}. Leave --port out for a free one.") from None


def _parse_options(arguments: Namespace) -> dict[str, Any]:
    """Return the arguments of `Sandbox`."""
    options: dict[str, Any] = {"faults": tuple(arguments.fault)}
    for name, default in _NUMERIC_DEFAULTS.items():
        text = getattr(arguments, name)
        try:
            options[name] = default if text is None else type(default)(text)
        except ValueError:
            raise InvalidRequest(f"--{name} is a number, not {single_line(text, 40)!r}.") from None
    return options


def _status_text(sandbox: Sandbox, prefix: str) -> PlainText:
    return PlainText(
        f"{prefix} at {sandbox.base_url} with {pluralize(len(sandbox.pods()), 'pod')}. "
        f"Nothing here costs money. {sandbox.notice} Next: %yotta list"
    )


COMMANDS: tuple[Command, ...] = (
    Command("sandbox", "Run a local server with the Pods API: no account, no cost.", _sandbox, _add_arguments),
)
