"""Validation of the API's address, which receives the key."""

import pytest

from yotta_jupyter import InvalidRequest, connect
from yotta_jupyter.client import Client
from yotta_jupyter.config import Config
from yotta_jupyter.secret import Secret
from yotta_jupyter.urls import is_loopback, is_valid_host, normalize_base_url

KEY = "made-up-key-4f2a"


@pytest.mark.parametrize(
    "address",
    [
        "http://example.org",
        "http://127.0.0.1.example.org",
        "http://localhost.example.org",
        "http://localhost@example.org",
        "http://127.0.0.1:80@example.org",
        "https://u:p@example.org",
        "https://example.org/path",
        "https://example.org?x=1",
        "https://example.org#x",
        "https://exa mple.org",
        "https://example.org\\@127.0.0.1",
        "https://example.org:99999",
        "https://exämple.org",
        "https://[fe80::1%25x]",
        "ftp://x",
        "example.org",
        "https://",
        "http://0.0.0.0",
        "",
    ],
)
def test_unsafe_address_is_rejected(address):
    with pytest.raises(InvalidRequest) as error:
        Client(Config(Secret(KEY), address, None, "test"))
    assert "\n" not in str(error.value)
    assert KEY not in str(error.value)
    if address:  # connect() takes an empty address as none.
        with pytest.raises(InvalidRequest):
            connect(KEY, base_url=address)


def test_rejected_address_does_not_show_a_password():
    with pytest.raises(InvalidRequest) as error:
        normalize_base_url("https://user:made-up-password@example.org")
    assert "made-up-password" not in str(error.value)


@pytest.mark.parametrize(
    ("address", "normalized"),
    [
        ("https://example.org", "https://example.org"),
        ("https://example.org/", "https://example.org"),
        (" https://example.org\n", "https://example.org"),
        ("HTTPS://Example.org:8443", "https://example.org:8443"),
        ("http://localhost:8000", "http://localhost:8000"),
        ("http://127.0.0.1", "http://127.0.0.1"),
        ("http://[::1]:80", "http://[::1]:80"),
    ],
)
def test_https_anywhere_and_http_on_loopback_are_allowed(address, normalized):
    assert connect(KEY, base_url=address).base_url == normalized
    assert normalize_base_url(normalized) == normalized


@pytest.mark.parametrize(
    ("host", "valid"),
    [
        ("example.org", True),
        ("192.0.2.7", True),
        ("2001:db8::7", True),
        ("a" * 254, False),
        ("-x.org", False),
        ("a..b", False),
        ("fe80::1%eth0", False),
        ("h;id", False),
        ("", False),
    ],
)
def test_is_valid_host(host, valid):
    assert is_valid_host(host) is valid


@pytest.mark.parametrize(
    ("host", "loopback"),
    [("localhost", True), ("LOCALHOST", True), ("127.9.9.9", True), ("::1", True), ("0.0.0.0", False), ("x", False)],
)
def test_is_loopback(host, loopback):
    assert is_loopback(host) is loopback
