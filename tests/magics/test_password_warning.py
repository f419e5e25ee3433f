"""The note about a pod that accepts the published password of its image."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future

import pytest

from yotta_jupyter.remote import Remote


def test_a_pod_that_accepts_the_published_password_is_named_once(
    captured_output: Callable[[str], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    accepted: Future[bool] = Future()
    accepted.set_result(True)
    monkeypatch.setattr(Remote, "check_password", lambda remote, user, password: accepted)
    captured_output("%yotta create pytorch --gpu L4 --name train --wait")
    output = captured_output("%yotta interrupt train")
    assert "accepts SSH logins as ubuntu" in output
    assert "Lock it: %yotta sh train -- sudo passwd -l ubuntu" in output
    assert "accepts SSH logins" not in captured_output("%yotta interrupt train")
