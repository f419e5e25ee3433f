"""The commands login and status."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import pytest

from yotta_jupyter import InvalidRequest, Sandbox

Run = Callable[[str], Any]
Output = Callable[[str], str]


def raise_keyboard_interrupt(*_: object) -> NoReturn:
    raise KeyboardInterrupt


def test_status_shows_four_characters_of_the_key(run: Run, sandbox: Sandbox) -> None:
    text = run("%yotta status")
    assert sandbox.base_url in text
    assert f"••••{sandbox.api_key[-4:]} (key from YOTTA_API_KEY); 3 pods, 2 running" in text
    assert sandbox.api_key not in text


def test_a_rejected_key_is_reported_with_its_source(captured_output: Output, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("YOTTA_API_KEY", "not-the-key")
    assert "The key came from YOTTA_API_KEY." in captured_output("%yotta status")


def test_login_tests_the_key_before_saving_it(
    run: Run, captured_output: Output, sandbox: Sandbox, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("YOTTA_API_KEY")
    monkeypatch.setattr("getpass.getpass", lambda prompt: "wrong-key")
    output = captured_output("%yotta login")
    assert "refused the API key" in output
    assert "The key came from" not in output
    assert not (home / ".yotta").exists()
    with pytest.raises(InvalidRequest, match="There is no API key"):
        run("%yotta list")
    monkeypatch.setattr("getpass.getpass", lambda prompt: sandbox.api_key)
    output = captured_output("%yotta login --profile work")
    assert sandbox.api_key not in output
    run(output.partition("To use it in this notebook: ")[2])
    assert len(run("%yotta list")) == 3


def test_login_ignores_spaces_around_the_key(
    captured_output: Output, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("getpass.getpass", lambda prompt: f" {sandbox.api_key}\n")
    assert "accepted the key" in captured_output("%yotta login")
    monkeypatch.setattr("getpass.getpass", lambda prompt: f"{sandbox.api_key} x")
    assert "accepted the key" not in captured_output("%yotta login")


def test_login_saves_the_active_profile(
    run: Run, captured_output: Output, sandbox: Sandbox, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("getpass.getpass", lambda prompt: sandbox.api_key)
    run('%config YottaMagics.profile = "work"')
    assert captured_output("%yotta login").endswith("Saved as profile work in ~/.yotta/config.")
    assert "[work]" in (home / ".yotta" / "config").read_text()


def test_login_names_a_key_that_takes_precedence(
    captured_output: Output, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("getpass.getpass", lambda prompt: sandbox.api_key)
    output = captured_output("%yotta login")
    assert "takes its key from YOTTA_API_KEY" in output
    captured_output(output.partition("to use the new one: ")[2])
    assert "key from profile default" in captured_output("%yotta status")


def test_ctrl_c_at_the_key_prompt_saves_nothing(run: Run, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("getpass.getpass", raise_keyboard_interrupt)
    with pytest.raises(InvalidRequest, match="nothing was saved"):
        run("%yotta login")
    assert not (home / ".yotta").exists()


def test_login_is_refused_while_connected_to_the_sandbox(
    captured_output: Output, run: Run, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("getpass.getpass", raise_keyboard_interrupt)
    captured_output("%yotta sandbox start")
    with pytest.raises(InvalidRequest, match="first: %yotta sandbox stop"):
        run("%yotta login")
    assert not (home / ".yotta").exists()


@pytest.mark.parametrize(
    "arguments",
    ["sk_live_1234", "--api-key=sk_live_1234", "--key sk_live_1234", "--sk_live_1234", "--profile p sk_live_1234"],
)
def test_login_never_repeats_its_arguments(captured_output: Output, run: Run, arguments: str) -> None:
    with pytest.raises(InvalidRequest, match=r"prompts for the key .* delete the line, and revoke the key"):
        run(f"%yotta login {arguments}")
    assert "sk_live" not in captured_output(f"%yotta login {arguments}")
