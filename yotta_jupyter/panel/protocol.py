"""The messages between the kernel and the browser, and a pod as a row of the table.

A widget opens with a snapshot: the trait ``_snapshot``, JSON as bytes. A new value of the trait replaces everything.
Everything else is a message. Secrets are sent in binary buffers only, because ipywidgets logs the content of messages.

To the browser:

============== =============================================== ======================================================
type           keys                                            meaning
============== =============================================== ======================================================
(snapshot)     version, fields, rows, complete, selected,      everything; a row is a list of values by `fields`;
               undo_seconds, meta                              `complete` is false if only the newest pods are sent;
                                                               `undo_seconds`: by pod id, the time left to undo
patch          version, added, updated, removed, meta          the changes since `version` - 1: `added` rows, `updated`
                                                               rows with id and changed fields, `removed` ids
ack            pods                                            requests for these pods arrived but change no row;
                                                               without pods it shows that the kernel answers
validation     request_id, keys of a form result               the result of ``validate``
rejected       temp_id, keys of a form result                  the launch form is invalid; nothing was created
launched       temp_id, pod_id, note                           the pod exists; `note` is for the user
failed         temp_id, error                                  the launch failed, or its outcome is unknown
password       request_id, error; buffer: the password         the result of ``show_password``; `error` or the buffer
jupyter_link   request_id, error, note; buffer: the link       the result of ``open_jupyter``; `error` or the buffer
guard_extended pod_id, error                                   the result of ``extend_guard``; `error` is empty if it
                                                               succeeded
============== =============================================== ======================================================

The keys of a form result are those of `yotta_jupyter.panel.form.FormResult.to_message`.

`meta` stands for these keys at the top level of the message; a patch has the changed ones only. They are the typedef
``Meta`` of ``protocol.js``.

=============== =========================================================================
key             value
=============== =========================================================================
delete_delay    seconds during which a delete or a pause can be undone
ssh_option      the end of an SSH command, which names the key file
base_url        the URL of the API
sandbox         whether the API is a sandbox
choices         what the launch form offers
loaded          whether the pods have been listed
totals          counts and costs of the pods; a patch has the changed ones only
interval        seconds between refreshes; null while the panel is hidden
refreshed_at    when the pods were listed, in seconds since 1970
error           why the last refresh failed; null if it succeeded
reachable       whether the API answered the last refresh
late            whether a refresh in progress has taken longer than `late_after`
late_after      seconds
guards          by pod id, when a guard pauses the pod; the typedef ``Guard``
guards_error    why the guards cannot be read; null if they can
guard_extension seconds by which ``extend_guard`` postpones the pause by a guard
transitional    statuses that change by themselves
=============== =========================================================================

A snapshot of one pod, shortened::

    {"version": 3, "fields": ["id", "name", "status", …], "rows": [["3318", "train-1", "RUNNING", …]],
     "complete": true, "selected": [], "delete_delay": 5.0, "interval": 15, "error": null, …}

and a patch that changes the pod's status::

    {"type": "patch", "version": 4, "updated": [{"id": "3318", "status": "PAUSED"}], "refreshed_at": 1790000000}

From the browser:

=========================== ======================== ========================================================
type                        keys                     meaning
=========================== ======================== ========================================================
view                        view_id, visible         a view appeared, or was hidden or closed
pause                       pods, confirmed          pause pods; `confirmed` if the user has confirmed it
resume, delete, undo        pods                     resume or delete pods, or undo a delete or a pause
dismiss                     pods                     remove the errors of rows
select                      pods                     the selected rows
refresh                                              list the pods now
resync                      version                  send a snapshot, unless `version`, which is optional, is
                                                     the latest
validate                    request_id, form         validate the launch form, without its secrets
launch                      temp_id; buffer: form    create a pod; `temp_id` is the row's id until the pod has one
show_password               request_id, pod_id       send the Jupyter password of a pod
open_jupyter                request_id, pod_id,      send a link to the Jupyter of a pod, through a tunnel;
                            server_path              `server_path` is the URL path of the notebook server, if
                                                     the browser runs on another machine
extend_guard                pod_id                   postpone the pause by the guard of a pod
=========================== ======================== ========================================================

The field ``pending`` of a row is the requested action: ``pause``, ``resume``, ``delete``, ``launch``, or
``undoable_delete`` or ``undoable_pause``, which the kernel sends to the API after `delete_delay` unless the user undoes
it. In the browser also ``undoing``, until the kernel has acknowledged the undo. The field ``pending_note`` is what the
user should know about that action, such as which cell it ends.

A delete can be undone. So can a pause of a pod whose field ``warns_of_pause`` is true, unless `confirmed` is true.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from .. import ssh
from ..launch import JUPYTER_PORT
from ..models import Pod, Totals
from ..passwords import JUPYTER_PASSWORD_ENV
from ..sanitize import single_line
from ..spec import PodSpec
from ..statuses import ENDING_STATUSES, TERMINAL_STATUSES, allowed_actions

UNDOABLE_PREFIX: Final = "undoable_"
"""The start of a pending action that can still be undone, such as ``undoable_delete``."""

LAUNCHING: Final = "LAUNCHING"
"""The status of a row whose pod is being created."""

MAX_TEXT: Final = 200
"""Maximum length of a text in a row. The table shows less."""

Row = list[Any]

POD_FIELDS: Final[dict[str, Callable[[Pod], Any]]] = {
    "id": lambda pod: pod.id,
    "name": lambda pod: _cell_text(pod.name),
    "status": lambda pod: _cell_text(pod.status),
    "gpu_type": lambda pod: _cell_text(pod.gpu_type),
    "gpu_count": lambda pod: pod.gpu_count,
    "region": lambda pod: _cell_text(pod.region),
    "image": lambda pod: _cell_text(pod.image),
    "hourly_cost": lambda pod: _round(pod.hourly_cost),
    "hourly_rate": lambda pod: _round(pod.hourly_rate),
    "created_at": lambda pod: int(pod.created_at.timestamp()) if pod.created_at else None,
    "ssh": ssh.try_command,
    "jupyter": lambda pod: _jupyter_url(pod),
    "has_password": lambda pod: any(variable.key == JUPYTER_PASSWORD_ENV for variable in pod.environment_vars),
    "pause_loss": lambda pod: pod.pause_loss,
    "has_persistent_volume": lambda pod: pod.has_persistent_volume,
    # While a pod is being deleted, both are false.
    "has_ended": lambda pod: pod.status in TERMINAL_STATUSES,
    "is_live": lambda pod: pod.status not in ENDING_STATUSES,
    "actions": lambda pod: allowed_actions(pod.status),
}
"""The fields of a row that depend on the pod alone. The typedef ``PodRow`` in ``protocol.js`` lists them, too."""

FIELDS: Final = (*POD_FIELDS, "warns_of_pause", "pending", "pending_note", "error")
"""The fields of a row in order. The browser receives this list."""


def pod_row(
    pod: Pod,
    pending: str | None = None,
    error: str | None = None,
    *,
    warns_of_pause: bool = False,
    pending_note: str | None = None,
) -> Row:
    """Return the row of a pod.

    Parameters
    ----------
    pod : Pod
    pending : str, optional
        The requested action that the pod's status does not show yet.
    error : str, optional
        Why the last action failed.
    warns_of_pause : bool
        Whether the panel warns that a pause may erase all files. Such a pause can be undone.
    pending_note : str, optional
        What the user should know about the requested action.

    Returns
    -------
    list
        Values by `FIELDS`.
    """
    return [*(read(pod) for read in POD_FIELDS.values()), warns_of_pause, pending, pending_note, error]


def placeholder_row(temp_id: str, spec: PodSpec, error: str | None = None) -> Row:
    """Return the row of a launch whose pod has no id yet.

    Parameters
    ----------
    temp_id : str
    spec : PodSpec
    error : str, optional
        Why it is unknown whether the pod exists.

    Returns
    -------
    list
        Values by `FIELDS`.
    """
    values: dict[str, Any] = {
        "id": temp_id,
        "name": _cell_text(spec.pod_name),
        "status": LAUNCHING,
        "gpu_type": _cell_text(spec.gpu_type),
        "gpu_count": spec.gpu_count,
        "region": _cell_text(spec.region),
        "image": _cell_text(spec.image),
        "has_ended": False,
        "is_live": True,
        "actions": [],
        "warns_of_pause": False,
        "pending": None if error else "launch",
        "error": error,
    }
    return [values.get(field) for field in FIELDS]


def diff_rows(before: Row, after: Row) -> dict[str, Any]:
    """Return the id and the changed fields of a row.

    Parameters
    ----------
    before, after : list
        Values by `FIELDS`.

    Returns
    -------
    dict
        Values by field.
    """
    changed = {field: new for field, old, new in zip(FIELDS, before, after, strict=True) if new != old}
    return {"id": after[0], **changed}


def totals_meta(totals: Totals) -> dict[str, Any]:
    """Return the totals that the header shows.

    Parameters
    ----------
    totals : Totals

    Returns
    -------
    dict
    """
    return {
        "running": totals.running,
        "paused": totals.paused,
        "ended": totals.ended,
        "total": totals.total,
        "hourly_cost": _round(totals.hourly_cost),
        "unpriced_pods": totals.unpriced,
    }


def diff_meta(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    """Return the changed keys of the metadata; of ``totals`` only the changed counts.

    Parameters
    ----------
    before, after : mapping

    Returns
    -------
    dict
    """
    changed = {key: value for key, value in after.items() if value != before.get(key)}
    if "totals" in changed and "totals" in before:
        changed["totals"] = {key: value for key, value in after["totals"].items() if value != before["totals"][key]}
    return changed


def _jupyter_url(pod: Pod) -> str | None:
    """Return the address of a running pod's Jupyter, built from validated parts, or None."""
    if pod.status != "RUNNING":
        return None
    for port in pod.expose:
        if port.port == JUPYTER_PORT and port.healthy and (port.protocol or "").upper() == "HTTP":
            if port.host is None or not ssh.has_valid_address(port):
                return None
            host = f"[{port.host}]" if ":" in port.host else port.host
            scheme = "https" if (port.ingress_url or "").startswith("https://") else "http"
            return f"{scheme}://{host}:{port.proxy_port}"
    return None


def _round(amount: float | None) -> float | None:
    """Round an amount, so that a rounding error in its last digits is not sent as a change."""
    return None if amount is None else round(amount, 4)


def _cell_text(text: str | None) -> str | None:
    if text is None or (len(text) <= MAX_TEXT and text.isprintable()):
        return text
    return single_line(text, MAX_TEXT)
