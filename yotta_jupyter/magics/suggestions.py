"""What to do instead of a command that does not exist. A suggestion is text; nothing of it is run."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from ..spelling import closest_matches, is_one_edit_apart

CHANGING_COMMANDS: Final = frozenset({"create", "pause", "resume", "delete"})
"""Commands that cost money or destroy something. A spelling must be one letter away to suggest them."""

_SYNONYMS: Final = {
    **dict.fromkeys(("stop", "suspend", "halt"), "pause"),
    **dict.fromkeys(("start", "unpause", "continue"), "resume"),
    **dict.fromkeys(("rm", "remove", "kill", "terminate", "destroy"), "delete"),
    **dict.fromkeys(("launch", "new", "up"), "create"),
    **dict.fromkeys(("ps", "pods"), "list"),
    **dict.fromkeys(("show", "describe", "inspect", "info"), "get"),
    **dict.fromkeys(("types", "availability", "instances"), "gpus"),
    **dict.fromkeys(("whoami", "account"), "status"),
    **dict.fromkeys(("ui", "gui", "dashboard"), "panel"),
}
"""Names of the same commands in other tools."""

_SHELL: Final = "A shell on a pod opens with the command that this shows: %yotta ssh POD"
_RUN: Final = "This version runs no code on a pod; open a shell with the command that this shows: %yotta ssh POD"
_COPY: Final = "Copy files with scp: write the block of %yotta ssh POD --config into ~/.ssh/config, then: scp FILE POD:"
_TUNNEL: Final = "For a tunnel, add -L 8888:localhost:8888 to the command that this shows: %yotta ssh POD"
_BROWSER: Final = "%yotta get POD shows the addresses of a pod's ports; %yotta panel shows its Jupyter password."
_IDLE: Final = "Nothing pauses an idle pod by itself. See what costs money now with: %yotta cost"
_SPENT: Final = "What each pod costs an hour shows %yotta cost; what you have spent, the provider's console."
_LOGS: Final = "The API has no logs; the provider's console shows them. A pod's status shows: %yotta get POD"
_USE: Final = "The API has no figures of GPU use; run nvidia-smi in a shell: %yotta ssh POD"
_RESTART: Final = "There is no restart. A pause and a resume start a pod anew, and may erase its files."

ADVICE: Final = {
    **dict.fromkeys(("run", "exec", "execute", "python", "sh", "bash", "cmd", "attach", "job", "submit"), _RUN),
    **dict.fromkeys(("terminal", "shell", "console", "connect", "enter", "tty"), _SHELL),
    **dict.fromkeys(("cp", "scp", "sftp", "copy", "rsync", "sync", "upload", "download", "push", "pull", "mv"), _COPY),
    **dict.fromkeys(("tunnel", "forward", "proxy", "port-forward"), _TUNNEL),
    **dict.fromkeys(("open", "jupyter", "lab", "notebook", "browser", "url", "ports"), _BROWSER),
    **dict.fromkeys(("idle", "autostop", "autopause", "guard", "schedule", "timer", "timeout", "limit"), _IDLE),
    **dict.fromkeys(("spend", "spent", "budget", "bill", "billing", "balance", "usage", "price", "prices"), _SPENT),
    **dict.fromkeys(("log", "logs", "events", "tail"), _LOGS),
    **dict.fromkeys(("metrics", "top", "nvidia-smi", "monitor", "stats", "gpu-use"), _USE),
    **dict.fromkeys(("restart", "reboot", "reset"), _RESTART),
    **dict.fromkeys(
        ("logout", "signout"), "Remove the profile from ~/.yotta/config; %yotta status shows the key in use."
    ),
    **dict.fromkeys(
        ("down", "shutdown", "off"), "A pause stops the cost of the GPUs, but may erase files: %yotta pause -h"
    ),
    "version": "The version shows: %yotta --version",
}
"""What fits a word that people try, or what to do instead."""


def suggest_command(name: str, commands: Iterable[str]) -> str:
    """Return what to write instead of a command that does not exist.

    Parameters
    ----------
    name : str
    commands : iterable of str
        The names of all commands.

    Returns
    -------
    str
        A sentence, or an empty string. It names a command of `CHANGING_COMMANDS` only for a word that means the same
        in other tools, or that differs from it by one letter.
    """
    word = name.lower()
    if word in ADVICE:
        return ADVICE[word]
    if word in _SYNONYMS:
        return f"Did you mean {_SYNONYMS[word]}?"
    commands = list(commands)
    changing = next((command for command in CHANGING_COMMANDS if is_one_edit_apart(word, command)), None)
    harmless = [command for command in commands if command not in CHANGING_COMMANDS]
    closest = changing or next(iter(closest_matches(word, harmless, count=1, cutoff=0.6)), None)
    return f"Did you mean {closest}?" if closest else ""
