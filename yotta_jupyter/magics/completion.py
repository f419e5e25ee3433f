"""Tab completion after ``%yotta``, from the commands, the catalog and cached pods. Sends no request."""

from __future__ import annotations

import argparse
import os
import re
import shlex
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Final

from IPython.core.completer import SimpleCompletion, SimpleMatcherResult

from .. import profiles
from ..catalog import Catalog
from ..create_command import quote_word
from ..errors import InvalidRequest
from ..keys import DEFAULT_KEY
from ..spec import ALLOWED_VALUES
from ..statuses import STATUSES
from .commands import COMMANDS, get_command
from .parser import CompletionKind, LineParser
from .remote_paths import split_remote_path
from .session import Session

# An optional assignment such as "pods = ", then %yotta or %%yotta; "rest" is the text after the magic.
_LINE: Final = re.compile(r"^\s*(?:[\w.,\s\[\]'\"]+=\s*)?%%?yotta(?=\s)(?P<rest>.*)$")
# Quoted text whose closing quote may be missing, an escaped character, whitespace, or other text.
_PIECE: Final = re.compile(r"""'[^']*'?|"(?:\\.|[^"\\])*"?|\\.?|\s+|[^'"\\\s]+""")
_SAFE_WORD: Final = re.compile(r"[\w.,:/@+=~-]+")
"""A word that needs no quotes."""

_MAX_LENGTH: Final = 200
"""Characters of a completion. Longer values are not offered."""

_QUOTES: Final = ("'", '"')

_OPEN_ENDS: Final = ("/", ":")
"""The user continues a word with such an end, so it gets no closing quote."""


def complete(session: Session, text: str) -> SimpleMatcherResult:
    """Return the completions at the cursor. IPython then offers no files and no Python names.

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
    *previous, fragment = _split(match["rest"].lstrip())
    typed = _unquote(fragment)
    values = [value for value in _possible_values(session, previous, typed) if value.lower().startswith(typed.lower())]
    words = [word for value in values if (word := _quote(value, fragment)) is not None]
    if not words:
        words = [fragment]  # For an empty list IPython would complete Python names.
    return {
        "completions": [SimpleCompletion(text=word, type="magic") for word in dict.fromkeys(words)],
        "suppress": True,
        "ordered": True,
        "matched_fragment": fragment,
    }


def _split(text: str) -> list[str]:
    """Split a line at whitespace outside of quotes. The last word may be empty or have an open quote."""
    words = [""]
    for piece in _PIECE.findall(text):
        if piece.isspace():
            words.append("")
        else:
            words[-1] += piece
    return words


def _unquote(fragment: str) -> str:
    """Return the text of a word that may lack its closing quote."""
    for closing_quote in ("", *_QUOTES):
        with suppress(ValueError):
            text = "".join(shlex.split(fragment + closing_quote))
            return text.replace("{{", "{").replace("}}", "}")  # A line doubles literal braces.
    return fragment


def _quote(value: str, fragment: str) -> str | None:
    """Return a value as one word of the line, or None for a value that is not offered."""
    if not value.isprintable() or not 0 < len(value) <= _MAX_LENGTH or value.startswith(_QUOTES):
        return None
    is_safe = _SAFE_WORD.fullmatch(value) is not None
    if is_safe and not fragment.startswith(_QUOTES):
        return value
    quoted = f"'{value}'" if is_safe else quote_word(value)
    return quoted.removesuffix("'") if value.endswith(_OPEN_ENDS) else quoted


def _possible_values(session: Session, previous: Sequence[str], typed: str) -> Iterable[str]:
    """Return the values that are possible at the cursor, also those that do not begin with the typed text."""
    if not previous:
        return ["--version"] if typed.startswith("-") else sorted(command.name for command in COMMANDS)
    name, *args = previous
    command = get_command(name)
    if command is None or (command.takes_code and "--" in args):
        return []
    parser = command.parser()
    if typed.startswith("-"):
        return [*sorted(parser.flags()), "-h"]
    action = _action_at_cursor(parser, args)
    if action is None:
        return sorted(parser.flags())
    # A name from a server must not become a flag.
    return [value for value in _argument_values(session, parser, action, typed) if not value.startswith("-")]


def _action_at_cursor(parser: LineParser, args: Sequence[str]) -> argparse.Action | None:
    """Return the flag or positional argument whose value follows, or None if only flags can follow."""
    flag = parser.get_action(args[-1]) if args else None
    if flag is not None and _takes_value(flag):
        return flag
    typed_count = _count_positionals(parser, args)
    for index, action in enumerate(parser.positionals()):
        is_repeatable = action.nargs == "+"
        if index >= typed_count or is_repeatable:
            return action
    return None


def _count_positionals(parser: LineParser, args: Sequence[str]) -> int:
    count = 0
    rest = iter(args)
    for arg in rest:
        action = parser.get_action(arg)
        if action is None:
            count += 1
        elif _takes_value(action):
            next(rest, None)  # Skip the value.
    return count


def _takes_value(flag: argparse.Action) -> bool:
    return flag.nargs != 0  # It is 0 for flags such as --wait.


def _argument_values(session: Session, parser: LineParser, action: argparse.Action, typed: str) -> Iterable[str]:
    if action.choices is not None:
        return [str(choice) for choice in action.choices]
    kind = parser.completion_kinds.get(action.dest)
    if kind == "copy_path":
        return _copy_paths(session, typed)
    return _SOURCES[kind](session) if kind else []


def _pods(session: Session) -> list[str]:
    """Return the unique names, then the ids of the other pods."""
    pods = [pod for pod in session.known_pods if pod.status != "TERMINATED"]
    counts = Counter(pod.name for pod in pods)
    named = {pod.name for pod in pods if pod.name and pod.name.isprintable() and counts[pod.name] == 1}
    return [*sorted(named), *sorted(pod.id for pod in pods if pod.name not in named)]


def _statuses(session: Session) -> list[str]:
    return [status.lower() for status in STATUSES]


def _wait_targets(session: Session) -> list[str]:
    return ["ssh", *_statuses(session)]


def _regions(session: Session) -> list[str]:
    return _catalog(session).regions


def _gpus(session: Session) -> list[str]:
    catalog = _catalog(session)
    return catalog.short_gpu_names + sorted(gpu.id for gpu in catalog.gpus)


def _images(session: Session) -> list[str]:
    catalog = _catalog(session)
    short_names = map(catalog.short_name, catalog.images)
    return [name for name in short_names if name] + catalog.images


def _clouds(session: Session) -> list[str]:
    return list(ALLOWED_VALUES["cloud_type"])


def _environment(session: Session) -> list[str]:
    return sorted(name for name in os.environ if name.isidentifier() and name.isascii())


def _variables(session: Session) -> list[str]:
    """Return the variables that the cells of this notebook have assigned."""
    shell = session.shell
    return sorted(name for name in shell.user_ns if not name.startswith("_") and name not in shell.user_ns_hidden)


def _key_files(session: Session) -> list[str]:
    """Return the files of private keys in the usual folders."""
    folders = (Path(DEFAULT_KEY).parent, Path("~/.ssh"))
    files = (path for folder in folders for path in _list_folder(folder))
    return [path for path in files if Path(f"{path}.pub").expanduser().exists()]


def _list_folder(folder: Path) -> list[str]:
    try:
        return sorted(str(folder / path.name) for path in folder.expanduser().iterdir())
    except (OSError, RuntimeError):
        return []


def _copy_paths(session: Session, typed: str) -> list[str]:
    """Return local paths and pods; after ``POD:`` the paths in a folder of the pod, if the folder was listed before."""
    remote_path = split_remote_path(typed)
    if remote_path is None:
        pods = [] if "/" in typed else [f"{pod}:" for pod in _pods(session)]
        return _paths_in_folder(typed, _list_local) + pods
    pod_id = session.connector.find_known_id(remote_path.pod)
    if pod_id is None:
        return []
    pod, _, typed_path = typed.partition(":")  # `remote_path` has a dot for an empty path.
    paths = _paths_in_folder(typed_path, partial(session.remote_folders.cached_names, pod_id))
    return [f"{pod}:{path}" for path in paths]


def _paths_in_folder(typed: str, list_folder: Callable[[str], Iterable[str]]) -> list[str]:
    """Return the paths in the folder of a typed path. Hidden files are left out unless a dot was typed."""
    parent, slash, name_start = typed.rpartition("/")
    folder = parent + slash
    names = sorted(list_folder(folder or "."))
    if not name_start.startswith("."):
        names = [name for name in names if not name.startswith(".")]
    return [folder + name for name in names]


def _list_local(folder: str) -> list[str]:
    try:
        with os.scandir(os.path.expanduser(folder)) as entries:
            return [f"{entry.name}/" if entry.is_dir() else entry.name for entry in entries]
    except OSError:
        return []


def _profiles(session: Session) -> list[str]:
    try:
        return profiles.profile_names()
    except InvalidRequest:
        return []


def _catalog(session: Session) -> Catalog:
    # `session.catalog` would read the configuration at each Tab.
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
    "env": _environment,
    "variable": _variables,
    "key_file": _key_files,
}
