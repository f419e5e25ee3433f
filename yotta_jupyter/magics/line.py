"""From the text behind ``%yotta`` to words: Python values filled in, then split as a shell would."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable
from typing import Any, Final

from IPython.utils.text import DollarFormatter

from ..api import InvalidRequest, Pod

_DOLLAR: Final = re.compile(r"(?<!\$)\$(?:\$\$)*([A-Za-z_]\w*)")


def words(line: str, namespace: dict[str, Any]) -> list[str]:
    """Return the words of a line.

    ``$name``, ``$name.attribute`` and ``{expression}`` become the values of the notebook's variables; ``$$`` is a
    dollar sign. A pod becomes its id; a list, a Series or the index of a DataFrame becomes several words.

    Parameters
    ----------
    line : str
        What stands behind ``%yotta``; a ``;`` at its end is dropped.
    namespace : dict
        The notebook's variables.

    Returns
    -------
    list of str

    Raises
    ------
    InvalidRequest
        A variable is not defined, an expression fails, or a quote is not closed.
    """
    line = line.strip()
    if line.endswith(";"):
        line = line[:-1].rstrip()
    for match in _DOLLAR.finditer(line):
        if match[1] not in namespace:
            raise InvalidRequest(
                f"${match[1]} is not defined. Define {match[1]}, or write $${match[1]} for the text itself."
            )
    problem = None
    try:
        line = _Formatter().vformat(line, args=(), kwargs=namespace)
    except Exception as error:  # Whatever a user's expression raises.
        problem = type(error).__name__
    if problem:
        raise InvalidRequest(
            f"A {{…}} or $… in the line cannot be filled in ({problem}). Write {{{{ and }}}} for braces themselves."
        )
    try:
        return shlex.split(line)
    except ValueError:
        raise InvalidRequest('A quote in the line is not closed. Write "…" around text with spaces.') from None


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
            return " ".join(shlex.quote(entry.id if isinstance(entry, Pod) else str(entry)) for entry in value)
        return str(value)
