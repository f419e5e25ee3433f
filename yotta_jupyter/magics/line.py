"""From the text behind ``%yotta`` to words: Python values filled in, then split as a shell would."""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from typing import Any, Final

from IPython.utils.text import DollarFormatter

from ..api import InvalidRequest, Pod

LONGEST: Final = 20_000
"""Characters of a line before values are filled in: IPython's search for a ``$`` takes the square of it."""


def words(line: str, namespace: dict[str, Any]) -> list[str]:
    """Return the words of a line.

    ``$name``, ``$name.attribute`` and ``{expression}`` become the values of the notebook's variables; ``$$`` is a
    dollar sign, and so is a ``$`` between single quotes. A pod becomes its id; a list, a Series or the index of a
    DataFrame becomes several words.

    Parameters
    ----------
    line : str
        What stands behind ``%yotta``; a ``;`` at its end is dropped, and so is a comment: ``#`` and what follows it.
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
    line = line.strip()
    if line.endswith(";"):
        line = line[:-1].rstrip()
    if len(line) > LONGEST:
        raise InvalidRequest(
            f"The line is longer than {LONGEST} characters. Put long text into a variable: --init $text"
        )
    problem = None
    try:
        if set(line) & set("${}"):
            line = _Formatter().vformat(line, args=(), kwargs=namespace)
    except NameError as error:
        problem = f"{error.name} is not defined. Define it, or write '…' around text with a $ of its own"
    except _Empty:
        problem = "A list or DataFrame in the line is empty: there is no pod to act on"
    except Exception as error:  # Whatever a user's expression raises.
        failed = type(error).__name__
        problem = f"A {{…}} or $… in the line cannot be filled in ({failed}); braces themselves are {{{{ and }}}}"
    if problem:
        raise InvalidRequest(f"{problem}.")
    try:
        split = shlex.split(line)
    except ValueError:
        raise InvalidRequest('A quote in the line is not closed. Write "…" around text with spaces.') from None
    return split[: split.index("#")] if "#" in split else split


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


class _Formatter(DollarFormatter):
    """IPython's own expansion, with pods and lists of them as words."""

    def format_field(self, value: Any, format_spec: str) -> str:
        if format_spec:
            return str(super().format_field(value, format_spec))
        if isinstance(value, Pod):
            return value.id
        if hasattr(value, "columns") and hasattr(value, "index"):
            value = value.index
        if isinstance(value, Iterable) and not isinstance(value, (str, bytes, dict)):
            words = [entry.id if isinstance(entry, Pod) else str(entry) for entry in value]
            if not words:
                raise _Empty
            return " ".join(map(shlex.quote, words))
        return str(value)
