"""Tab completion after ``%yotta``, from the commands, the catalog and cached pods. Sends no request."""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from IPython.core.completer import SimpleCompletion, SimpleMatcherResult

from .. import config
from ..catalog import Catalog
from ..errors import InvalidRequest
from ..models import STATUSES, Pod
from ..spec import ALLOWED_VALUES
from .commands import COMMANDS, get_command
from .parser import CompletionKind, LineParser
from .session import Session

_LINE: Final = re.compile(r"^\s*(?:[\w.,\s\[\]'\"]+=\s*)?%yotta(?=\s)(?P<rest>.*)$")
_UNQUOTED_WORD: Final = re.compile(r"[\w.,:/@+=-]{1,200}")
"""What can be inserted into a line as it is. Names that need quotes are not completed."""


def complete(session: Session, text: str) -> SimpleMatcherResult:
    """Return the completions at the cursor, suppressing those of files and Python names.

    Parameters
    ----------
    session : Session
    text : str
        The cell up to the cursor.

    Returns
    -------
    SimpleMatcherResult
        No completions, and nothing suppressed, if the last line is not a ``%yotta`` line.
    """
    match = _LINE.match(text.rpartition("\n")[2])
    if match is None:
        return {"completions": []}
    *previous, fragment = re.split(r"\s+", match["rest"].lstrip())
    candidates = {
        candidate
        for candidate in _candidates(session, previous, fragment)
        if candidate.lower().startswith(fragment.lower()) and _UNQUOTED_WORD.fullmatch(candidate)
    }
    return {
        "completions": [SimpleCompletion(text=candidate, type="magic") for candidate in sorted(candidates)],
        "suppress": True,
        "matched_fragment": fragment,
    }


def _candidates(session: Session, previous: Sequence[str], fragment: str) -> Iterable[str]:
    if not previous:
        return [command.name for command in COMMANDS]
    name, *args = previous
    command = get_command(name)
    if command is None:
        return []
    parser = command.parser()
    if fragment.startswith("-"):
        return [*parser.flags(), "-h"]
    flag = parser.get_action(args[-1]) if args else None
    action = flag if flag is not None and flag.nargs != 0 else _next_positional(parser, args)
    return parser.flags() if action is None else _values(session, parser, action)


def _next_positional(parser: LineParser, args: Sequence[str]) -> argparse.Action | None:
    """Return the positional argument at the cursor, or None if all of them are complete."""
    consumed = 0
    is_flag_value = False
    for arg in args:
        action = parser.get_action(arg)
        if is_flag_value:
            is_flag_value = False
        elif action is not None:
            is_flag_value = action.nargs != 0
        else:
            consumed += 1
    for index, action in enumerate(parser.positionals()):
        if index >= consumed or action.nargs == "+":
            return action
    return None


def _values(session: Session, parser: LineParser, action: argparse.Action) -> Iterable[str]:
    if action.choices is not None:
        return [str(choice) for choice in action.choices]
    kind = parser.completers.get(action.dest)
    return _SOURCES[kind](session) if kind else []


def _pods(session: Session) -> list[str]:
    cached: Iterable[Pod] = session.cached_client.pods.cached.values() if session.cached_client else ()
    pods = [pod for pod in cached if pod.status != "TERMINATED"]
    return [pod.id for pod in pods] + [pod.name for pod in pods if pod.name]


def _statuses(session: Session) -> list[str]:
    return [status.lower() for status in STATUSES]


def _wait_targets(session: Session) -> list[str]:
    return ["ssh", *_statuses(session)]


def _regions(session: Session) -> list[str]:
    return _catalog(session).regions


def _gpus(session: Session) -> list[str]:
    catalog = _catalog(session)
    return [gpu.id for gpu in catalog.gpus] + catalog.short_gpu_names


def _images(session: Session) -> list[str]:
    catalog = _catalog(session)
    short_names = map(catalog.short_name, catalog.images)
    return [name for name in short_names if name] + catalog.images


def _clouds(session: Session) -> list[str]:
    return list(ALLOWED_VALUES["cloud_type"])


def _profiles(session: Session) -> list[str]:
    try:
        return config.profiles()
    except InvalidRequest:
        return []


def _catalog(session: Session) -> Catalog:
    # Not `session.catalog`, which may replace the client.
    return session.cached_client.catalog if session.cached_client else Catalog()


_SOURCES: Final[dict[CompletionKind, Callable[[Session], list[str]]]] = {
    "pod": _pods,
    "status": _statuses,
    "wait_target": _wait_targets,
    "region": _regions,
    "gpu": _gpus,
    "image": _images,
    "cloud": _clouds,
    "profile": _profiles,
}
