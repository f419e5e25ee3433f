"""The commands about the connection: login, status."""

from __future__ import annotations

import getpass
from argparse import Namespace
from typing import TYPE_CHECKING

from .. import configured, settings
from ..api import DEFAULT_BASE_URL, Client, InvalidRequest
from ..api.client import checked_key
from .command import Command, LineParser
from .shown import Text, counted, dollars

if TYPE_CHECKING:
    from .session import Session


def _login_arguments(parser: LineParser) -> None:
    parser.add(
        "--profile",
        metavar="P",
        completes="profile",
        help="the profile to write; without it the one in use, else default",
    )


def _login(session: Session, arguments: Namespace) -> Text:
    """Ask for the key, try it, and only then write it."""
    if session.sandbox is not None:
        raise InvalidRequest(
            "This notebook is connected to its sandbox. To log in to your account, first: %yotta sandbox stop"
        )
    profile = arguments.profile or settings.active_profile()
    base_url = settings.address_of(profile) or DEFAULT_BASE_URL
    key = checked_key(_hidden(f"API key for {base_url} (Settings → Access Keys): "))
    with Client(key, base_url, configured.now().timeout) as client:
        pods = client.pods.list()
    settings.save_profile(profile, key, base_url)
    session.disconnect()
    return Text(
        f"{base_url} took the key {key.last_four()}; {counted(len(pods), 'pod')}. "
        f"Saved as profile {profile} in ~/.yotta/config.{_not_in_use(session, profile)}"
    )


def _not_in_use(session: Session, profile: str) -> str:
    """Return what to do where another key goes before a profile that was just saved, else nothing."""
    use_it = f'%config YottaMagics.profile = "{profile}"'
    try:
        source = settings.resolve().source
    except InvalidRequest:
        return f" To use it in this notebook: {use_it}"
    if source == f"profile {profile}":
        return ""
    return f" This notebook takes its key from {source}; to use the new one: {use_it}"


def _hidden(prompt: str) -> str:
    from IPython.core.error import StdinNotImplementedError

    try:
        return getpass.getpass(prompt)
    except (StdinNotImplementedError, EOFError):
        pass
    except KeyboardInterrupt:
        raise InvalidRequest("No key was typed, and nothing was saved.") from None
    raise InvalidRequest(f"Nobody can type a key here. Set the environment variable {settings.API_KEY} instead.")


def _no_arguments(parser: LineParser) -> None:
    """The command takes none."""


def _status(session: Session, arguments: Namespace) -> Text:
    client = session.client
    pods = client.pods.list()
    running = sum(pod.status == "RUNNING" for pod in pods)
    mark = "SANDBOX, nothing costs money: " if client.is_sandbox else ""
    cost = sum(pod.hourly_cost or 0.0 for pod in pods)
    return Text(
        f"{mark}{client.base_url} as {client.api_key.last_four()} (key from {client.source}); "
        f"{counted(len(pods), 'pod')}, {running} running, {dollars(cost)} now"
    )


COMMANDS: tuple[Command, ...] = (
    Command("login", "Save your API key, typed hidden, after trying it.", _login_arguments, _login),
    Command("status", "Where this notebook is connected, and as whom.", _no_arguments, _status),
)
