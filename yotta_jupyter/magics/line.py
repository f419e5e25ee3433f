"""From the text behind ``%yotta`` to words: Python values filled in, then split as a shell would."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Mapping
from typing import Any, Final

from IPython.utils.text import DollarFormatter

from ..api import InvalidRequest, Pod

LONGEST: Final = 20_000
"""Characters of a line before values are filled in: IPython's search for a ``$`` takes the square of it."""


_COMMENTED: Final = re.compile(
    r"""((?: '[^']*' | "(?:\\.|[^"\\])*" | \\. | [^'"\\\s] | \s(?!\#) )*) (?: \s\#.* )?""", re.DOTALL | re.VERBOSE
)


def words(line: str, namespace: dict[str, Any]) -> list[str]:
    """Return the words of a line.

    ``$name``, ``$name.attribute`` and ``{expression}`` become the values of the notebook's variables; ``$$`` is a
    dollar sign, and so is a ``$`` between single quotes. A text becomes one word, or a part of the one that it stands
    in, and never more nor a flag, whoever wrote it; a pod becomes its id; a list, a Series or the index of a DataFrame
    becomes several words.

    Parameters
    ----------
    line : str
        What stands behind ``%yotta``. A comment is dropped: what follows a ``#`` that begins a word and is not quoted.
        So is a ``;`` at the end.
    namespace : dict
        The notebook's variables.

    Returns
    -------
    list of str

    Raises
    ------
    InvalidRequest
        A variable is not defined, an expression fails, a quote is not closed, or the line is too long.
    """
    if len(line) > LONGEST:
        raise InvalidRequest(
            f"The line is longer than {LONGEST} characters. Put long text into a variable: --init $text"
        )
    line = _before_comment(line)
    if line.endswith(";"):
        line = line[:-1].rstrip()
    problem = None
    try:
        if set(line) & set("${}"):
            line = _Formatter().vformat(line, args=(), kwargs=namespace)
    except NameError as error:
        problem = f"{error.name} is not defined. Define it, or write '…' around text with a $ of its own"
    except _Empty:
        problem = "A list or DataFrame in the line is empty: there is no pod to act on"
    except _Mapping:
        problem = "A dict in the line cannot be filled in; write {name['key']} for one of its values"
    except _Flag:
        problem = "A value that is filled in begins with a -. Write flags in the line itself"
    except Exception as error:  # Whatever a user's expression raises.
        failed = type(error).__name__
        problem = f"A {{…}} or $… in the line cannot be filled in ({failed}); braces themselves are {{{{ and }}}}"
    if problem:
        raise InvalidRequest(f"{problem}.")
    try:
        split = shlex.split(line)
    except ValueError:
        raise InvalidRequest('A quote in the line is not closed. Write "…" around text with spaces.') from None
    return split


def _before_comment(line: str) -> str:
    match = _COMMENTED.fullmatch(f" {line}")
    return (match[1] if match else line).strip()


def quoted_word(word: str) -> str:
    """Return a text so that `words` makes it one word again.

    Parameters
    ----------
    word : str

    Returns
    -------
    str
    """
    return shlex.quote(word).replace("{", "{{").replace("}", "}}")


class _Empty(Exception):
    """What was filled in holds nothing, which would leave a line that means something else."""


class _Mapping(Exception):
    """What was filled in has keys and values, such as all of os.environ: neither are meant."""


class _Flag(Exception):
    """What was filled in would be a flag: a server names pods, and must not add --yes to a line."""


class _Formatter(DollarFormatter):
    """IPython's own expansion, with texts as one word, and pods and lists of them as words."""

    def __init__(self) -> None:
        super().__init__()
        self._before: list[str] = []

    def parse(self, format_string: str) -> Any:
        for part in super().parse(format_string):
            self._before.append(part[0])
            yield part

    def format_field(self, value: Any, format_spec: str) -> str:
        if format_spec:
            return str(super().format_field(value, format_spec))
        if hasattr(value, "columns") and hasattr(value, "index"):
            value = value.index
        if isinstance(value, Mapping):
            raise _Mapping
        if isinstance(value, Iterable) and not isinstance(value, (str, bytes)):
            words = [_text(entry) for entry in value]
            if not words:
                raise _Empty
            return " ".join(self._quoted(word) for word in words)
        return self._quoted(_text(value))

    def _quoted(self, word: str) -> str:
        """Quote a word for the place in the line at which it stands."""
        before = "".join(self._before)
        if word.startswith("-") and (not before or before[-1] in " \t\n\"'"):
            raise _Flag
        quote = _open_quote(before)
        if quote == '"':
            return word.replace("\\", "\\\\").replace('"', '\\"')
        if quote == "'":
            return word.replace("'", "'\"'\"'")
        return shlex.quote(word) if word else ""


def _text(value: Any) -> str:
    return value.id if isinstance(value, Pod) else str(value)


def _open_quote(text: str) -> str:
    """Return the quote that is open at the end of a text, or an empty string."""
    quote = ""
    signs = iter(text)
    for sign in signs:
        if sign == "\\" and quote != "'":
            next(signs, None)
        elif sign in ("'", '"') and quote in ("", sign):
            quote = "" if quote else sign
    return quote
