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


def respond_with_no_pods(handler: BaseHTTPRequestHandler, body: bytes) -> None:
    respond(handler, 200, LISTING)


def proxy_to_this_machine(handler: BaseHTTPRequestHandler, body: bytes) -> None:
    """Handle a CONNECT request to any host by connecting to this machine."""
    port = int(handler.path.rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port)) as upstream:
        handler.send_response(200)
        handler.end_headers()
        thread = threading.Thread(target=copy_stream, args=(upstream, handler.connection))
        thread.start()
        copy_stream(handler.connection, upstream)
        thread.join()


def copy_stream(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while chunk := source.recv(65536):
            target.sendall(chunk)
        target.shutdown(socket.SHUT_RDWR)


def test_only_a_sandbox_is_called_a_sandbox(
    run_cell: Callable[[str], str], monkeypatch: pytest.MonkeyPatch, sandbox: Sandbox
) -> None:
    """A loopback address may be a tunnel to the cloud."""
    monkeypatch.setenv("YOTTA_API_KEY", sandbox.api_key)
    with serve(respond_with_no_pods) as tunnel:
        for address, is_sandbox in ((tunnel, False), (sandbox.base_url, True)):
            monkeypatch.setenv("YOTTA_BASE_URL", address)
            assert ("SANDBOX, nothing costs money" in run_cell("%yotta status")) is is_sandbox


@pytest.fixture
def serve_https(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., contextlib.AbstractContextManager[str]]:
    """Serve over TLS as `HOST`, with a trusted certificate for its name or for another one."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "authority.pem"))
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "authority.pem"))
    resolve = socket.getaddrinfo

    def resolve_locally(host: Any, *args: Any, **options: Any) -> Any:
        address = "127.0.0.1" if host in (HOST, HOST.encode()) else host
        return resolve(address, *args, **options)

    monkeypatch.setattr(socket, "getaddrinfo", resolve_locally)

    @contextlib.contextmanager
    def serve_as_host(handle: Any, requests: Requests, certificate_name: str = HOST) -> Iterator[str]:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert(certificate_name).configure_cert(context)
        with serve(handle, requests, context) as address:
            yield f"https://{HOST}:{urlsplit(address).port}"

    return serve_as_host


def count_with_key(requests: Requests) -> int:
    """Return how many requests contain the key, as it is or as base64."""
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
    with serve(respond_with_no_pods, requests_to_target) as target:
        location = f"{target}/openapi/v1/pods/list"

        def redirect(handler: BaseHTTPRequestHandler, body: bytes) -> None:
            respond(handler, status, b"", Location=location)

        with serve(redirect, received) as address, connect(KEY, base_url=address, timeout=5) as yotta:
            for call in CALLS:
                with pytest.raises(UnexpectedResponse, match="redirects to"):
                    call(yotta.pods)
    assert requests_to_target == []
    assert count_with_key(received) == len(CALLS)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirect_from_https_to_http_is_not_followed(serve_https: Any, status: int) -> None:
    requests_to_target: Requests = []
    with serve(respond_with_no_pods, requests_to_target) as target:
        location = f"http://{HOST}:{urlsplit(target).port}/openapi/v1/pods/list"
        with (
            serve_https(lambda handler, body: respond(handler, status, b"", Location=location), []) as address,
            connect(KEY, base_url=address, timeout=5) as yotta,
        ):
            for call in CALLS:
                with pytest.raises(UnexpectedResponse, match="redirects to"):
                    call(yotta.pods)
    assert requests_to_target == []


def test_host_without_a_valid_certificate_gets_no_request(serve_https: Any) -> None:
    received: Requests = []
    with (
        serve_https(respond_with_no_pods, received, certificate_name="other.example.org") as address,
        connect(KEY, base_url=address, timeout=5) as yotta,
        pytest.raises(ConnectionFailed, match="certificate"),
    ):
        yotta.pods.list()
    assert received == []


@pytest.mark.parametrize("name", ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "HTTPS_PROXY"])
def test_requests_to_this_machine_use_no_proxy(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    requests_to_proxy: Requests = []
    with serve(respond_with_no_pods, requests_to_proxy) as proxy_address, serve(respond_with_no_pods) as address:
        monkeypatch.setenv(name, proxy_address)
        for host in ("127.0.0.1", "localhost"):
            with connect(KEY, base_url=f"http://{host}:{urlsplit(address).port}", timeout=5) as yotta:
                assert yotta.pods.list() == []
    assert requests_to_proxy == []


@pytest.mark.parametrize("name", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY"])
def test_proxy_gets_the_key_only_inside_of_tls(serve_https: Any, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    requests_to_proxy: Requests = []
    received: Requests = []
    with (
        serve(proxy_to_this_machine, requests_to_proxy) as proxy_address,
        serve_https(respond_with_no_pods, received) as address,
    ):
        monkeypatch.setenv(name, proxy_address.replace("//", "//user:word@"))
        with connect(KEY, base_url=address, timeout=5) as yotta:
            assert yotta.pods.list() == []
    assert [request["path"] for request in requests_to_proxy] == [address.removeprefix("https://")]
    assert count_with_key(requests_to_proxy) == 0
    assert count_with_key(received) == 1


def test_netrc_is_not_used(serve_https: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "netrc").write_text(f"machine {HOST} login somebody password else\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    received: Requests = []
    with serve_https(respond_with_no_pods, received) as address, connect(KEY, base_url=address, timeout=5) as yotta:
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


SCHEMES = ["http://", "https://", "HTTP:", "//"]
HOSTS = ["127.0.0.1", "localhost", "[::1]", "example.org"]
UNUSUAL_HOSTS = ["0x7f.1", "127.1", "2130706433", "::ffff:", "ｌocalhost", "localhost.", "xn--", "①"]
DELIMITERS = [
    "@",
    ":",
    "/",
    "\\",
    ".",
    "。",
    "#",
    "?",
    "%40",
    "%2f",
    ";",
    "&",
    "[",
    "]",
    "\t",
    "\n",
    " ",
    "\u200b",
    "\x00",
]
ADDRESS_PARTS = SCHEMES + HOSTS + UNUSUAL_HOSTS + DELIMITERS + ["user", "80", "0", "1"]


def test_request_goes_to_the_host_of_the_address(
    search_settings: Callable[..., hypothesis.settings], attack_counter: Counter[str]
) -> None:
    @search_settings(2000, 50_000)
    @hypothesis.given(st.lists(st.sampled_from(ADDRESS_PARTS), max_size=7).map("".join) | st.text(max_size=40))
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
