"""The key goes to its host and nowhere else: not after redirects, to proxies, or to hosts that look alike."""

from __future__ import annotations

import base64
import contextlib
import socket
import ssl
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import hypothesis
import hypothesis.strategies as st
import pytest
import requests
import trustme
from urllib3.util import parse_url

from yotta_jupyter import ConnectionFailed, InvalidRequest, Sandbox, UnexpectedResponse, connect
from yotta_jupyter.api.address import checked_base_url, is_loopback

from .servers import say, server

KEY = "canary-of-the-api-key"
HOST = "api.example.org"
LISTING = b'{"code": 10000, "message": "ok", "data": []}'

pytestmark = pytest.mark.usefixtures("nothing_left")
Seen = list[dict[str, str]]


def listing(handler: BaseHTTPRequestHandler, body: bytes) -> None:
    say(handler, 200, LISTING)


def tunnel(handler: BaseHTTPRequestHandler, body: bytes) -> None:
    """Be a proxy that connects every host to this machine."""
    port = int(handler.path.rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port)) as there:
        handler.send_response(200)
        handler.end_headers()
        back = threading.Thread(target=copied, args=(there, handler.connection))
        back.start()
        copied(handler.connection, there)
        back.join()


def copied(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while chunk := source.recv(65536):
            target.sendall(chunk)
        target.shutdown(socket.SHUT_RDWR)


def test_only_the_sandbox_costs_nothing(
    shell_run: Callable[[str], str], monkeypatch: pytest.MonkeyPatch, sandbox: Sandbox
) -> None:
    """A loopback address may be a tunnel to the cloud."""
    monkeypatch.setenv("YOTTA_API_KEY", sandbox.api_key)
    with server(listing) as tunnel:
        for address, free in ((tunnel, False), (sandbox.base_url, True)):
            monkeypatch.setenv("YOTTA_BASE_URL", address)
            assert ("SANDBOX, nothing costs money" in shell_run("%yotta status")) is free


@pytest.fixture
def https(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., contextlib.AbstractContextManager[str]]:
    """Serve over TLS as a host of the internet, with a certificate that is trusted, or another host's."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "authority.pem"))
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "authority.pem"))
    resolve = socket.getaddrinfo

    def here(host: Any, *args: Any, **options: Any) -> Any:
        return resolve("127.0.0.1" if host in (HOST, b"api.example.org") else host, *args, **options)

    monkeypatch.setattr(socket, "getaddrinfo", here)

    @contextlib.contextmanager
    def serves(answer: Any, seen: Seen, certified: str = HOST) -> Iterator[str]:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert(certified).configure_cert(context)
        with server(answer, seen, context) as address:
            yield f"https://{HOST}:{urlsplit(address).port}"

    return serves


def with_key(seen: Seen) -> int:
    return sum(KEY in str(request) or base64.b64encode(KEY.encode()).decode() in str(request) for request in seen)


CALLS: list[Callable[[Any], object]] = [
    lambda pods: pods.list(),
    lambda pods: pods.get("1"),
    lambda pods: pods.pause("1"),
    lambda pods: pods.delete("1"),
]


@pytest.mark.parametrize("status", [300, 301, 302, 303, 305, 307, 308])
def test_no_redirect_is_followed_to_another_port(status: int) -> None:
    elsewhere: Seen = []
    asked: Seen = []
    with server(listing, elsewhere) as other:
        redirect = lambda handler, body: say(handler, status, b"", Location=f"{other}/openapi/v1/pods/list")  # noqa: E731
        with server(redirect, asked) as address, connect(KEY, base_url=address, timeout=5) as yotta:
            for call in CALLS:
                with pytest.raises(UnexpectedResponse, match="redirects to"):
                    call(yotta.pods)
    assert elsewhere == []
    assert with_key(asked) == len(CALLS)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_no_redirect_is_followed_from_https_to_http(https: Any, status: int) -> None:
    elsewhere: Seen = []
    with server(listing, elsewhere) as other:
        to = f"http://{HOST}:{urlsplit(other).port}/openapi/v1/pods/list"
        with (
            https(lambda handler, body: say(handler, status, b"", Location=to), []) as address,
            connect(KEY, base_url=address, timeout=5) as yotta,
        ):
            for call in CALLS:
                with pytest.raises(UnexpectedResponse, match="redirects to"):
                    call(yotta.pods)
    assert elsewhere == []


def test_a_host_that_cannot_prove_its_name_gets_nothing(https: Any) -> None:
    seen: Seen = []
    with (
        https(listing, seen, certified="other.example.org") as address,
        connect(KEY, base_url=address, timeout=5) as yotta,
        pytest.raises(ConnectionFailed, match="certificate"),
    ):
        yotta.pods.list()
    assert seen == []


@pytest.mark.parametrize("name", ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "HTTPS_PROXY"])
def test_a_proxy_gets_nothing_of_what_stays_on_this_machine(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    through: Seen = []
    with server(listing, through) as proxy, server(listing) as address:
        monkeypatch.setenv(name, proxy)
        for host in ("127.0.0.1", "localhost"):
            with connect(KEY, base_url=f"http://{host}:{urlsplit(address).port}", timeout=5) as yotta:
                assert yotta.pods.list() == []
    assert through == []


@pytest.mark.parametrize("name", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY"])
def test_a_proxy_of_the_environment_carries_the_key_only_inside_tls(
    https: Any, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    through: Seen = []
    arrived: Seen = []
    with server(tunnel, through) as proxy, https(listing, arrived) as address:
        monkeypatch.setenv(name, proxy.replace("//", "//user:word@"))
        with connect(KEY, base_url=address, timeout=5) as yotta:
            assert yotta.pods.list() == []
    assert [request["path"] for request in through] == [address.removeprefix("https://")]
    assert with_key(through) == 0
    assert with_key(arrived) == 1


def test_a_netrc_changes_nothing(https: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "netrc").write_text(f"machine {HOST} login somebody password else\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    arrived: Seen = []
    with https(listing, arrived) as address, connect(KEY, base_url=address, timeout=5) as yotta:
        yotta.pods.list()
    (request,) = arrived
    assert request["x-api-key"] == KEY
    assert "authorization" not in request


def test_cookies_of_a_server_are_not_sent_back() -> None:
    seen: Seen = []
    with (
        server(lambda handler, body: say(handler, 200, LISTING, Set_Cookie="follow=me; Path=/"), seen) as address,
        connect(KEY, base_url=address, timeout=5) as yotta,
    ):
        yotta.pods.list()
        yotta.pods.list()
    assert [request.get("cookie") for request in seen] == [None, None]


PARTS = [
    "http://",
    "https://",
    "HTTP:",
    "//",
    "127.0.0.1",
    "localhost",
    "[::1]",
    "example.org",
    "@",
    ":",
    "80",
    "/",
    "\\",
]
PARTS += [".", "#", "?", "%40", "%2f", "user", "\t", "\n", " ", "。", "①", "0x7f.1", "127.1", "2130706433", "::ffff:"]
PARTS += ["ｌocalhost", "localhost.", "\u200b", "\x00", ";", "&", "[", "]", "xn--", "0", "1"]


def test_what_an_address_is_taken_for_is_where_the_request_goes(
    search: Callable[..., hypothesis.settings], counted: Counter[str]
) -> None:
    @search(2000, 50_000)
    @hypothesis.given(st.lists(st.sampled_from(PARTS), max_size=7).map("".join) | st.text(max_size=40))
    def attack(address: str) -> None:
        counted["addresses tried"] += 1
        try:
            checked = checked_base_url(address)
        except InvalidRequest:
            return
        host = urlsplit(checked).hostname or ""
        prepared = requests.Request("GET", f"{checked}/openapi/v1/pods/list").prepare().url or ""
        sent_to = parse_url(prepared)
        assert sent_to.auth is None
        assert (sent_to.host or "").strip("[]") == host
        assert sent_to.scheme == "https" or is_loopback((sent_to.host or "").strip("[]"))

    attack()
