"""Registers ``%yotta`` and its completion in an IPython shell.

``%load_ext`` imports this module, so it imports neither the commands nor other slow modules.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from IPython.core.completer import CompletionContext, SimpleMatcherResult, context_matcher
from IPython.core.magic import (
    Magics,
    line_cell_magic,
    magics_class,
    needs_local_scope,
    no_var_expand,
    output_can_be_silenced,
)
from traitlets import Float, Unicode

from ..overrides import ConfigOverrides, register_overrides, unregister_overrides

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from .session import Session

NAME: Final = "yotta"

_QUESTION: Final = re.compile(rf"\s*%%?{NAME}\s+(?P<command>[a-z]+)\s*\?{{1,2}}\s*")


@magics_class
class YottaMagics(Magics):
    """The ``%yotta`` magic. Configure it with ``%config YottaMagics.profile = "work"``."""

    base_url = Unicode(None, allow_none=True, help="Base URL of the API: https, or http for loopback.").tag(config=True)
    profile = Unicode(None, allow_none=True, help="A profile of ~/.yotta/config.").tag(config=True)
    ssh_key = Unicode(None, allow_none=True, help="Private SSH key file; ~/.yotta/ssh/id_ed25519 by default.").tag(
        config=True
    )
    guard_after = Unicode(
        None, allow_none=True, help="Pause each pod that %yotta create creates after this time, such as 8h."
    ).tag(config=True)
    timeout = Float(None, allow_none=True, help="Timeout of a request in seconds.").tag(config=True)

    shell: InteractiveShell

    def __init__(self, shell: InteractiveShell) -> None:
        super().__init__(shell)
        self._session: Session | None = None
        self.matcher = _create_matcher(self)

    @property
    def session(self) -> Session:
        """What the commands of this shell share, created on first use."""
        if self._session is None:
            from .session import Session

            self._session = Session(self.shell, self.overrides)
        return self._session

    @output_can_be_silenced
    @needs_local_scope
    @no_var_expand
    @line_cell_magic(NAME)  # type: ignore[arg-type]
    def yotta(self, line: str, cell: str | None = None, local_ns: dict[str, Any] | None = None) -> Any:
        """Manage GPU pods and run code on them: ``%yotta -h`` shows the commands."""
        from .dispatch import run_line

        return run_line(self.session, line, {**self.shell.user_ns, **(local_ns or {})}, cell)

    def overrides(self) -> ConfigOverrides:
        """Return the settings of this shell: its ``%config``, and its sandbox's address and key while one runs."""
        settings = ConfigOverrides(
            base_url=self.base_url,
            profile=self.profile,
            timeout=self.timeout,
            ssh_key=self.ssh_key,
            guard_after=self.guard_after or None,
        )
        sandbox = None if self._session is None else self._session.sandbox
        if sandbox is None:
            return settings
        return settings._replace(base_url=sandbox.base_url, profile=None, api_key=sandbox.api_key, source="the sandbox")

    @property
    def has_sandbox(self) -> bool:
        """Whether a sandbox of ``%yotta sandbox start`` runs."""
        return self._session is not None and self._session.sandbox is not None

    def close(self) -> None:
        """Close the connections and stop the sandbox."""
        if self._session is not None:
            self._session.close()


def load(shell: InteractiveShell) -> None:
    """Register the magic and its completion in a shell, in place of an earlier registration.

    Parameters
    ----------
    shell : IPython.core.interactiveshell.InteractiveShell
    """
    unload(shell)
    magics = YottaMagics(shell)
    shell.register_magics(magics)
    if shell.Completer is not None:
        shell.Completer.custom_matchers.append(magics.matcher)
    shell.input_transformers_cleanup.append(show_help_for_question_mark)
    register_overrides(shell, magics.overrides)


def unload(shell: InteractiveShell) -> None:
    """Remove the magic and its completion from a shell, close its connections and stop its sandbox.

    Parameters
    ----------
    shell : IPython.core.interactiveshell.InteractiveShell
    """
    magics = shell.magics_manager.registry.pop(YottaMagics.__name__, None)
    if magics is None:
        return
    unregister_overrides(shell)
    if magics.has_sandbox:
        print("Note: the sandbox was stopped and its pods are gone; %yotta sandbox start starts a new one.")
    magics.close()
    for registered in shell.magics_manager.magics.values():
        if registered.get(NAME) == magics.yotta:
            del registered[NAME]
    configurables: list[Any] = shell.configurables
    if magics in configurables:
        configurables.remove(magics)
    if show_help_for_question_mark in shell.input_transformers_cleanup:
        shell.input_transformers_cleanup.remove(show_help_for_question_mark)
    if shell.Completer is not None and magics.matcher in shell.Completer.custom_matchers:
        shell.Completer.custom_matchers.remove(magics.matcher)


def show_help_for_question_mark(lines: list[str]) -> list[str]:
    """Replace ``%yotta list?`` by ``%yotta list -h``, because IPython would show the help of Python's `list`.

    Parameters
    ----------
    lines : list of str
        The lines of a cell.

    Returns
    -------
    list of str
    """
    match = _QUESTION.fullmatch("".join(lines))
    return [f"%{NAME} {match['command']} -h\n"] if match else lines


def _create_matcher(magics: YottaMagics) -> Any:
    @context_matcher()  # type: ignore[untyped-decorator]
    def yotta_matcher(context: CompletionContext) -> SimpleMatcherResult:
        line = context.text_until_cursor
        if f"%{NAME}" not in line:
            return {"completions": []}
        from .completion import complete

        return complete(magics.session, line)

    return yotta_matcher
