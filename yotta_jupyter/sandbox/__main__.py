"""``python -m yotta_jupyter.sandbox``: serve the sandbox from a process of its own."""

import argparse
import signal
import sys
import threading
from pathlib import Path
from typing import NoReturn

from .faults import FAULT_KINDS, GRAMMAR, FaultKind, parse_fault
from .routes import ENDPOINTS
from .runtime.manager import MAX_SERVERS
from .sandbox import Sandbox
from .statuses import PORTS_SECONDS, TOMBSTONE_SECONDS, TRANSITIONS

_DESCRIPTION = f"""\
A local server with the Pods API. It needs no account and no network, and costs nothing. It prints

  YOTTA_BASE_URL=http://127.0.0.1:PORT
  YOTTA_API_KEY=...

and serves until it is stopped (Ctrl-C, SIGTERM). It listens on 127.0.0.1 only.

Its pods run code: a pod whose SSH port is healthy accepts SSH connections (users root, ubuntu and user, public keys
only). CODE THAT YOU RUN ON THEM RUNS ON THIS MACHINE, AS THIS USER. Each pod has a home directory and a Python
environment of its own, which are erased when the pod is deleted or the sandbox is stopped. A pause erases all but a
persistent volume. At most {MAX_SERVERS} pods run code at once. The initializationCommand of a pod is not run. On its
other ports, only servers that you start listen.
"""
_EXAMPLES = """\
Examples:
  --fault create:lost               pods are created, but no response arrives
  --fault 'list:slow=2@0.5'         about half of the listings take two seconds
  --fault pause:429=3x2             the first two requests to pause get HTTP 429 with Retry-After: 3
  --fault '*:status=503@0.1'        one request in ten gets HTTP 503
  --fault list:lag=5 --fault create:lostx1   one response is lost, and listings show the pod 5 s later
  --fault 'create:html=502'  --fault get:code=13000  --fault delete:timeout-afterx1
  --fault list:redirect=http://127.0.0.1:9/   --fault create:failedx1"""


class _OneLineErrorParser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message}\n")


def _validate_fault(text: str) -> str:
    try:
        return parse_fault(text).spec
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _read_public_keys(file: str) -> list[str]:
    try:
        return Path(file).expanduser().read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise argparse.ArgumentTypeError(f"cannot read {file!r}: {error.strerror or error}") from None
    except UnicodeDecodeError as error:
        raise argparse.ArgumentTypeError(f"cannot read {file!r}: {error}") from None


def _build_parser() -> argparse.ArgumentParser:
    parser = _OneLineErrorParser(
        prog="python -m yotta_jupyter.sandbox",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
        description=f"{_DESCRIPTION}\n{_transitions_help()}",
        epilog=f"{_faults_help()}\n\n{_EXAMPLES}",
    )
    parser.add_argument("--port", type=int, default=0, metavar="N", help="port (default: a free one)")
    parser.add_argument("--pods", type=int, default=3, metavar="N", help="number of sample pods (default: %(default)s)")
    parser.add_argument(
        "--seed", type=int, default=0, metavar="N", help="seed of the sample pods (default: %(default)s)"
    )
    parser.add_argument(
        "--speed", type=float, default=1.0, metavar="X", help="speed of status changes (default: %(default)g)"
    )
    parser.add_argument(
        "--fault",
        type=_validate_fault,
        action="append",
        default=[],
        metavar="SPEC",
        help="fault, see below; repeatable",
    )
    parser.add_argument("--api-key", metavar="KEY", help="valid API key (default: a key derived from the seed)")
    parser.add_argument(
        "--public-key",
        type=_read_public_keys,
        metavar="FILE",
        help="SSH keys that pods without PUBLIC_KEY accept, as in authorized_keys (default: "
        "~/.yotta/ssh/id_ed25519.pub, as soon as it exists)",
    )
    parser.add_argument("--verbose", action="store_true", help="write one line per request to stderr")
    return parser


def _transitions_help() -> str:
    lines = ["Status changes, in seconds at speed 1 (--speed 10 makes them ten times as fast):"]
    what_follows = {
        "RUNNING": f", ports healthy {PORTS_SECONDS:g} s later",
        "TERMINATED": f", removed {TOMBSTONE_SECONDS:g} s later",
    }
    for action, (_, during, after, seconds) in TRANSITIONS.items():
        lines.append(f"  {action:<8} {during} ({seconds:g} s) -> {after}{what_follows.get(after, '')}")
    return "\n".join(lines)


def _faults_help() -> str:
    lines = [
        f"Faults: {GRAMMAR}",
        f"  ENDPOINT is {', '.join(ENDPOINTS)}, or * for all of them.",
        '  KIND is one of these. A request that is "not applied" has no effect:',
    ]
    for name, kind in FAULT_KINDS.items():
        applied = "applied" if kind.takes_effect else "not applied"
        is_restricted = len(kind.endpoints) < len(ENDPOINTS)
        restriction = f" (only {', '.join(kind.endpoints)})" if is_restricted else ""
        lines.append(f"  {name + _value_help(kind):<20} {applied}: {kind.summary}{restriction}")
    lines.append("  A request gets the first fault that fires, and all faults of the kinds lag and failed that fire.")
    return "\n".join(lines)


def _value_help(kind: FaultKind) -> str:
    if not kind.value_format:
        return ""
    is_optional = kind.default is not None
    return f"[={kind.value_format}]" if is_optional else f"={kind.value_format}"


def main(arguments: list[str] | None = None) -> int:
    """Serve until SIGINT or SIGTERM and return the exit status."""
    parser = _build_parser()
    args = parser.parse_args(arguments)
    stop = threading.Event()
    for signal_number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(signal_number, lambda *_: stop.set())
    try:
        sandbox = Sandbox(
            port=args.port,
            pods=args.pods,
            seed=args.seed,
            speed=args.speed,
            faults=args.fault,
            api_key=args.api_key,
            public_keys=args.public_key,
            verbose=args.verbose,
        ).start()
    except (ValueError, ImportError) as error:
        parser.error(str(error))
    except OSError as error:
        parser.error(f"cannot listen on port {args.port}: {error.strerror or error}")
    with sandbox:
        print(sandbox.notice, file=sys.stderr, flush=True)
        print(f"YOTTA_BASE_URL={sandbox.base_url}", f"YOTTA_API_KEY={sandbox.api_key}", sep="\n", flush=True)
        # On Windows, Ctrl-C interrupts only a wait with a timeout.
        while not stop.wait(0.5):
            pass
    return 0


if __name__ == "__main__":
    sys.exit(main())
