"""``%yotta open``: links to servers on a pod of the sandbox, used by real HTTP requests."""

from __future__ import annotations

import json
import socket
import sys
import threading
import types
from collections.abc import Callable, Iterator
from http.client import HTTPConnection, HTTPResponse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

import pytest

from yotta_jupyter import InvalidRequest, Pod, Sandbox
from yotta_jupyter.errors import RemoteUnavailable
from yotta_jupyter.tunnels import routes, sign_in, tunnels

Run = Callable[[str], Any]
Output = Callable[[str], str]


def get(url: str, host: str = "", cookie: str = "") -> HTTPResponse:
    """Return the response to one request, without following redirects."""
    parts = urlsplit(url)
    connection = HTTPConnection(parts.netloc, timeout=20)
    headers = {name: value for name, value in (("Host", host), ("Cookie", cookie)) if value}
    connection.request("GET", parts.path + (f"?{parts.query}" if parts.query else ""), headers=headers)
    response = connection.getresponse()
    response.body = response.read()  # type: ignore[attr-defined]
    connection.close()
    return response


def is_open(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 5).close()
    except ConnectionRefusedError:
        return False
    return True


def find_free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def free_port() -> int:
    return find_free_port()


@pytest.fixture
def other_port() -> int:
    return find_free_port()


@pytest.fixture
def pod(run: Run, free_port: int, monkeypatch: pytest.MonkeyPatch) -> Pod:
    """A pod named train. Pods of a sandbox share the ports of this machine, so that its Jupyter is not on 8888."""
    monkeypatch.setattr(tunnels, "JUPYTER_PORT", free_port)
    return run("%yotta create pytorch --gpu L4 --name train --wait")


@pytest.fixture
def password(pod: Pod) -> str:
    return pod.environment["JUPYTER_PASSWORD"].reveal()


@pytest.fixture
def fake_jupyter(password: str) -> Iterator[int]:
    """A server that answers as Jupyter does and accepts the pod's password; its port."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            is_allowed = self.path == "/api" or self.headers.get("Authorization") == f"token {password}"
            body = json.dumps({"version": "2.0"}).encode()
            self.send_response(200 if is_allowed else 403)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


def test_the_jupyterlab_of_the_pod_opens_signed_in(
    run: Run, captured_output: Output, sandbox: Sandbox, pod: Pod, password: str, free_port: int
) -> None:
    options = f"--no-browser --allow-root --ServerApp.port={free_port} --IdentityProvider.token={password}"
    with run("get_ipython().magics_manager.registry['YottaMagics'].session").client.pods.remote(pod.id) as remote:
        remote.shell(
            f"nohup python3 -m jupyterlab {options} >log 2>&1 & until grep -q 'is running at' log; do sleep .1; done"
        )
    output = captured_output("link = %yotta open train\nlink")
    link = run("link")
    assert output == f"Out[0]: JupyterLab of train: {link.url}"
    assert f'href="{link.url}"' in link._repr_html_()
    assert link.port == free_port
    signed_in = get(link.url)
    assert signed_in.headers["Location"] == f"http://127.0.0.1:{link.local_port}/lab?token={password}"
    page = get(signed_in.headers["Location"])
    assert page.status == 200
    assert b"JupyterLab" in page.body  # type: ignore[attr-defined]
    cookie = page.headers["Set-Cookie"].partition(";")[0]
    sandbox.kill_connections(pod.id)
    link_cookie = signed_in.headers["Set-Cookie"].partition(";")[0]
    later = get(link.url, cookie=link_cookie).headers["Location"]
    assert later == f"http://127.0.0.1:{link.local_port}/lab"
    assert get(later, cookie=cookie).status == 200
    assert get(later).status == 302  # To the login page.
    assert password not in output + link._repr_html_() + repr(link)


def test_behind_a_proxy_a_jupyterlab_is_started_with_the_path_of_the_proxy(
    run: Run, captured_output: Output, pod: Pod, other_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JUPYTERHUB_SERVICE_PREFIX", "/user/me/")
    with pytest.raises(InvalidRequest, match="pip install jupyter-server-proxy"):
        run("%yotta open train")
    monkeypatch.setattr(routes, "find_spec", lambda name: name == "jupyter_server_proxy")
    output = captured_output("link = %yotta open train")
    assert "Note: This JupyterLab was started on train for the link." in output
    link = run("link")
    assert link.url.startswith("/user/me/proxy/")
    port, path = link.url.removeprefix("/user/me/proxy/").split("/")
    redirect = get(f"http://127.0.0.1:{port}/{path}", host="hub.example.com")
    assert redirect.headers["Location"].startswith(f"../absolute/{link.local_port}/lab?token=")
    page = redirect.headers["Location"].replace("..", f"http://127.0.0.1:{link.local_port}/user/me/proxy")
    assert get(page, host="hub.example.com").status == 200
    run("%yotta open train --close")
    assert run("%yotta open train").local_port == link.local_port  # The same JupyterLab.
    for _ in range(2):
        assert run(f"%yotta open train --local-port {other_port}").local_port == other_port


def test_in_colab_a_link_uses_the_port_proxy(
    run: Run, pod: Pod, fake_jupyter: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    colab = types.ModuleType("google.colab")
    colab.output = types.SimpleNamespace(  # type: ignore[attr-defined]
        eval_js=lambda code: f"https://{code.rpartition('(')[2].strip(')')}-colab.example.com/"
    )
    monkeypatch.setitem(sys.modules, "google.colab", colab)
    link = run(f"%yotta open train --port {fake_jupyter}")
    host, path = urlsplit(link.url).netloc, urlsplit(link.url).path
    port = int(host.partition("-")[0])
    location = get(f"http://127.0.0.1:{port}{path}", host=host).headers["Location"]
    assert location.startswith(f"https://{link.local_port}-colab.example.com/lab?token=")


def test_a_link_gives_the_token_once_and_only_to_the_own_page(
    run: Run,
    captured_output: Output,
    pod: Pod,
    fake_jupyter: int,
    password: str,
    other_port: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    link = run(f"%yotta open train --port {fake_jupyter}")
    guessed = get(link.url[:-1] + ("A" if link.url[-1] != "A" else "B"))
    rebound = get(link.url, host=f"attacker.example.com:{urlsplit(link.url).port}")
    assert [guessed.status, rebound.status] == [404, 404]
    assert b"Run %yotta open again in the notebook" in guessed.body  # type: ignore[attr-defined]
    first = get(link.url)
    assert password in first.headers["Location"]
    assert (first.headers["Cache-Control"], first.headers["Referrer-Policy"]) == ("no-store", "no-referrer")
    cookie, *attributes = first.headers["Set-Cookie"].split("; ")
    assert attributes == [f"Path={urlsplit(link.url).path}", "Max-Age=2592000", "HttpOnly", "SameSite=Lax"]
    assert get(link.url, cookie=f"a=b; {cookie}").headers["Location"] == f"http://127.0.0.1:{link.local_port}/lab"
    other_browser = get(link.url)
    assert other_browser.status == 404
    assert other_browser.body.startswith(b"This link was used already")  # type: ignore[attr-defined]
    assert b"Run %yotta open train again in the notebook" in other_browser.body  # type: ignore[attr-defined]
    note = captured_output(f"%yotta open train --port {fake_jupyter} --local-port {other_port}")
    assert note.startswith(f"Note: the link signs in, and then leads to the local port {other_port}.")
    monkeypatch.setattr(sign_in, "LINK_LIFETIME", 0.0)
    expired = get(run(f"%yotta open train --port {fake_jupyter}").url)
    assert expired.status == 404
    assert b"too old" in expired.body  # type: ignore[attr-defined]


def test_other_ports_and_their_errors(
    run: Run, captured_output: Output, sandbox: Sandbox, pod: Pod, free_port: int, other_port: int
) -> None:
    port = urlsplit(sandbox.base_url).port  # Any server.
    link = run(f"%yotta open train --port {port} --local-port {free_port}")
    assert repr(link) == f"Port {port} of train: http://127.0.0.1:{free_port}/"
    assert get(link.url).headers["Server"].startswith("YottaSandbox")
    assert run(f"%yotta open train --port {port}") == link
    second = run(f"%yotta open train --port {port} --local-port {other_port}")
    assert get(second.url).status == get(link.url).status  # Both tunnels are open.
    with pytest.raises(InvalidRequest, match=f"local port {port} is in use"):
        run(f"%yotta open train --port {port} --local-port {port}")
    with pytest.raises(RemoteUnavailable, match="Nothing listens on port 9 of pod train"):
        run("%yotta open train --port 9")
    with pytest.raises(InvalidRequest, match="--port is a port from 1 to 65535, not '70000'"):
        run("%yotta open train --port 70000")
    assert captured_output("%yotta open train --close --port 9") == "No such tunnel is open."
    assert captured_output(f"%yotta open train --close --port {port}") == "Closed 2 tunnels."
    assert not is_open(free_port)


def test_unloading_closes_tunnels_and_links(run: Run, pod: Pod, fake_jupyter: int) -> None:
    link = run(f"%yotta open train --port {fake_jupyter}")
    assert is_open(link.local_port)
    run("%unload_ext yotta_jupyter")
    assert not is_open(link.local_port)
    assert not is_open(urlsplit(link.url).port or 0)
    run("%load_ext yotta_jupyter")
