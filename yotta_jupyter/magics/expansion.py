"""Splits the text after ``%yotta`` into arguments: expands Python values, then splits as a POSIX shell would.

A value may come from a server, such as the name of a pod. It must not change the meaning of the line: it stays a single
argument, and it cannot become a flag such as ``--yes``.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Mapping
from typing import Any, Final

from IPython.utils.text import DollarFormatter

from ..errors import InvalidRequest
from ..models import Pod
from ..sanitize import single_line

# Such as "$pods[" or "$pod.name(", but not "$$pods[".
_SUBSCRIPT: Final = re.compile(r"(?<!\$)\$(?P<name>[A-Za-z_]\w*)(\.[A-Za-z_]\w*)*[\[(]")
MAX_LINE: Final = 20_000
"""Maximum length in characters before expansion. IPython's search for ``$`` takes time quadratic in the length."""

# Group 1 is the line without its comment: quoted text, escapes, and whitespace that no "#" follows.
_LINE_AND_COMMENT: Final = re.compile(
    r"""((?: '[^']*' | "(?:\\.|[^"\\])*" | \\. | [^'"\\\s] | \s(?!\#) )*) (?: \s\#.* )?""", re.DOTALL | re.VERBOSE
)


def split_line(line: str, namespace: dict[str, Any]) -> list[str]:
    """Split a line into arguments.

    ``$name``, ``$name.attribute`` and ``{expression}`` are replaced by values of the namespace. ``$$`` is a dollar
    sign, and so is a ``$`` between single quotes. A string stays one argument. A pod becomes its id, a list or a Series
    one argument per entry, and a DataFrame one argument per label of its index.

    Parameters
    ----------
    line : str
        The text after ``%yotta``. A comment and a trailing ``;`` are removed. A comment starts with an unquoted ``#``
        after whitespace.
    namespace : dict
        The variables of the notebook.

    Returns
    -------
    list of str

    Raises
    ------
    InvalidRequest
        A variable is not defined, an expression fails, a value would become a flag, a quote is not closed, or the line
        is too long.
    """
    if len(line) > MAX_LINE:
        raise InvalidRequest(
            f"The line is longer than {MAX_LINE} characters. Put long text into a variable: --init $text"
        )
    line = _strip_comment(line)
    if line.endswith(";"):
        line = line[:-1].rstrip()
    expanded = _expand(line, namespace)
    try:
        arguments = shlex.split(expanded)
    except ValueError:
        raise InvalidRequest('A quote in the line is not closed. Write "…" around text with spaces.') from None
    return arguments


def _strip_comment(line: str) -> str:
    # The added space lets a comment start at the beginning of the line.
    match = _LINE_AND_COMMENT.fullmatch(f" {line}")
    return (match[1] if match else line).strip()


def _expand(line: str, namespace: dict[str, Any]) -> str:
    if not any(char in line for char in "${}"):
        return line
    _reject_subscript(line, namespace)
    problem = None
    try:
        line = _Formatter().vformat(line, args=(), kwargs=namespace)
    except NameError as error:
        problem = f"{error.name} is not defined. Define it, or write '…' around text that contains a $"
    except _EmptyValue:
        problem = "A list or DataFrame in the line is empty: there is no pod to act on"
    except _MappingValue:
        problem = "A dict cannot be expanded in the line; write {name['key']} for one of its values"
    except _FlagInjection:
        problem = "An expanded value begins with a -. Write flags in the line itself"
    except Exception as error:  # The user's expression may raise anything.
        reason = f"cannot be expanded ({type(error).__name__})"
        problem = "A {…} or $… in the line " + reason + "; for a literal brace write {{ or }}"
    if problem:  # Raised here, so that the error has no context: the user's exception may contain secrets.
        raise InvalidRequest(f"{problem}.")
    return line


def _reject_subscript(line: str, namespace: dict[str, Any]) -> None:
    """Raise for ``$pods[mask]``: IPython would replace ``$pods`` and keep ``[mask]`` as text."""
    for match in _SUBSCRIPT.finditer(line):
        is_literal = _open_quote(line[: match.start()]) == "'"
        if match["name"] in namespace and not is_literal:
            text = single_line(match[0][1:], 40)
            raise InvalidRequest(f"$ takes a name with attributes only. For an expression write {{{text}…}} instead.")


class _EmptyValue(Exception):
    """An expanded list is empty. A line without it would mean something else."""


class _MappingValue(Exception):
    """An expanded value is a mapping, such as `os.environ`, which may contain secrets."""


class _FlagInjection(Exception):
    """An expanded value would become a flag."""


class _Formatter(DollarFormatter):
    """IPython's expansion of ``$name`` and ``{expression}``, with each value quoted as arguments."""

    def __init__(self) -> None:
        super().__init__()
        self._literals: list[str] = []

    def parse(self, format_string: str) -> Any:
        # `vformat` calls `parse` lazily: when it formats a field, `_literals` is the literal text before that field.
        for part in super().parse(format_string):
            self._literals.append(part[0])
            yield part

    def format_field(self, value: Any, format_spec: str) -> str:
        # `format_spec` is always empty: IPython evaluates {a:b} as one expression, so that slices work.
        if hasattr(value, "columns") and hasattr(value, "index"):  # A DataFrame.
            value = value.index
        if isinstance(value, Mapping):
            raise _MappingValue
        if isinstance(value, Iterable) and not isinstance(value, (str, bytes)):
            texts = [_to_text(entry) for entry in value]
            if not texts:
                raise _EmptyValue
            return " ".join(map(self._quote, texts))
        return self._quote(_to_text(value))

    def _quote(self, text: str) -> str:
        """Quote a text for its position in the line: between quotes of the user, or outside of quotes."""
        before = "".join(self._literals)
        if text.startswith("-") and (not before or before[-1] in " \t\n\"'"):
            raise _FlagInjection
        quote = _open_quote(before)
        if quote == '"':
            return text.replace("\\", "\\\\").replace('"', '\\"')
        if quote == "'":
            return text.replace("'", "'\"'\"'")
        return shlex.quote(text) if text else ""  # As in a shell, an empty variable adds no argument.


def _to_text(value: Any) -> str:
    return value.id if isinstance(value, Pod) else str(value)


def _open_quote(text: str) -> str:
    """Return the quote that is still open at the end of a text, or an empty string."""
    quote = ""
    chars = iter(text)
    for char in chars:
        if char == "\\" and quote != "'":
            next(chars, None)
        elif char in ("'", '"') and quote in ("", char):
            quote = "" if quote else char
    return quote
