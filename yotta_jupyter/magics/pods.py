"""From what a user calls a pod - an id, the beginning of one, a name, the mark of a create - to the pod."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from ..api import InvalidRequest, Pod, PodNotFound
from ..api.models import ENDED
from ..api.text import did_you_mean, printable
from ..connection import Yotta

_LAUNCH_ID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_WHOLE_ID: Final = re.compile(r"\d{10,}")


def resolve(client: Yotta, typed: Sequence[str]) -> list[Pod]:
    """Return the pods that a user means, each once, from one listing.

    Parameters
    ----------
    client : Yotta
    typed : sequence of str
        Ids, unique beginnings of ids, unique names, or marks of creates. A pod that has ended counts only where no
        other one fits.

    Returns
    -------
    list of Pod

    Raises
    ------
    InvalidRequest
        One is empty, or fits several pods; they are named.
    PodNotFound
        One fits none; the nearest name is suggested.
    """
    # Every id begins with nothing: what was filled in and is empty would fit the only pod.
    if not all(word.strip() for word in typed):
        raise InvalidRequest(
            "A pod is named by its id, the beginning of one, or its name; here is a name that is empty."
        )
    listed = client.pods.list()
    found = [_one(client, listed, word) for word in typed]
    return list({pod.id: pod for pod in found}.values())


def _one(client: Yotta, listed: list[Pod], typed: str) -> Pod:
    if _LAUNCH_ID.fullmatch(typed):
        marked = next((pod for pod in listed if pod.launch_id == typed), None)
        return marked or client.pods.find_launch(typed)
    matches = _matches(listed, typed)
    if len(matches) == 1:
        return matches[0]
    if matches:
        several = ", ".join(
            f"{printable(pod.name or '', 40)} {pod.id} ({printable(pod.status, 20)})" for pod in matches[:6]
        )
        more = f" and {len(matches) - 6} more" if len(matches) > 6 else ""
        raise InvalidRequest(
            f"{printable(typed, 60)!r} fits {len(matches)} pods: {several}{more}. Write the id of one."
        )
    if _WHOLE_ID.fullmatch(typed):
        return client.pods.get(typed)  # A listing may lag behind.
    names = [name for pod in listed if (name := pod.name) and pod.status not in ENDED]
    hint = did_you_mean(typed, [name for name in names if name.isprintable()])
    raise PodNotFound(None, None, f"There is no pod {printable(typed, 60)!r}.{hint} See which there are: %yotta list")


def _matches(listed: list[Pod], typed: str) -> list[Pod]:
    """Return the pods of the best kind of match: whole id, then whole name, then beginning of an id."""
    kinds = (
        [pod for pod in listed if pod.id == typed],
        [pod for pod in listed if pod.name == typed],
        [pod for pod in listed if pod.id.startswith(typed)],
    )
    matches = next(filter(None, kinds), [])
    return [pod for pod in matches if pod.status not in ENDED] or matches
