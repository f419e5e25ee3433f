"""Suggestions for a command that does not exist. They are text, and are never run."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from ..spelling import closest_matches, is_one_edit_apart

RISKY_COMMANDS: Final = frozenset({"create", "pause", "resume", "delete"})
"""Commands that change costs, or destroy something. A misspelling suggests them only if it is one letter away."""

_SEE_HELP: Final = "See %yotta -h"

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
"""What other tools call a command."""

_ADVICE_BY_WORDS: Final = (
    ("exec execute python ipython job submit code cell",
     "%%yotta run POD runs the code below it on the pod. %yotta sh POD -- COMMAND runs a shell command."),
    ("bash cmd terminal shell console connect enter tty",
     "%yotta sh POD -- COMMAND runs a shell command. For a terminal, use the command that %yotta ssh POD shows."),
    ("scp sftp copy rsync sync upload download mv put",
     "%yotta cp SRC DST copies files and folders; one of the two is POD:PATH."),
    ("push pull",
     "%%yotta run POD --push NAME --pull NAME moves variables, and %yotta cp SRC DST files."),
    ("tunnel forward proxy port-forward url ports",
     "%yotta open POD --port N leads to a port of the pod."),
    ("jupyter lab notebook browser",
     "%yotta open POD leads to the pod's JupyterLab."),
    ("idle autostop autopause schedule timer timeout limit budget watch",
     "A guard pauses a pod after a time, at a cost or when idle: %yotta guard POD --after 8h --idle 30m"),
    ("spend spent bill billing balance usage price prices",
     "%yotta cost shows what each pod costs an hour, %yotta cost --since 7d what it has cost, an estimate."),
    ("log logs events tail",
     "The API has no logs. The provider's console shows them. %yotta get POD shows a pod's status."),
    ("metrics top nvidia-smi monitor stats gpu-use",
     "The API does not report GPU usage; ask the pod: %yotta sh POD -- nvidia-smi"),
    ("reboot reset",
     "%yotta restart starts a new kernel on a pod. %yotta pause, then %yotta resume starts the pod again."),
    ("logout signout",
     "Remove the profile from ~/.yotta/config. %yotta status shows the key in use."),
    ("cancel abort",
     "%yotta interrupt stops the cell that runs on a pod; %yotta pause stops the pod."),
    ("down shutdown off",
     "A pause stops the cost of the GPUs, but may erase files: %yotta pause -h"),
    ("runs",
     "%yotta attach POD --list lists the runs of a pod, and %yotta attach POD --run ID shows the output of one."),
    ("undo",
     "Nothing can be undone from a cell. Only the panel has an undo, for a few seconds: %yotta panel"),
    ("profile profiles config configure",
     "%yotta login --profile P saves a key; %config YottaMagics.profile = \"P\" uses it. %yotta status shows it."),
    ("version",
     "The version is shown by %yotta --version"),
)  # fmt: skip
"""Words that people try, and what to do instead."""

ADVICE: Final = {word: text for words, text in _ADVICE_BY_WORDS for word in words.split()}


def suggest_command(name: str, commands: Iterable[str]) -> tuple[str, str]:
    """Suggest what to write instead of a command that does not exist.

    Parameters
    ----------
    name : str
    commands : iterable of str
        The names of all commands.

    Returns
    -------
    suggestion : str
        A sentence, or an empty string. It names a command of `RISKY_COMMANDS` only for a word that means the same
        in other tools, or that differs from it by one letter.
    advice : str
        The next step, or an empty string if the suggestion says it.
    """
    word = name.lower()
    if word in ADVICE:
        return ADVICE[word], ""
    if word in _SYNONYMS:
        return f"Did you mean {_SYNONYMS[word]}?", _SEE_HELP
    matches = [command for command in RISKY_COMMANDS if is_one_edit_apart(word, command)]
    if not matches:
        harmless = [command for command in commands if command not in RISKY_COMMANDS]
        matches = closest_matches(word, harmless, count=1, cutoff=0.6)
    suggestion = f"Did you mean {matches[0]}?" if matches else ""
    return suggestion, _SEE_HELP
