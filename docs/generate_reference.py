"""Write ``docs/reference.md`` from the code: ``python docs/generate_reference.py``."""

from __future__ import annotations

import argparse
import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yotta_jupyter
from yotta_jupyter.api import PodsClient
from yotta_jupyter.errors import (
    ConnectInterrupted,
    CopyInterrupted,
    RemoteDetached,
    RequestInterrupted,
    WaitInterrupted,
    YottaError,
)
from yotta_jupyter.guard.guards import Guards
from yotta_jupyter.magics.commands import COMMANDS
from yotta_jupyter.magics.parser import Command

FILE = Path(__file__).with_name("reference.md")
HEAD = """# Reference

Generated from docstrings and help texts by `python docs/generate_reference.py`; a test keeps it up to date.

"""
CLASSES = {
    "Client": yotta_jupyter.Client,
    "client.pods": PodsClient,
    "client.guards": Guards,
    "Pod": yotta_jupyter.Pod,
    "PodSpec": yotta_jupyter.PodSpec,
    "Panel": yotta_jupyter.Panel,
    "Sandbox": yotta_jupyter.Sandbox,
    "Secret": yotta_jupyter.Secret,
}
INTERRUPTIONS = (WaitInterrupted, ConnectInterrupted, RemoteDetached, CopyInterrupted, RequestInterrupted)
WITH_CONSTRUCTOR = ("Panel", "PodSpec", "Sandbox", "Secret")


def reference() -> str:
    """Return the whole page."""
    return HEAD + "\n".join([*_magics(), *_python(), *_errors()]) + "\n"


def _magics() -> Iterator[str]:
    yield "## Magics\n"
    yield "POD is an id, the beginning of one, or a name. `$name` and `{expression}` insert Python values.\n"
    for command in COMMANDS:
        yield from _command(command)


def _command(command: Command) -> Iterator[str]:
    aliases = "".join(f", `{alias}`" for alias in command.aliases)
    yield f"### `%yotta {command.name}`{aliases}\n\n{command.summary}\n"
    parser = command.parser()
    flags = dict.fromkeys(filter(None, map(parser.get_action, parser.flags())))
    rows = [_argument(action) for action in [*parser.positionals(), *flags] if "--help" not in action.option_strings]
    if rows:
        yield "\n".join(["| argument | description |", "| --- | --- |", *rows, ""])


def _argument(action: argparse.Action) -> str:
    value = " ".join(map(str, action.choices)) if action.choices else str(action.metavar or action.dest.upper())
    suffix = "" if action.nargs == 0 else f" {value}"
    names = [f"`{name}{suffix}`" for name in action.option_strings] or [f"`{value}`"]
    repeat = " …" if action.nargs == "+" else ""
    description = (action.help or "").replace("|", "\\|")
    required = " (required)" if action.required and action.option_strings else ""
    return f"| {', '.join(names)}{repeat} | {description}{required} |"


def _python() -> Iterator[str]:
    yield "## Python\n"
    yield from _entry("connect", yotta_jupyter.connect)
    for title, class_ in CLASSES.items():
        yield from _class(title, class_)


def _class(title: str, class_: type) -> Iterator[str]:
    yield from _entry(title, class_, with_signature=title in WITH_CONSTRUCTOR)
    for name, member in _members(class_).items():
        if name.startswith("_") or not inspect.getdoc(member):
            continue
        if isinstance(member, property):
            yield f"`{title}.{name}`: {(inspect.getdoc(member) or '').partition(chr(10))[0]}\n"
        elif inspect.isfunction(member) or isinstance(member, classmethod):
            yield from _entry(f"{title}.{name}", getattr(class_, name), depth=4)


def _members(class_: type) -> dict[str, Any]:
    """Return the members of a class, first those of its base classes in its package."""
    package = class_.__module__.rpartition(".")[0]
    bases = [base for base in reversed(class_.__mro__) if base.__module__.rpartition(".")[0] == package]
    return {name: member for base in bases for name, member in vars(base).items()}


def _errors() -> Iterator[str]:
    yield "## Errors\n"
    for class_ in [*_subclasses(YottaError), *INTERRUPTIONS]:
        base = next(base for base in class_.__bases__ if issubclass(base, BaseException))
        yield from _entry(f"{class_.__name__}({base.__name__})", class_, with_signature=False)


def _subclasses(class_: type) -> Iterator[type]:
    yield class_
    for subclass in class_.__subclasses__():
        if subclass.__module__ == class_.__module__:
            yield from _subclasses(subclass)


def _entry(title: str, member: Any, depth: int = 3, with_signature: bool = True) -> Iterator[str]:
    heading = f"{title}{_signature(member)}" if with_signature else title
    yield f"{'#' * depth} `{heading}`\n\n```text\n{inspect.getdoc(member)}\n```\n"


def _signature(member: Any) -> str:
    """Return the parameters without annotations and without `self`."""
    signature = inspect.signature(member)
    parameters = [
        parameter.replace(annotation=inspect.Parameter.empty)
        for name, parameter in signature.parameters.items()
        if name != "self"
    ]
    return str(signature.replace(parameters=parameters, return_annotation=inspect.Signature.empty))


if __name__ == "__main__":
    FILE.write_text(reference())
