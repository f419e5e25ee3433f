"""The key is sent to its host only: not after redirects, not to proxies, not to hosts that look alike."""

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
from yotta_jupyter.urls import is_loopback, normalize_base_url

from .http_servers import Requests, respond, serve

KEY = "canary-of-the-api-key"
HOST = "api.example.org"
LISTING = b'{"code": 10000, "message": "ok", "data": []}'

pytestmark = pytest.mark.usefixtures("no_resource_leaks")


def empty_list(handler: BaseHTTPRequestHandler, body: bytes) -> None:
    respond(handler, 200, LISTING)


def proxy(handler: BaseHTTPRequestHandler, body: bytes) -> None:
    """Connect to this machine for every host, as a proxy would."""
    port = int(handler.path.rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port)) as upstream:
        handler.send_response(200)
        handler.end_headers()
        thread = threading.Thread(target=copy, args=(upstream, handler.connection))
        thread.start()
        copy(handler.connection, upstream)
        thread.join()


def copy(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while chunk := source.recv(65536):
            target.sendall(chunk)
        target.shutdown(socket.SHUT_RDWR)


def test_only_a_sandbox_is_called_a_sandbox(
    run_cell: Callable[[str], str], monkeypatch: pytest.MonkeyPatch, sandbox: Sandbox
) -> None:
    """A loopback address may be a tunnel to the cloud."""
    monkeypatch.setenv("YOTTA_API_KEY", sandbox.api_key)
    with serve(empty_list) as tunnel:
        for address, is_sandbox in ((tunnel, False), (sandbox.base_url, True)):
            monkeypatch.setenv("YOTTA_BASE_URL", address)
            assert ("SANDBOX, nothing costs money" in run_cell("%yotta status")) is is_sandbox


@pytest.fixture
def https(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., contextlib.AbstractContextManager[str]]:
    """Serve over TLS as a host of the internet, with a trusted certificate for its name or for another one."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "authority.pem"))
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "authority.pem"))
    resolve = socket.getaddrinfo

    def resolve_locally(host: Any, *args: Any, **options: Any) -> Any:
        return resolve("127.0.0.1" if host in (HOST, b"api.example.org") else host, *args, **options)

    monkeypatch.setattr(socket, "getaddrinfo", resolve_locally)

    @contextlib.contextmanager
    def serve_https(handle: Any, requests: Requests, certificate_name: str = HOST) -> Iterator[str]:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert(certificate_name).configure_cert(context)
        with serve(handle, requests, context) as address:
            yield f"https://{HOST}:{urlsplit(address).port}"

    return serve_https


def count_with_key(requests: Requests) -> int:
    encoded = base64.b64encode(KEY.encode()).decode()
    return sum(KEY in str(request) or encoded in str(request) for request in requests)


CALLS: list[Callable[[Any], object]] = [
    lambda pods: pods.list(),
    lambda pods: pods.get("1"),
    lambda pods: pods.pause("1"),
    lambda pods: pods.delete("1"),
]


@pytest.mark.parametrize("status", [300, 301, 302, 303, 305, 307, 308])
def test_redirect_to_another_port_is_not_followed(status: int) -> None:
    requests_to_target: Requests = []
    received: Requests = []
    with serve(empty_list, requests_to_target) as target:
        redirect = lambda handler, body: respond(handler, status, b"", Location=f"{target}/openapi/v1/pods/list")  # noqa: E731
        with serve(redirect, received) as address, connect(KEY, base_url=address, timeout=5) as yotta:
            for call in CALLS:
                with pytest.raises(UnexpectedResponse, match="redirects to"):
                    call(yotta.pods)
    assert requests_to_target == []
    assert count_with_key(received) == len(CALLS)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirect_from_https_to_http_is_not_followed(https: Any, status: int) -> None:
    requests_to_target: Requests = []
    with serve(empty_list, requests_to_target) as target:
        location = f"http://{HOST}:{urlsplit(target).port}/openapi/v1/pods/list"
        with (
            https(lambda handler, body: respond(handler, status, b"", Location=location), []) as address,
            connect(KEY, base_url=address, timeout=5) as yotta,
        ):
            for call in CALLS:
                with pytest.raises(UnexpectedResponse, match="redirects to"):
                    call(yotta.pods)
    assert requests_to_target == []


def test_host_without_a_valid_certificate_gets_no_request(https: Any) -> None:
    received: Requests = []
    with (
        https(empty_list, received, certificate_name="other.example.org") as address,
        connect(KEY, base_url=address, timeout=5) as yotta,
        pytest.raises(ConnectionFailed, match="certificate"),
    ):
        yotta.pods.list()
    assert received == []


@pytest.mark.parametrize("name", ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "HTTPS_PROXY"])
def test_requests_to_this_machine_use_no_proxy(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    requests_to_proxy: Requests = []
    with serve(empty_list, requests_to_proxy) as proxy_address, serve(empty_list) as address:
        monkeypatch.setenv(name, proxy_address)
        for host in ("127.0.0.1", "localhost"):
            with connect(KEY, base_url=f"http://{host}:{urlsplit(address).port}", timeout=5) as yotta:
                assert yotta.pods.list() == []
    assert requests_to_proxy == []


@pytest.mark.parametrize("name", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY"])
def test_proxy_gets_the_key_only_inside_of_tls(https: Any, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    requests_to_proxy: Requests = []
    received: Requests = []
    with serve(proxy, requests_to_proxy) as proxy_address, https(empty_list, received) as address:
        monkeypatch.setenv(name, proxy_address.replace("//", "//user:word@"))
        with connect(KEY, base_url=address, timeout=5) as yotta:
            assert yotta.pods.list() == []
    assert [request["path"] for request in requests_to_proxy] == [address.removeprefix("https://")]
    assert count_with_key(requests_to_proxy) == 0
    assert count_with_key(received) == 1


def test_netrc_is_not_used(https: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "netrc").write_text(f"machine {HOST} login somebody password else\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    received: Requests = []
    with https(empty_list, received) as address, connect(KEY, base_url=address, timeout=5) as yotta:
        yotta.pods.list()
    (request,) = received
    assert request["x-api-key"] == KEY
    assert "authorization" not in request


def test_cookies_are_not_sent_back() -> None:
    received: Requests = []
    with (
        serve(
            lambda handler, body: respond(handler, 200, LISTING, Set_Cookie="follow=me; Path=/"), received
        ) as address,
        connect(KEY, base_url=address, timeout=5) as yotta,
    ):
        yotta.pods.list()
        yotta.pods.list()
    assert [request.get("cookie") for request in received] == [None, None]


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


def test_request_goes_to_the_host_of_the_address(
    search_settings: Callable[..., hypothesis.settings], attack_counter: Counter[str]
) -> None:
    @search_settings(2000, 50_000)
    @hypothesis.given(st.lists(st.sampled_from(PARTS), max_size=7).map("".join) | st.text(max_size=40))
    def attack(address: str) -> None:
        attack_counter["addresses tried"] += 1
        try:
            base_url = normalize_base_url(address)
        except InvalidRequest:
            return
        host = urlsplit(base_url).hostname or ""
        prepared = requests.Request("GET", f"{base_url}/openapi/v1/pods/list").prepare().url or ""
        target = parse_url(prepared)
        assert target.auth is None
        assert (target.host or "").strip("[]") == host
        assert target.scheme == "https" or is_loopback((target.host or "").strip("[]"))

    attack()
