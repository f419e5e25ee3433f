"""Write ``docs/reference.md`` from the code: ``python docs/make_reference.py``."""

from __future__ import annotations

import argparse
import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yotta_jupyter
from yotta_jupyter.api import PodsClient
from yotta_jupyter.connection import Pods
from yotta_jupyter.magics.command import Command
from yotta_jupyter.magics.dispatch import COMMANDS

FILE = Path(__file__).with_name("reference.md")
HEAD = """# Reference

Made from docstrings and help texts by `python docs/make_reference.py`; a test holds it to the code.

"""
CLASSES = ("Yotta", "Pod", "PodSpec", "Panel", "Sandbox", "Secret")
ERRORS = (
    "YottaError",
    "InvalidRequest",
    "ApiError",
    "AuthenticationError",
    "PodNotFound",
    "InvalidPodState",
    "ConnectionFailed",
    "UnexpectedResponse",
    "CreateOutcomeUnknown",
    "WaitTimeout",
    "WaitInterrupted",
)


def reference() -> str:
    """Return the whole page."""
    return HEAD + "\n".join([*_magics(), *_python()]) + "\n"


def _magics() -> Iterator[str]:
    yield "## Magics\n"
    yield "POD is an id, the beginning of one, or a name. `$name` and `{expression}` fill in Python values.\n"
    for command in COMMANDS:
        yield from _magic(command)


def _magic(command: Command) -> Iterator[str]:
    aliases = "".join(f", `{alias}`" for alias in command.aliases)
    yield f"### `%yotta {command.name}`{aliases}\n\n{command.summary}\n"
    parser = command.parser()
    actions = [*parser.positionals(), *dict.fromkeys(filter(None, map(parser.action_of, parser.flags())))]
    rows = [_argument(action) for action in actions if "--help" not in action.option_strings]
    if rows:
        yield "\n".join(["| argument | what it is |", "| --- | --- |", *rows, ""])


def _argument(action: argparse.Action) -> str:
    value = " ".join(map(str, action.choices)) if action.choices else str(action.metavar or action.dest.upper())
    takes = "" if action.nargs == 0 else value
    written = [f"`{f'{name} {takes}'.strip()}`" for name in action.option_strings] or [f"`{value}`"]
    several = " …" if action.nargs == "+" else ""
    told = (action.help or "").replace("|", "\\|")
    return (
        f"| {', '.join(written)}{several} | {told}{' (needed)' if action.required and action.option_strings else ''} |"
    )


def _python() -> Iterator[str]:
    yield "## Python\n"
    yield from _described("connect", yotta_jupyter.connect)
    for name in CLASSES:
        yield from _class(name, getattr(yotta_jupyter, name))
        if name == "Yotta":
            yield from _class("yotta.pods", Pods, [*_public(PodsClient), "frame"])
    yield "## Errors\n"
    for name in ERRORS:
        error = getattr(yotta_jupyter, name)
        yield from _described(f"{name}({error.__base__.__name__})", error, call=False)


def _class(title: str, kind: type, methods: list[str] | None = None) -> Iterator[str]:
    yield from _described(title, kind, call=title in ("Panel", "Sandbox", "Secret"))
    for name in methods or _public(kind):
        member = inspect.getattr_static(kind, name)
        if isinstance(member, property):
            yield f"`{title}.{name}`: {_first_line(member)}\n"
        elif inspect.isfunction(member) or isinstance(member, classmethod):
            yield from _described(f"{title}.{name}", getattr(kind, name), depth=4)


def _public(kind: type) -> list[str]:
    """Return the methods and properties that the class itself documents."""
    return [name for name, member in vars(kind).items() if not name.startswith("_") and _first_line(member)]


def _first_line(member: Any) -> str:
    return (inspect.getdoc(member) or "").partition("\n")[0] if callable(member) or _is_described(member) else ""


def _is_described(member: Any) -> bool:
    return isinstance(member, (property, classmethod))


def _described(title: str, member: Any, depth: int = 3, call: bool = True) -> Iterator[str]:
    shown = f"{title}{_signature(member)}" if call else title
    yield f"{'#' * depth} `{shown}`\n\n```text\n{inspect.getdoc(member)}\n```\n"


def _signature(member: Any) -> str:
    signature = inspect.signature(member)
    plain = [
        parameter.replace(annotation=inspect.Parameter.empty)
        for name, parameter in signature.parameters.items()
        if name != "self"
    ]
    return str(signature.replace(parameters=plain, return_annotation=inspect.Signature.empty))


if __name__ == "__main__":
    FILE.write_text(reference())
