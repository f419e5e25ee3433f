"""The commands for the connection to the API: login, status."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path
from typing import Final

from ... import config
from ...client import Client
from ...config import Config
from ...errors import InvalidRequest
from ...formatting import format_rate, pluralize
from ...keys import DEFAULT_KEY
from ...models import summarize
from ...profiles import save_profile
from ...sanitize import single_line
from ..display import PlainText
from ..parser import Command, LineParser
from ..prompts import prompt_secret
from ..session import Session

_LOGIN_ARGUMENT_ERROR: Final = (
    "%yotta login prompts for the key and takes only --profile P. A key that is typed into a cell stays in the "
    "notebook and in the history: delete the line, and revoke the key in the console under Settings → Access Keys."
)
"""The error does not repeat the arguments, because one may be a key."""


def _add_login_arguments(parser: LineParser) -> None:
    parser.add_argument(
        "--profile",
        metavar="P",
        completes="profile",
        help="the profile to save the key in; default: the active profile",
    )


def _login(session: Session, arguments: Namespace) -> PlainText:
    if session.sandbox is not None:
        raise InvalidRequest(
            "This notebook is connected to its sandbox. To log in to your account, first: %yotta sandbox stop"
        )
    overrides = session.overrides()
    profile = arguments.profile or config.active_profile(overrides)
    base_url = config.base_url_for(profile, overrides)
    key = config.validate_api_key(_prompt_key(f"API key for {base_url} (Settings → Access Keys): "))
    with Client(Config(api_key=key, base_url=base_url, timeout=overrides.timeout, key_source="%yotta login")) as client:
        pods = client.pods.list()  # Only a key that works is saved.
    save_profile(profile, key, base_url)
    session.reset()
    accepted = f"{base_url} accepted the key {key.masked()}; {pluralize(len(pods), 'pod')}."
    saved = f"Saved as profile {profile} in ~/.yotta/config."
    return PlainText(f"{accepted} {saved}{_how_to_use(session, profile)}")


def _how_to_use(session: Session, profile: str) -> str:
    """Return how to use a profile in this notebook, or an empty string if it is in use."""
    command = f'%config YottaMagics.profile = "{profile}"'
    try:
        source = config.resolve_config(overrides=session.overrides()).key_source
    except InvalidRequest:
        return f" To use it in this notebook: {command}"
    if source == config.profile_source(profile):
        return ""
    return f" This notebook takes its key from {source}; to use the new one: {command}"


def _prompt_key(prompt: str) -> str:
    try:
        key = prompt_secret(prompt)
    except KeyboardInterrupt:
        raise InvalidRequest("No key was entered, and nothing was saved.") from None
    if key is None:
        raise InvalidRequest(f"Input is not possible here. Set the environment variable {config.API_KEY_ENV} instead.")
    return key.strip()


def _status(session: Session, arguments: Namespace) -> PlainText:
    client = session.client
    totals = summarize(client.pods.list())
    prefix = "SANDBOX, nothing costs money: " if client.is_sandbox else ""
    return PlainText(
        f"{prefix}{client.base_url} as {client.api_key.masked()} (key from {client.key_source}); "
        f"{pluralize(totals.total, 'pod')}, {totals.running} running, {format_rate(totals.hourly_cost)} now; "
        f"SSH key {_format_key_file(client.ssh_key)}"
    )


def _format_key_file(key_file: str) -> str:
    path = single_line(key_file, 200)
    if Path(key_file).expanduser().exists():
        return path
    return f"{path} (created by the first create)" if key_file == DEFAULT_KEY else f"{path} (does not exist)"


COMMANDS: tuple[Command, ...] = (
    Command(
        "login",
        "Save your API key, entered hidden, after testing it.",
        _login,
        _add_login_arguments,
        argument_error=_LOGIN_ARGUMENT_ERROR,
    ),
    Command("status", "Show the API, the key and the cost of this notebook's connection.", _status, only_reads=True),
)
