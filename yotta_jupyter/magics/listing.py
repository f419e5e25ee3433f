"""The commands that show: list, get, ssh, cost, gpus, images."""

from __future__ import annotations

from argparse import Namespace
from typing import TYPE_CHECKING

from .. import ssh
from ..api import Pod
from ..api.text import did_you_mean, printable
from ..catalog import gpu_words
from .command import Command, LineParser
from .pods import resolve
from .session import Session
from .shown import Text, dollars

if TYPE_CHECKING:
    import pandas as pd

    from ..connection import Yotta


def _list_arguments(parser: LineParser) -> None:
    parser.add(
        "--region",
        action="append",
        default=[],
        metavar="R",
        completes="region",
        help="only this region; may be repeated",
    )
    parser.add(
        "--status",
        action="append",
        default=[],
        metavar="S",
        completes="status",
        help="only this status, by name or number; may be repeated",
    )
    parser.add("--gpu", metavar="G", completes="gpu", help="only GPU types with these words, such as L4")
    parser.add("--name", metavar="TEXT", help="only names that contain this text")
    parser.add("--wide", action="store_true", help="all fields of the API")


def _list(session: Session, arguments: Namespace) -> pd.DataFrame:
    client = session.client
    frame = client.pods.frame(arguments.region, arguments.status, arguments.wide)
    if frame.empty and arguments.region:
        _note_unknown(client, arguments.region)
    return _narrowed(frame, arguments.gpu, arguments.name)


def _narrowed(frame: pd.DataFrame, gpu: str | None, name: str | None) -> pd.DataFrame:
    """Return the rows that fit, and say so where none does: an empty table does not tell a mistyped word."""
    listed = len(frame)
    if gpu is not None:
        wanted = gpu_words(gpu)
        fits = {kind: wanted <= gpu_words(kind) for kind in frame["gpu_type"].dropna().unique()}
        frame = frame[frame["gpu_type"].map(fits).fillna(False).astype(bool)]
    if name is not None:
        frame = frame[frame["name"].str.contains(name, case=False, regex=False, na=False)]
    if listed and frame.empty:
        asked = [f"--{flag} {printable(text, 40)}" for flag, text in (("gpu", gpu), ("name", name)) if text is not None]
        print(f"Note: none of {listed} pods fits {' '.join(asked)}. See all: %yotta list")
    return frame


def _note_unknown(client: Yotta, regions: list[str]) -> None:
    """Say of regions in which there is no pod that they may be mistyped: nobody knows all that there are."""
    seen = {pod.region for pod in client.pods.list() if pod.region}
    where = f" There are pods in {printable(', '.join(sorted(seen)))}." if seen else ""
    for region in regions:
        if region not in seen:
            print(f"Note: there is no pod in {printable(region, 60)}.{did_you_mean(region, seen)}{where}")


def _pod_argument(parser: LineParser) -> None:
    parser.add("pod", metavar="POD", completes="pod", help="an id, the beginning of one, or a name")


def _get(session: Session, arguments: Namespace) -> Pod:
    return resolve(session.client, [arguments.pod])[0]


def _ssh_arguments(parser: LineParser) -> None:
    _pod_argument(parser)
    parser.add("--key", metavar="FILE", help="the file of your private key")
    parser.add("--user", metavar="USER", help="the user to log in as, where it is not the pod's own")
    parser.add("--config", action="store_true", help="a block for ~/.ssh/config instead of a command")


def _ssh(session: Session, arguments: Namespace) -> Text:
    pod = resolve(session.client, [arguments.pod])[0]
    build = ssh.config_block if arguments.config else ssh.command
    return Text(build(pod, arguments.key, arguments.user))


def _no_arguments(parser: LineParser) -> None:
    """The command takes none."""


def _cost(session: Session, arguments: Namespace) -> pd.DataFrame:
    from ..frames import cost_frame

    frame = cost_frame(session.client.pods.list())
    now, running = frame["hourly_cost"].sum(), frame["hourly_price"].sum()
    unknown = int(frame["hourly_cost"].isna().sum())
    without = f", without {unknown} of unknown price" if unknown else ""
    print(f"In all {dollars(now)} now, {dollars(running)} while all of them run{without}.")
    return frame


def _gpus(session: Session, arguments: Namespace) -> pd.DataFrame:
    return session.catalog.gpus_frame()


def _images(session: Session, arguments: Namespace) -> pd.DataFrame:
    from ..frames import ShownWhole

    # Images of one kind differ in the last characters of their names.
    return ShownWhole(session.catalog.images_frame())


COMMANDS: tuple[Command, ...] = (
    Command("list", "The pods, as a DataFrame.", _list_arguments, _list, aliases=("ls",)),
    Command("get", "One pod, with all that is known of it.", _pod_argument, _get),
    Command("ssh", "The command that opens a shell on a pod, to copy.", _ssh_arguments, _ssh),
    Command("cost", "What each pod costs an hour now, and all of them.", _no_arguments, _cost),
    Command("gpus", "The GPU types that are known here.", _no_arguments, _gpus),
    Command("images", "The images that are known here.", _no_arguments, _images),
)
