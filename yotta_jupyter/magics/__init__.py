"""``%yotta`` in IPython. What a command needs is imported when the first one runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from IPython.core.magic import (
    Magics,
    line_magic,
    magics_class,
    needs_local_scope,
    no_var_expand,
    output_can_be_silenced,
)
from traitlets import Float, Unicode

from .. import configured
from ..configured import Configured

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from .session import Session

NAME: Final = "yotta"


@magics_class
class YottaMagics(Magics):
    """The ``%yotta`` line magic. Its settings are set with ``%config YottaMagics.profile = "work"``."""

    base_url = Unicode(None, allow_none=True, help="The address of the API; https, or http for loopback.").tag(
        config=True
    )
    profile = Unicode(None, allow_none=True, help="A profile of ~/.yotta/config.").tag(config=True)
    timeout = Float(None, allow_none=True, help="Seconds for a read; 60 where it is not set.").tag(config=True)

    shell: InteractiveShell

    def __init__(self, shell: InteractiveShell) -> None:
        super().__init__(shell)
        self._session: Session | None = None

    @property
    def session(self) -> Session:
        """What this notebook is connected to."""
        if self._session is None:
            from .session import Session

            self._session = Session(self.shell)
        return self._session

    @output_can_be_silenced
    @needs_local_scope
    @no_var_expand
    @line_magic(NAME)  # type: ignore[arg-type]
    def yotta(self, line: str, local_ns: dict[str, Any] | None = None) -> Any:
        """List, create, pause, resume and delete GPU pods: ``%yotta -h`` shows the commands."""
        from .dispatch import run

        return run(self.session, line, {**self.shell.user_ns, **(local_ns or {})})

    def configured(self) -> Configured:
        """Return what this notebook says of the connection: its sandbox, else its ``%config``."""
        if self._session is not None and self._session.sandbox is not None:
            sandbox = self._session.sandbox
            return Configured(sandbox.base_url, None, self.timeout, sandbox.api_key, "the sandbox")
        return Configured(self.base_url, self.profile, self.timeout)

    def close(self) -> None:
        """Close what the session holds open."""
        if self._session is not None:
            self._session.close()


_loaded: dict[int, tuple[YottaMagics, Any]] = {}


def load(shell: InteractiveShell) -> None:
    """Register the magic and its completion in a shell, in the place of an earlier one.

    Parameters
    ----------
    shell : IPython.core.interactiveshell.InteractiveShell
    """
    unload(shell)
    magics = YottaMagics(shell)
    shell.register_magics(magics)
    matcher = _matcher(magics)
    if shell.Completer is not None:
        shell.Completer.custom_matchers.append(matcher)
    configured.by(magics.configured)
    _loaded[id(shell)] = magics, matcher


def unload(shell: InteractiveShell) -> None:
    """Take the magic and its completion out of a shell, and close what it held open.

    Parameters
    ----------
    shell : IPython.core.interactiveshell.InteractiveShell
    """
    magics, matcher = _loaded.pop(id(shell), (None, None))
    if magics is None:
        return
    configured.by(None)
    magics.close()
    if shell.magics_manager.magics["line"].get(NAME) == magics.yotta:
        del shell.magics_manager.magics["line"][NAME]
    shell.magics_manager.registry.pop(type(magics).__name__, None)
    configurables: list[Any] = shell.configurables
    if magics in configurables:
        configurables.remove(magics)
    if shell.Completer is not None and matcher in shell.Completer.custom_matchers:
        shell.Completer.custom_matchers.remove(matcher)


def _matcher(magics: YottaMagics) -> Any:
    from IPython.core.completer import CompletionContext, SimpleMatcherResult, context_matcher

    @context_matcher()  # type: ignore[untyped-decorator]
    def yotta_matcher(context: CompletionContext) -> SimpleMatcherResult:
        line = context.text_until_cursor
        if f"%{NAME}" not in line:
            return {"completions": []}
        from .completion import complete

        return complete(magics.session, line)

    return yotta_matcher
