"""What a command of ``%yotta`` is made of, and the parser of its arguments."""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final, Literal, NoReturn

import msgspec

from ..api import InvalidRequest
from ..api.text import did_you_mean, printable

if TYPE_CHECKING:
    from .session import Session

_WHERE: Final = {"pod": "%yotta list", "gpu": "%yotta gpus", "image": "%yotta images"}
Completes = Literal["pod", "status", "region", "gpu", "image", "wait_target", "cloud", "profile"]


class HelpShown(Exception):
    """The help was printed; there is nothing to run."""


class LineParser(argparse.ArgumentParser):
    """An `argparse` parser that raises one line instead of leaving the interpreter, and suggests what was meant."""

    def __init__(self, prog: str, description: str) -> None:
        super().__init__(prog=prog, description=description, allow_abbrev=False)
        self.completes: dict[str, Completes] = {}

    def add(self, *names: str, completes: Completes | None = None, **options: Any) -> None:
        """Add an argument, and say what Tab offers for its value.

        Parameters
        ----------
        *names : str
            The flag, or the name of a positional argument.
        completes : str, optional
            The kind of value.
        **options
            As for `argparse.ArgumentParser.add_argument`.
        """
        action = self.add_argument(*names, **options)
        if completes:
            self.completes[action.dest] = completes

    def flags(self) -> list[str]:
        """Return all long flags."""
        return [flag for flag in self._option_string_actions if flag.startswith("--")]

    def action_of(self, flag: str) -> argparse.Action | None:
        """Return the action of a flag, or None."""
        return self._option_string_actions.get(flag)

    def positionals(self) -> list[argparse.Action]:
        """Return the actions of the positional arguments, in order."""
        return list(self._get_positional_actions())

    def parse_line(self, words: Sequence[str]) -> argparse.Namespace:
        """Return the arguments that the words of a line give.

        Parameters
        ----------
        words : sequence of str

        Returns
        -------
        argparse.Namespace

        Raises
        ------
        InvalidRequest
            What is wrong with them, and the nearest right flag or value.
        HelpShown
            ``-h`` was among them.
        """
        # argparse would first complain of what is missing: a mistyped flag must be named before that.
        for word in words:
            flag = word.partition("=")[0]
            if word.startswith("--") and len(word) > 2 and flag not in self._option_string_actions:
                hint = did_you_mean(flag, self.flags())
                raise InvalidRequest(f"{self.prog} has no flag {printable(flag, 40)}.{hint} See {self.prog} -h")
        arguments, left = self.parse_known_args(words)
        if left:
            raise InvalidRequest(f"{self.prog} does not take {printable(left[0], 40)!r}. See {self.prog} -h")
        return arguments

    def error(self, message: str) -> NoReturn:
        where = [known for kind, known in _WHERE.items() if "are required" in message and self._is_named(kind, message)]
        raise InvalidRequest(f"{self.prog}: {printable(message)}. See {', '.join([*where, f'{self.prog} -h'])}")

    def _is_named(self, kind: str, message: str) -> bool:
        """Return whether argparse's complaint of what is missing names an argument of this kind."""
        named = re.findall(r"[\w-]+", message.rpartition(":")[2])
        return any(
            self.completes.get(action.dest) == kind and {*action.option_strings, action.metavar} & set(named)
            for action in self._actions
        )

    def exit(self, status: int = 0, message: str | None = None) -> NoReturn:
        raise HelpShown

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        if action.choices is not None and value not in action.choices:
            choices = [str(choice) for choice in action.choices]
            hint = did_you_mean(str(value), choices)
            name = action.option_strings[-1] if action.option_strings else action.metavar or action.dest
            raise InvalidRequest(
                f"{self.prog}: {name} is one of {', '.join(choices)}, not {printable(value, 40)!r}.{hint}"
            )


class Command(msgspec.Struct, frozen=True):
    """A subcommand of ``%yotta``.

    Attributes
    ----------
    name : str
    summary : str
        One line, for the list of commands.
    arguments : callable
        Adds the arguments to a `LineParser`.
    run : callable
        Takes the session and the parsed arguments, and returns what the cell shows.
    aliases : tuple of str
    """

    name: str
    summary: str
    arguments: Callable[[LineParser], None]
    run: Callable[[Session, argparse.Namespace], Any]
    aliases: tuple[str, ...] = ()

    def parser(self) -> LineParser:
        """Return the parser of this command's arguments."""
        parser = LineParser(f"%yotta {self.name}", self.summary)
        self.arguments(parser)
        return parser
