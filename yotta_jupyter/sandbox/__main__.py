"""``python -m yotta_jupyter.sandbox``: the sandbox as a process of its own."""

import argparse
import signal
import sys
import threading
from typing import NoReturn

from yotta_jupyter.sandbox import fleet
from yotta_jupyter.sandbox.control import Sandbox
from yotta_jupyter.sandbox.faults import ENDPOINTS, GRAMMAR, KINDS, parse_fault


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message}\n")


def _fault(text: str) -> str:
    try:
        return parse_fault(text).spec
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _parser() -> argparse.ArgumentParser:
    up = f"INITIALIZE ({fleet.INITIALIZE_SECONDS:g} s) -> RUNNING, and {fleet.SSH_SECONDS:g} s later its ports answer"
    down = (
        f"TERMINATING ({fleet.TERMINATE_SECONDS:g} s) -> TERMINATED, listed {fleet.LISTED_SECONDS:g} s more, then gone"
    )
    parser = _Parser(
        prog="python -m yotta_jupyter.sandbox",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
        description=f"""\
A stand-in for the Pods API on this machine: no account, no network, no cost. It prints

  YOTTA_BASE_URL=http://127.0.0.1:PORT
  YOTTA_API_KEY=...

and serves until it is stopped (Ctrl-C, SIGTERM). It listens on 127.0.0.1 only.

How pods move, in seconds at speed 1 (--speed 10 makes all of it ten times as fast):
  create   {up}
  pause    PAUSING ({fleet.PAUSE_SECONDS:g} s) -> PAUSED
  resume   {up}
  delete   {down}""",
        epilog=_faults_help(),
    )
    parser.add_argument("--port", type=int, default=0, metavar="N", help="the port (default: a free one)")
    parser.add_argument("--pods", type=int, default=3, metavar="N", help="invented pods at the start (default: 3)")
    parser.add_argument(
        "--seed", type=int, default=0, metavar="N", help="the same seed gives the same pods (default: 0)"
    )
    parser.add_argument("--speed", type=float, default=1.0, metavar="X", help="how many times faster pods move")
    parser.add_argument(
        "--fault",
        type=_fault,
        action="append",
        default=[],
        metavar="SPEC",
        help="what goes wrong, see below; repeatable",
    )
    parser.add_argument("--api-key", metavar="KEY", help="the key to take (default: one that says what it is)")
    parser.add_argument("--verbose", action="store_true", help="write a line a request to stderr")
    return parser


def _faults_help() -> str:
    lines = [
        f"Faults: {GRAMMAR}",
        f"  ENDPOINT is one of {', '.join(ENDPOINTS)}, or * for all of them. KIND is one of:",
    ]
    for name, kind in KINDS.items():
        value = f"={kind.value}" if kind.value else ""
        value = f"[{value}]" if kind.default is not None else value
        only = f" (only {', '.join(kind.only)})" if kind.only else ""
        lines.append(f"  {name + value:<20} {kind.summary}{only}")
    lines += [
        "  Of several at one endpoint, the first that happens is the one; lag and failed go with any other.",
        "",
        "Examples:",
        "  --fault create:lost               each pod is created, but the answer never arrives",
        "  --fault 'list:slow=2@0.5'         about half of the listings take two seconds",
        "  --fault pause:429=3x2             the first two pauses are told to come again in 3 s",
        "  --fault '*:status=503@0.1'        one request in ten finds the API unavailable",
        "  --fault list:lag=5 --fault create:lostx1   one lost create, seen by listings only 5 s later",
        "  --fault 'create:html=502'  --fault get:code=13000  --fault delete:timeout-afterx1",
        "  --fault list:redirect=http://127.0.0.1:9/   --fault create:failedx1",
    ]
    return "\n".join(lines)


def main(arguments: list[str] | None = None) -> int:
    """Serve until SIGINT or SIGTERM and return the exit status."""
    parser = _parser()
    given = parser.parse_args(arguments)
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    try:
        sandbox = Sandbox(
            port=given.port,
            pods=given.pods,
            seed=given.seed,
            speed=given.speed,
            faults=given.fault,
            api_key=given.api_key,
            verbose=given.verbose,
        ).start()
    except (ValueError, ImportError) as error:
        parser.error(str(error))
    except OSError as error:
        parser.error(f"cannot listen on port {given.port}: {error.strerror or error}")
    with sandbox:
        print(f"YOTTA_BASE_URL={sandbox.base_url}", f"YOTTA_API_KEY={sandbox.api_key}", sep="\n", flush=True)
        # In steps, because a wait without end does not hear Ctrl-C on Windows.
        while not stop.wait(0.5):
            pass
    return 0


if __name__ == "__main__":
    sys.exit(main())
