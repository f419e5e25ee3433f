"""The command about the sandbox, the stand-in server on this machine."""

from __future__ import annotations

from argparse import Namespace
from typing import TYPE_CHECKING

from ..api import InvalidRequest
from ..api.text import printable
from .command import Command, LineParser
from .shown import Text, counted

if TYPE_CHECKING:
    from .session import Session

_OPTIONS = {"pods": 3, "seed": 0, "speed": 1.0, "port": 0}


def _arguments(parser: LineParser) -> None:
    parser.add("action", choices=("start", "stop", "reset", "status"), help="what to do with it")
    parser.add("--pods", metavar="N", help="start: how many pods there are at first; 3 without it")
    parser.add("--seed", metavar="N", help="start: the same seed gives the same pods")
    parser.add("--speed", metavar="X", help="start: how many times faster than real pods change status")
    parser.add("--port", metavar="N", help="start: the port; a free one without it")
    parser.add(
        "--fault",
        action="append",
        default=[],
        metavar="SPEC",
        help="start: what goes wrong, such as create:lost; may be repeated",
    )


def _sandbox(session: Session, arguments: Namespace) -> Text:
    if arguments.action == "start":
        return _start(session, arguments)
    if session.sandbox is None:
        raise InvalidRequest("No sandbox was started from this notebook. Start one with: %yotta sandbox start")
    if arguments.action == "stop":
        session.sandbox.stop()
        session.sandbox = None
        session.disconnect()
        return Text("The sandbox is stopped; its pods are gone. %yotta speaks to your account again, if you have one.")
    if arguments.action == "reset":
        session.sandbox.reset()
    return _told(
        session, "The sandbox is as it was at its start" if arguments.action == "reset" else "The sandbox runs"
    )


def _start(session: Session, arguments: Namespace) -> Text:
    options = {name: _number(name, getattr(arguments, name), default) for name, default in _OPTIONS.items()}
    wanted = {**options, "faults": tuple(arguments.fault)}
    if session.sandbox is not None:
        if session.sandbox_options != wanted:
            raise InvalidRequest("A sandbox with other options runs already. Stop it first: %yotta sandbox stop")
        return _told(session, "The sandbox runs already")
    from ..sandbox import Sandbox

    problem = None
    try:
        sandbox = Sandbox(
            pods=int(options["pods"]),
            seed=int(options["seed"]),
            speed=float(options["speed"]),
            port=int(options["port"]),
            faults=arguments.fault,
        ).start()
    except (ImportError, ValueError) as error:
        problem = printable(error, 400)
    except OSError as error:
        problem = f"The port cannot be used: {printable(error.strerror or error)}. Leave --port out for a free one."
    if problem:
        raise InvalidRequest(problem)
    session.sandbox, session.sandbox_options = sandbox, wanted
    session.disconnect()
    return _told(session, "The sandbox runs")


def _told(session: Session, lead: str) -> Text:
    assert session.sandbox is not None
    pods = len(session.sandbox.pods())
    return Text(
        f"{lead} at {session.sandbox.base_url} with {counted(pods, 'pod')}. Nothing here costs money. Next: %yotta list"
    )


def _number(name: str, text: str | None, default: float) -> float:
    if text is None:
        return default
    try:
        return type(default)(text)
    except ValueError:
        raise InvalidRequest(f"--{name} takes a number, not {printable(text, 40)!r}.") from None


COMMANDS: tuple[Command, ...] = (
    Command("sandbox", "The stand-in for the API on this machine: no account, no cost.", _arguments, _sandbox),
)
