"""Commands of ``%yotta`` and the parser of their arguments."""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any, Final, Literal, NoReturn

import msgspec

from ..errors import InvalidRequest
from ..sanitize import single_line
from ..spelling import did_you_mean, is_one_edit_apart

if TYPE_CHECKING:
    from .session import Session

CompletionKind = Literal[
    "pod",
    "status",
    "region",
    "gpu",
    "image",
    "wait_target",
    "cloud",
    "profile",
    "env",
    "key_file",
    "copy_path",
    "variable",
]

POD_HELP: Final = "an id, the beginning of one, or a name"

_LISTING_COMMANDS: Final[dict[CompletionKind, str]] = {
    "pod": "%yotta list",
    "gpu": "%yotta gpus",
    "image": "%yotta images",
}
"""The commands that list the possible values of an argument."""


class HelpRequested(Exception):
    """The help was printed, so no command is run."""


class LineParser(argparse.ArgumentParser):
    """An `argparse` parser that, instead of exiting, raises an error of one line with a suggestion.

    Parameters
    ----------
    prog : str
        The program in messages, such as ``%yotta list``.
    description : str
    argument_error : str, default ""
        Shown instead of the parser's errors, which may contain a typed secret. If empty, its errors are shown.

    Attributes
    ----------
    completion_kinds : dict of str to str
        What Tab completes for each argument, by its ``dest``.
    """

    def __init__(self, prog: str, description: str, argument_error: str = "") -> None:
        super().__init__(prog=prog, description=description, allow_abbrev=False)
        self._argument_error = argument_error
        self.completion_kinds: dict[str, CompletionKind] = {}
        self._words: Sequence[str] = ()

    def add_argument(
        self, *name_or_flags: str, completes: CompletionKind | None = None, **kwargs: Any
    ) -> argparse.Action:
        """Add an argument.

        Parameters
        ----------
        *name_or_flags : str
            The flag, or the name of a positional argument.
        completes : str, optional
            The kind of value that Tab completes.
        **kwargs
            As for `argparse.ArgumentParser.add_argument`.

        Returns
        -------
        argparse.Action
        """
        action = super().add_argument(*name_or_flags, **kwargs)
        if completes is not None:
            self.completion_kinds[action.dest] = completes
        return action

    def flags(self) -> list[str]:
        """Return all long flags that the help shows."""
        flags = self._option_string_actions.items()
        return [flag for flag, action in flags if flag.startswith("--") and action.help != argparse.SUPPRESS]

    def get_action(self, flag: str) -> argparse.Action | None:
        """Return the action of a flag, or None."""
        return self._option_string_actions.get(flag)

    def positionals(self) -> list[argparse.Action]:
        """Return the actions of the positional arguments, in order."""
        return list(self._get_positional_actions())

    def parse_words(self, args: Sequence[str]) -> argparse.Namespace:
        """Parse the arguments of a command.

        Parameters
        ----------
        args : sequence of str

        Returns
        -------
        argparse.Namespace

        Raises
        ------
        InvalidRequest
            An argument is missing or invalid. The message suggests the closest flag or value.
        HelpRequested
            ``-h`` is among the arguments.
        """
        try:
            return self._parse(args)
        except InvalidRequest:
            if not self._argument_error:
                raise
        raise InvalidRequest(self._argument_error)

    def _parse(self, args: Sequence[str]) -> argparse.Namespace:
        self._reject_unknown_flags(args)
        self._words = args
        arguments, extra = self.parse_known_args(args)
        if extra:
            raise InvalidRequest(f"{self.prog} does not take {single_line(extra[0], 40)!r}. See {self.prog} -h")
        return arguments

    def _reject_unknown_flags(self, args: Sequence[str]) -> None:
        # argparse would report a required flag that is mistyped as missing.
        for arg in args:
            flag = arg.partition("=")[0]
            if arg.startswith("--") and len(arg) > 2 and flag not in self._option_string_actions:
                hint = did_you_mean(flag, self._flags_to_suggest(flag))
                raise InvalidRequest(f"{self.prog} has no flag {single_line(flag, 40)}.{hint} See {self.prog} -h")

    def _flags_to_suggest(self, mistyped: str) -> list[str]:
        flags = self.flags()
        # --yes skips a confirmation, so it needs a closer match than other flags.
        if "--yes" in flags and not is_one_edit_apart(mistyped, "--yes"):
            flags.remove("--yes")
        return flags

    def error(self, message: str) -> NoReturn:
        commands = [f"{self.prog} -h"]
        hint = ""
        if "are required" in message:
            commands = [*self._listing_commands(message), *commands]
            hint = self._similar_flag_hint(message)
        raise InvalidRequest(f"{self.prog}: {single_line(message)}.{hint} See {', '.join(commands)}")

    def _similar_flag_hint(self, message: str) -> str:
        """Return what a given flag is whose name is almost that of a missing one, such as ``--gpus`` for ``--gpu``."""
        for word in self._words:
            flag = word.partition("=")[0]
            action = self.get_action(flag)
            if action is not None and any(is_one_edit_apart(flag, name) for name in _missing_names(message)):
                return f" {flag} is the {(action.help or '').partition(':')[0]}."
        return ""

    def _listing_commands(self, message: str) -> list[str]:
        """Return the commands that list values of the missing arguments."""
        missing = _missing_names(message)
        missing_actions = [action for action in self._actions if missing & {*action.option_strings, action.metavar}]
        kinds = {self.completion_kinds.get(action.dest) for action in missing_actions}
        return [command for kind, command in _LISTING_COMMANDS.items() if kind in kinds]

    def exit(self, status: int = 0, message: str | None = None) -> NoReturn:
        # argparse calls this only after it has printed the help, because `error` is overridden.
        raise HelpRequested

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        if action.choices is None or value in action.choices:
            return
        choices = [str(choice) for choice in action.choices]
        hint = did_you_mean(str(value), choices)
        positional_name = action.metavar or action.dest
        name = action.option_strings[-1] if action.option_strings else positional_name
        raise InvalidRequest(
            f"{self.prog}: {name} is one of {', '.join(choices)}, not {single_line(value, 40)!r}.{hint}"
        )


def _missing_names(message: str) -> set[str]:
    """Return the names in a message of argparse such as ``the following arguments are required: POD, --gpu``."""
    return set(re.findall(r"[\w-]+", message.rpartition(":")[2]))


def no_arguments(parser: LineParser) -> None:
    """Add no arguments."""


class Command(msgspec.Struct, frozen=True):
    """A command of ``%yotta``.

    Attributes
    ----------
    name : str
    summary : str
        One line for the list of commands.
    run : callable
        Takes the session and the parsed arguments; returns the result of the cell.
    add_arguments : callable
        Adds the arguments to a `LineParser`.
    aliases : tuple of str
    takes_code : bool
        Whether the command requires code: the lines below ``%%yotta NAME``, or the rest of the line after ``--``. The
        parsed arguments then have three more attributes: ``code``, unchanged; ``is_cell``, whether it was written as a
        cell; ``namespace``, the variables of the notebook.
    flags_without_code : tuple of str
        Flags with which the command needs no code; ``code`` is None then.
    argument_error : str
        As for `LineParser`.
    only_reads : bool
        Whether the command sends no request that changes anything.
    """

    name: str
    summary: str
    run: Callable[[Session, argparse.Namespace], Any]
    add_arguments: Callable[[LineParser], None] = no_arguments
    aliases: tuple[str, ...] = ()
    takes_code: bool = False
    flags_without_code: tuple[str, ...] = ()
    argument_error: str = ""
    only_reads: bool = False

    @cache  # noqa: B019  # The commands live as long as the process.
    def parser(self) -> LineParser:
        """Return the parser of the command's arguments, built once because that is slow."""
        parser = LineParser(f"%yotta {self.name}", self.summary, self.argument_error)
        self.add_arguments(parser)
        return parser
