"""What Tab offers behind ``%yotta``. It asks nobody: it knows the commands, the catalog and the last listings."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from IPython.core.completer import SimpleCompletion, SimpleMatcherResult

from .. import settings
from ..api import InvalidRequest
from ..api.models import STATUSES
from ..api.spec import CHOICES
from ..catalog import Catalog
from .command import Command, Completes, LineParser
from .dispatch import COMMANDS, command_named

if TYPE_CHECKING:
    from .session import Session

_LINE: Final = re.compile(r"^\s*(?:[\w.,\s\[\]'\"]+=\s*)?%yotta(?=\s)(?P<rest>.*)$")
# What stands in a line as it is: names that would need quotes are not offered.
_WORD: Final = re.compile(r"[\w.,:/@+=-]{1,200}")


def complete(session: Session, text: str) -> SimpleMatcherResult:
    """Return what fits at the cursor, alone: no files, no Python names.

    Parameters
    ----------
    session : Session
    text : str
        The cell up to the cursor.

    Returns
    -------
    SimpleMatcherResult
        Empty where the line is none of ``%yotta``.
    """
    match = _LINE.match(text.rpartition("\n")[2])
    if match is None:
        return {"completions": []}
    *before, fragment = re.split(r"\s+", match["rest"].lstrip())
    offers = [offer for offer in _offers(session, before, fragment) if _WORD.fullmatch(offer)]
    fitting = sorted({offer for offer in offers if offer.lower().startswith(fragment.lower())})
    return {
        "completions": [SimpleCompletion(text=offer, type="magic") for offer in fitting],
        "suppress": True,
        "matched_fragment": fragment,
    }


def _offers(session: Session, before: list[str], fragment: str) -> Iterable[str]:
    if not before:
        return [command.name for command in COMMANDS]
    command = command_named(before[0])
    if command is None:
        return []
    parser = command.parser()
    if fragment.startswith("-"):
        return [*parser.flags(), "-h"]
    flagged = parser.action_of(before[-1]) if len(before) > 1 else None
    if flagged is not None and flagged.nargs != 0:
        return _values(session, parser, flagged)
    return _positional_values(session, command, parser, before[1:])


def _positional_values(session: Session, command: Command, parser: LineParser, given: list[str]) -> Iterable[str]:
    """Offer values of the first positional argument that is not given yet, or takes several; else flags."""
    taken = 0
    skip = False
    for word in given:
        action = parser.action_of(word)
        if skip or action is not None:
            skip = action is not None and action.nargs != 0 and not skip
        else:
            taken += 1
    for index, action in enumerate(parser.positionals()):
        if index >= taken or action.nargs == "+":
            return _values(session, parser, action)
    return parser.flags()


def _values(session: Session, parser: LineParser, action: argparse.Action) -> Iterable[str]:
    if action.choices is not None:
        return [str(choice) for choice in action.choices]
    kind = parser.completes.get(action.dest)
    return _known(session, kind) if kind else []


def _known(session: Session, kind: Completes) -> list[str]:
    client = session.last_client
    catalog = client.catalog if client else Catalog()
    if kind == "pod":
        pods = client.pods.known.values() if client else ()
        live = [pod for pod in pods if pod.status != "TERMINATED"]
        return [pod.id for pod in live] + [pod.name for pod in live if pod.name]
    if kind == "status":
        return [status.lower() for status in STATUSES]
    if kind == "wait_target":
        return ["ssh", *(status.lower() for status in STATUSES)]
    if kind == "region":
        return catalog.regions
    if kind == "gpu":
        return [gpu.id for gpu in catalog.gpus] + catalog.short_gpu_names
    if kind == "image":
        short_names = [catalog.short_name(image) for image in catalog.images]
        return [name for name in short_names if name] + catalog.images
    if kind == "cloud":
        return list(CHOICES["cloud_type"])
    return _profiles()


def _profiles() -> list[str]:
    try:
        return settings.profiles()
    except InvalidRequest:
        return []
