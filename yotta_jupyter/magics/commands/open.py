"""The command for links to servers on a pod, through tunnels: open."""

from __future__ import annotations

from argparse import Namespace
from typing import TYPE_CHECKING, Final

from ...errors import InvalidRequest
from ...formatting import pluralize
from ...sanitize import single_line
from ..display import print_note
from ..parser import Command, LineParser
from ..resolve import resolve_pods
from ..session import Session
from .arguments import add_optional_pod_argument

if TYPE_CHECKING:
    from ...tunnels import PodLink

_MAX_PORT: Final = 65535


def _add_arguments(parser: LineParser) -> None:
    add_optional_pod_argument(parser)
    parser.add_argument("--port", metavar="N", help="a port of the pod; default: its JupyterLab")
    parser.add_argument("--local-port", metavar="N", help="the port on this machine; default: a free one")
    parser.add_argument(
        "--close", action="store_true", help="close the tunnels to POD, or all without POD; --port N closes one"
    )


def _open(session: Session, arguments: Namespace) -> PodLink | None:
    port = _parse_port("--port", arguments.port)
    local_port = _parse_port("--local-port", arguments.local_port)
    if arguments.close:
        _close(session, arguments.pod, port)
        return None
    from ...tunnels import find_route

    route = find_route()
    pod, _ = session.connector.open(arguments.pod)
    link = session.client.tunnels.open(pod, route, port, local_port=local_port or 0)
    if link.note:
        print_note(link.note)
    if link.signs_in and local_port is not None:
        print_note(f"the link signs in, and then leads to the local port {link.local_port}.")
    return link


def _close(session: Session, query: str | None, port: int | None) -> None:
    pod_id = resolve_pods(session.client, [query])[0].id if query else None
    client = session.cached_client
    count = client.tunnels.close(pod_id, port) if client is not None else 0
    print(f"Closed {pluralize(count, 'tunnel')}." if count else "No such tunnel is open.")


def _parse_port(flag: str, text: str | None) -> int | None:
    if text is None:
        return None
    if not text.isdecimal() or not 0 < int(text) <= _MAX_PORT:
        raise InvalidRequest(f"{flag} is a port from 1 to {_MAX_PORT}, not {single_line(text, 20)!r}.")
    return int(text)


COMMANDS: tuple[Command, ...] = (
    Command("open", "Show a link to the JupyterLab or another port of a pod, through a tunnel.", _open, _add_arguments),
)
