"""`Client` and `connect`: validation of the key and timeout, closing, and what is a sandbox."""

import pytest

from yotta_jupyter import InvalidRequest, Sandbox, connect

URL = "http://127.0.0.1:1"


@pytest.mark.parametrize("key", ["a\nb", "é", "a b", "a\rb", "\u2022"])
def test_key_that_is_invalid_in_a_header_is_rejected_and_not_shown(key):
    with pytest.raises(InvalidRequest) as error:
        connect(key, base_url=URL)
    assert key not in str(error.value)


@pytest.mark.parametrize("key", ["", " "])
def test_empty_key_is_rejected(key):
    with pytest.raises(InvalidRequest, match="API key"):
        connect(key, base_url=URL)


@pytest.mark.parametrize("timeout", [0, -1, 3601, float("nan"), True, "5"])
def test_invalid_timeout_is_rejected(timeout):
    with pytest.raises(InvalidRequest, match="timeout"):
        connect("k", base_url=URL, timeout=timeout)


def test_closed_client_reconnects():
    with Sandbox() as sandbox, connect(sandbox.api_key, base_url=sandbox.base_url) as yotta:
        yotta.close()
        assert len(yotta.pods.list()) == 3


def test_client_knows_a_sandbox_from_its_responses(yotta):
    assert yotta.is_sandbox is False
    yotta.pods.list()
    assert yotta.is_sandbox is True
