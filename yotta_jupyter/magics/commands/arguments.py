"""Arguments that several commands have."""

from __future__ import annotations

from typing import Final

from ..parser import POD_HELP, LineParser

_PODS_HELP: Final = "ids, beginnings of ids, or names"


def add_pod_argument(parser: LineParser) -> None:
    """Add the positional argument for a pod.

    Parameters
    ----------
    parser : LineParser
    """
    parser.add_argument("pod", metavar="POD", completes="pod", help=POD_HELP)


def add_optional_pod_argument(parser: LineParser) -> None:
    """Add the positional argument for a pod that ``%yotta use`` may have chosen.

    Parameters
    ----------
    parser : LineParser
    """
    parser.add_argument(
        "pod", nargs="?", metavar="POD", completes="pod", help=f"{POD_HELP}; default: the pod of %%yotta use"
    )


def add_pods_argument(parser: LineParser) -> None:
    """Add the positional argument for one or more pods.

    Parameters
    ----------
    parser : LineParser
    """
    parser.add_argument("pods", nargs="+", metavar="POD", completes="pod", help=_PODS_HELP)


def add_optional_pods_argument(parser: LineParser) -> None:
    """Add the positional argument for any number of pods.

    Parameters
    ----------
    parser : LineParser
    """
    parser.add_argument("pods", nargs="*", metavar="POD", completes="pod", help=_PODS_HELP)
