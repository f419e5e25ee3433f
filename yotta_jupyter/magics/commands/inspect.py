"""The commands that show pods, GPU types and images: list, get, ssh, gpus, images."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ... import ssh
from ...client import Client
from ...gc_pause import gc_paused
from ...gpu_names import tokenize
from ...keys import DEFAULT_KEY, PUBLIC_KEY_ENV
from ...models import Pod
from ...sanitize import single_line
from ...spelling import did_you_mean
from ..display import PlainText, print_note
from ..parser import Command, LineParser
from ..resolve import resolve_pods
from ..session import Session
from .arguments import add_pod_argument

if TYPE_CHECKING:
    import pandas as pd


def _add_list_arguments(parser: LineParser) -> None:
    parser.add_argument(
        "--region",
        action="append",
        default=[],
        metavar="R",
        completes="region",
        help="only this region, or several: R1,R2; may be repeated",
    )
    parser.add_argument(
        "--status",
        action="append",
        default=[],
        metavar="S",
        completes="status",
        help="only this status, by name or number, or several: running,paused; may be repeated",
    )
    parser.add_argument("--gpu", metavar="G", completes="gpu", help="only GPU types with these words, such as L4")
    parser.add_argument("--name", metavar="TEXT", help="only names that contain this text")
    parser.add_argument("--wide", action="store_true", help="all fields of the API")


def _list(session: Session, arguments: Namespace) -> pd.DataFrame:
    from ...pod_frames import pods_frame

    client = session.client
    regions, statuses = _split_commas(arguments.region), _split_commas(arguments.status)
    with gc_paused():
        frame = pods_frame(client.pods.list_with_created(regions, statuses), arguments.wide)
    if frame.empty and regions:
        _warn_unknown_regions(client, regions)
    return _filter(frame, arguments.gpu, arguments.name)


def _split_commas(values: Sequence[str]) -> list[str]:
    """Return the parts of values such as ``running,paused``."""
    return [part.strip() for value in values for part in value.split(",")]


def _filter(frame: pd.DataFrame, gpu: str | None, name: str | None) -> pd.DataFrame:
    """Filter by GPU type and name. Print a note if no row is left, because a filter may be mistyped."""
    total = len(frame)
    filters = []
    if gpu is not None:
        tokens = tokenize(gpu)
        gpu_types = [gpu_type for gpu_type in frame["gpu_type"].dropna().unique() if tokens <= tokenize(gpu_type)]
        frame = frame[frame["gpu_type"].isin(gpu_types)]
        filters.append(f"--gpu {single_line(gpu, 40)}")
    if name is not None:
        frame = frame[frame["name"].str.contains(name, case=False, regex=False, na=False)]
        filters.append(f"--name {single_line(name, 40)}")
    if total and frame.empty:
        print_note(f"none of {total} pods matches {' '.join(filters)}. See all: %yotta list")
    return frame


def _warn_unknown_regions(client: Client, regions: list[str]) -> None:
    """Print a note for each region without a pod, because it may be mistyped."""
    used = {pod.region for pod in client.pods.list() if pod.region}
    others = f" There are pods in {single_line(', '.join(sorted(used)))}." if used else ""
    for region in regions:
        if region not in used:
            print_note(f"there is no pod in {single_line(region, 60)}.{did_you_mean(region, used)}{others}")


def _get(session: Session, arguments: Namespace) -> Pod:
    return resolve_pods(session.client, [arguments.pod])[0]


def _add_ssh_arguments(parser: LineParser) -> None:
    add_pod_argument(parser)
    parser.add_argument(
        "--key", metavar="FILE", completes="key_file", help=f"the file of your private key; default: {DEFAULT_KEY}"
    )
    parser.add_argument("--user", metavar="USER", help="the user to log in as; the pod's own by default")
    parser.add_argument("--config", action="store_true", help="a block for ~/.ssh/config instead of a command")


def _ssh(session: Session, arguments: Namespace) -> PlainText:
    client = session.client
    (pod,) = resolve_pods(client, [arguments.pod])
    render = ssh.config_block if arguments.config else ssh.command
    text = render(pod, arguments.key or client.ssh_key, arguments.user)
    if arguments.key is not None and not Path(arguments.key).expanduser().exists():
        print_note(f"there is no file {single_line(arguments.key, 100)} on this machine.")
    if arguments.key is None and PUBLIC_KEY_ENV not in pod.environment:
        print_note(
            f"{pod.label} was created without the variable {PUBLIC_KEY_ENV}. "
            "If it refuses this key, name the one of your account with --key FILE."
        )
    return PlainText(text)


def _gpus(session: Session, arguments: Namespace) -> pd.DataFrame:
    from ...frame_display import GpusFrame

    frame = session.catalog.gpus_frame()
    if frame["single_card_price"].isna().all():
        print_note("the API has no price list. Prices are those of listed pods, so first: %yotta list")
    return GpusFrame(frame)


def _images(session: Session, arguments: Namespace) -> pd.DataFrame:
    from ...frame_display import ReadableFrame

    # The names of similar images differ only at the end, which pandas would cut off.
    return ReadableFrame(session.catalog.images_frame())


COMMANDS: tuple[Command, ...] = (
    Command("list", "List pods as a DataFrame.", _list, _add_list_arguments, aliases=("ls",), only_reads=True),
    Command("get", "Show all fields of one pod.", _get, add_pod_argument, only_reads=True),
    Command(
        "ssh", "Show the command that opens a shell on a pod, ready to copy.", _ssh, _add_ssh_arguments, only_reads=True
    ),
    Command("gpus", "List the known GPU types.", _gpus, only_reads=True),
    Command("images", "List the known images.", _images, only_reads=True),
)
