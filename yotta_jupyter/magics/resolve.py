"""Finds the pod for an id, the beginning of an id, a name or a launch ID."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from ..api.idempotency import select_by_launch_id
from ..client import Client
from ..errors import InvalidRequest, PodNotFound
from ..formatting import join_limited
from ..models import Pod
from ..sanitize import single_line
from ..spelling import did_you_mean
from ..statuses import ENDING_STATUSES

# A UUID, which is in the environment of each pod that this package creates.
_LAUNCH_ID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_COMPLETE_ID: Final = re.compile(r"\d{10,}")
"""Ids of the API have 18 digits. A number with less than 10 digits is taken for the beginning of an id."""

_MAX_NAMED: Final = 6
"""Pods that an error names; the others are counted."""


def resolve_pods(client: Client, queries: Sequence[str], *, suggest: bool = True) -> list[Pod]:
    """Return the pod for each query, without duplicates.

    Sends one list request, and one request for each launch ID, complete id or new pod that the listing lacks.

    Parameters
    ----------
    client : Client
    queries : sequence of str
        Ids, unique beginnings of ids, unique names, or launch IDs. If a live pod matches, pods that have ended do not.
    suggest : bool, default True
        Whether the error for an unknown name suggests the closest name. A listing may lack a new pod, so a command that
        ends pods must not suggest another pod.

    Returns
    -------
    list of Pod

    Raises
    ------
    InvalidRequest
        A query is empty, or matches several pods. The message names them.
    PodNotFound
        A query matches no pod. The message suggests the closest name.
    """
    # Every id begins with an empty query, so it would match the only pod of an account.
    if not all(query.strip() for query in queries):
        raise InvalidRequest("A pod is given by its id, the beginning of its id, or its name, and must not be empty.")
    pods = client.pods.list_with_created()
    found = [_resolve_one(client, pods, query, suggest) for query in queries]
    return list({pod.id: pod for pod in found}.values())


def _resolve_one(client: Client, pods: list[Pod], query: str, suggest: bool) -> Pod:
    if _LAUNCH_ID.fullmatch(query):
        return select_by_launch_id(pods, query) or client.pods.find_by_launch_id(query)
    matches = match_pods(pods, query)
    if len(matches) == 1:
        return matches[0]
    if matches:
        raise _ambiguous_query(query, matches)
    if _COMPLETE_ID.fullmatch(query):
        return client.pods.get(query)  # The listing may lack a new pod.
    hint = " A listing may lack a pod that was created a moment ago."
    if suggest:
        live = [pod for pod in pods if pod.status not in ENDING_STATUSES]
        hint = did_you_mean(query, [pod.name for pod in live if pod.name and pod.name.isprintable()])
    raise PodNotFound(
        code=None,
        http_status=None,
        message=f"There is no pod {single_line(query, 60)!r}.{hint}",
    )


def match_pods(pods: list[Pod], query: str) -> list[Pod]:
    """Return the pods with this id; if there are none, those with this name; else those whose id begins with it.

    If some of them are live, only those are returned.
    """
    matches = (
        [pod for pod in pods if pod.id == query]
        or [pod for pod in pods if pod.name == query]
        or [pod for pod in pods if pod.id.startswith(query)]
    )
    live = [pod for pod in matches if pod.status not in ENDING_STATUSES]
    return live or matches


def _ambiguous_query(query: str, matches: list[Pod]) -> InvalidRequest:
    states = join_limited(
        [f"{single_line(pod.name or '', 40)} {pod.id} ({single_line(pod.status, 20)})" for pod in matches], _MAX_NAMED
    )
    return InvalidRequest(f"{single_line(query, 60)!r} matches {len(matches)} pods: {states}. Write the id of one.")
