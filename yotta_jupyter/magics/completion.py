"""Tab completion after ``%yotta``, from the commands, the catalog and cached pods. Sends no request."""

from __future__ import annotations

import argparse
import os
import re
import shlex
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
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

# An optional assignment such as "pods = ", then %yotta or %%yotta; "rest" is the text after it.
_LINE: Final = re.compile(r"^\s*(?:[\w.,\s\[\]'\"]+=\s*)?%%?yotta(?=\s)(?P<rest>.*)$")
_SAFE_WORD: Final = re.compile(r"[\w.,:/@+=~-]{1,200}")
_WORDS: Final = re.compile(r"""'[^']*'?|"(?:\\.|[^"\\])*"?|\\.?|\s+|[^'"\\\s]+""")
_MAX_WORD: Final = 200
_OPEN_ENDS: Final = ("/", ":")
"""Ends of incomplete words, to which no closing quote is added."""


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
    *previous, fragment = _split(match["rest"].lstrip())
    typed = _unquote(fragment)
    words = [
        word
        for candidate in _candidates(session, previous, typed)
        if candidate.lower().startswith(typed.lower()) and (word := _quote(candidate, fragment))
    ]
    # Without any completion, IPython would offer Python names. The fragment itself changes nothing.
    return {
        "completions": [SimpleCompletion(text=word, type="magic") for word in dict.fromkeys(words or [fragment])],
        "suppress": True,
        "ordered": True,
        "matched_fragment": fragment,
    }


def _split(text: str) -> list[str]:
    """Split a line at whitespace outside of quotes. The last word may be empty or have an open quote."""
    words = [""]
    for word in _WORDS.findall(text):
        if word.isspace():
            words.append("")
        else:
            words[-1] += word
    return words


def _unquote(fragment: str) -> str:
    """Return the text of a word that may lack its closing quote."""
    for end in ("", "'", '"'):
        with suppress(ValueError):
            return "".join(shlex.split(fragment + end)).replace("{{", "{").replace("}}", "}")
    return fragment


def _quote(candidate: str, fragment: str) -> str | None:
    """Return a candidate as one word of the line, or None if a line cannot contain it."""
    if not candidate.isprintable() or not 0 < len(candidate) <= _MAX_WORD or candidate.startswith(("'", '"')):
        return None
    if _SAFE_WORD.fullmatch(candidate) and not fragment.startswith(("'", '"')):
        return candidate
    word = quote_word(candidate) if not _SAFE_WORD.fullmatch(candidate) else f"'{candidate}'"
    return word.removesuffix("'") if candidate.endswith(_OPEN_ENDS) else word


def _candidates(session: Session, previous: Sequence[str], typed: str) -> Iterable[str]:
    if not previous:
        return ["--version"] if typed.startswith("-") else sorted(command.name for command in COMMANDS)
    name, *args = previous
    command = get_command(name)
    if command is None or (command.takes_code and "--" in args):
        return []
    parser = command.parser()
    if typed.startswith("-"):
        return [*sorted(parser.flags()), "-h"]
    flag = parser.get_action(args[-1]) if args else None
    action = flag if flag is not None and flag.nargs != 0 else _next_positional(parser, args)
    if action is None:
        return sorted(parser.flags())
    # A name from a server must not become a flag.
    return [value for value in _values(session, parser, action, typed) if not value.startswith("-")]


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


def _values(session: Session, parser: LineParser, action: argparse.Action, typed: str) -> Iterable[str]:
    if action.choices is not None:
        return [str(choice) for choice in action.choices]
    kind = parser.completion_kinds.get(action.dest)
    if kind == "copy_path":
        return _copy_paths(session, typed)
    return _SOURCES[kind](session) if kind else []


def _pods(session: Session) -> list[str]:
    """Return the unique names, then the ids of pods without a name of their own."""
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
    """Return local paths and pods, or paths in a folder of a pod that was listed."""
    remote_path = split_remote_path(typed)
    if remote_path is None:
        pods = [] if "/" in typed else [f"{pod}:" for pod in _pods(session)]
        return _in_folder(typed, _list_local) + pods
    pod_id = session.remotes.find_known(remote_path.pod)
    if pod_id is None:
        return []
    pod, _, path = typed.partition(":")
    return [
        f"{pod}:{name}" for name in _in_folder(path, lambda folder: session.remote_folders.cached_names(pod_id, folder))
    ]


def _in_folder(typed: str, list_folder: Callable[[str], Iterable[str]]) -> list[str]:
    """Return the paths in the folder of a typed path, those that begin with a dot only if it was typed."""
    folder, slash, start = typed.rpartition("/")
    names = sorted(list_folder(folder + slash or "."))
    return [folder + slash + name for name in names if start.startswith(".") or not name.startswith(".")]


def _list_local(folder: str) -> list[str]:
    try:
        with os.scandir(os.path.expanduser(folder)) as entries:
            return [entry.name + "/" * entry.is_dir() for entry in entries]
    except OSError:
        return []


def _profiles(session: Session) -> list[str]:
    try:
        return profiles.profile_names()
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
    "env": _environment,
    "path": _key_files,
}
