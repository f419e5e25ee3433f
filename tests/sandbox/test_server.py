"""Starting and stopping, in this process and in a process of its own."""

import http.client
import re
import signal
import socket
import subprocess
import sys
import threading

import pytest
import requests

from yotta_jupyter.sandbox import Sandbox
from yotta_jupyter.sandbox.faults import FAULT_KINDS, parse_fault

from .helpers import Api


def port_of(sandbox):
    return int(sandbox.base_url.rpartition(":")[2])


def sandbox_threads():
    return [thread for thread in threading.enumerate() if thread.name.startswith("yotta-sandbox")]


def test_import_does_not_need_werkzeug():
    code = (
        "import sys; sys.modules['werkzeug'] = None\n"
        "from yotta_jupyter.sandbox import Sandbox\n"
        "sandbox = Sandbox()\n"
        "try: sandbox.start()\n"
        "except ImportError as error: print(error)\n"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert result.stdout == 'The sandbox needs its extra: pip install "yotta-jupyter[sandbox]"\n'


def test_stop_closes_connections_and_ends_threads():
    before = len(sandbox_threads())
    sandbox = Sandbox().start()
    with socket.create_connection(("127.0.0.1", port_of(sandbox)), timeout=20) as connection:
        request = f"GET /openapi/v1/pods/list HTTP/1.1\r\nHost: x\r\nx-api-key: {sandbox.api_key}\r\n\r\n"
        connection.sendall(request.encode())
        assert connection.recv(12) == b"HTTP/1.1 200"
        assert len(sandbox_threads()) == before + 3  # For the server, the connection, and the pods.
        sandbox.stop()
        assert len(sandbox_threads()) == before
        while connection.recv(65536):
            pass
    assert not sandbox.running
    sandbox.stop()


def test_connections_are_reused(api):
    connection = http.client.HTTPConnection("127.0.0.1", port_of(api.sandbox), timeout=20)
    headers = {"x-api-key": api.sandbox.api_key}
    connection.connect()
    first = connection.sock
    for method, path, body, status in [
        ("GET", "list", None, 200),
        ("POST", "create", b"{", 400),
        ("GET", "1", None, 404),
        ("POST", "pause/1", b"ignored", 404),
        ("PUT", "create", b"ignored", 405),
        ("HEAD", "list", None, 200),
        ("GET", "list", None, 200),
    ]:
        connection.request(method, f"/openapi/v1/pods/{path}", body, headers)
        response = connection.getresponse()
        response.read()
        assert (response.status, connection.sock) == (status, first)
    connection.close()


@pytest.mark.parametrize(
    "raw",
    [
        b"garbage\r\n\r\n",
        b"POST /openapi/v1/pods/create HTTP/1.1\r\nContent-Length: many\r\n\r\n",
        b"POST /openapi/v1/pods/create HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\n",
        b"POST /openapi/v1/pods/create HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    ],
)
def test_invalid_http_is_rejected(serve, capfd, raw):
    api = serve(verbose=True)
    with socket.create_connection(("127.0.0.1", port_of(api.sandbox)), timeout=20) as connection:
        connection.sendall(raw)
        with connection.makefile("rb") as response:
            assert b"400" in response.read()
    assert len(api.list()) == 3
    assert "Traceback" not in capfd.readouterr().err


def test_client_disconnect_prints_no_traceback(api, wait_until, capfd):
    before = len(sandbox_threads())
    with socket.create_connection(("127.0.0.1", port_of(api.sandbox)), timeout=20) as connection:
        # The server fails to send the later responses, because the client has closed the connection by then.
        connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n" * 20)
    wait_until(lambda: len(api.sandbox.requests) > 1 and len(sandbox_threads()) == before)
    assert capfd.readouterr().err == ""


def test_restart_uses_the_same_port(api):
    url = api.sandbox.base_url
    pod_id = api.create_pod()
    for _ in range(3):
        api.sandbox.stop()
        assert api.sandbox.base_url == url
        with pytest.raises(requests.ConnectionError):
            api.list()
        api.sandbox.start()
        assert api.sandbox.base_url == url
        assert api.status(pod_id) == "INITIALIZE"


def test_port_in_use_is_an_error(api):
    port = port_of(api.sandbox)
    with pytest.raises(OSError, match="in use"):
        Sandbox(port=port).start()


def test_base_url_needs_a_start():
    sandbox = Sandbox()
    assert not sandbox.running
    assert repr(sandbox) == "<Sandbox no address yet (stopped)>"
    with pytest.raises(RuntimeError, match="start"):
        _ = sandbox.base_url


def test_sandbox_has_pods_before_its_start():
    assert len(Sandbox().pods()) == 3


def test_context_manager_and_repr():
    with Sandbox(api_key="made-up-key") as sandbox:
        assert sandbox.running
        assert sandbox.start() is sandbox
        assert repr(sandbox) == f"<Sandbox {sandbox.base_url} (running)>"
        assert sandbox.base_url.startswith("http://127.0.0.1:")
    assert not sandbox.running


def test_api_key_is_derived_from_the_seed():
    assert Sandbox(seed=1).api_key.startswith("sandbox-")
    assert Sandbox(seed=1).api_key == Sandbox(seed=1).api_key != Sandbox(seed=2).api_key


@pytest.mark.parametrize(
    "options",
    [
        {"port": -1},
        {"port": 70000},
        {"pods": -1},
        {"speed": 0},
        {"speed": -1},
        {"speed": float("nan")},
        {"speed": float("inf")},
        {"api_key": ""},
        {"api_key": "a b"},
        {"api_key": "a\nb"},
        {"faults": "create:lost"},
        {"faults": ["create:nothing"]},
        {"public_keys": "ssh-ed25519 AAAA"},
    ],
)
def test_invalid_arguments(options):
    with pytest.raises(ValueError, match=r"^[^\n]+$"):
        Sandbox(**options)


def test_requests_are_recorded(api):
    api.list(("statusList", "1"), ("statusList", "3"))
    api.create_pod(podName="made-up")
    api.session.get(f"{api.sandbox.base_url}/elsewhere", timeout=20)
    list_request, create_request, unknown_request = api.sandbox.requests
    assert (list_request.method, list_request.path, list_request.endpoint) == ("GET", "/openapi/v1/pods/list", "list")
    assert list_request.query == "statusList=1&statusList=3"
    assert list_request.params == [("statusList", "1"), ("statusList", "3")]
    assert list_request.headers["x-api-key"] == api.sandbox.api_key
    assert (create_request.endpoint, create_request.json["podName"]) == ("create", "made-up")
    assert unknown_request.endpoint == ""
    assert list_request.time < create_request.time < unknown_request.time
    assert api.sandbox.api_key not in repr(api.sandbox.requests)
    assert "made-up" not in repr(api.sandbox.requests)
    api.sandbox.reset()
    assert api.sandbox.requests == []


def test_concurrent_creates(serve):
    sandbox = serve(pods=0).sandbox
    ids = []

    def create():
        api = Api(sandbox)
        ids.extend(api.create_pod() for _ in range(10))
        api.session.close()

    threads = [threading.Thread(target=create) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(ids)) == 80
    assert {pod["id"] for pod in sandbox.pods()} == set(ids)


COMMAND = [sys.executable, "-m", "yotta_jupyter.sandbox"]


@pytest.mark.parametrize("signal_number", [signal.SIGTERM, signal.SIGINT])
def test_command_serves_until_a_signal(signal_number):
    options = ["--pods=5", "--seed=2", "--fault=pause:code=12001", "--api-key=made-up-key", "--verbose"]
    process = subprocess.Popen([*COMMAND, *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        lines = [process.stdout.readline().rstrip("\n") for _ in range(2)]
        url = re.fullmatch(r"YOTTA_BASE_URL=(http://127\.0\.0\.1:\d+)", lines[0])[1]
        assert lines[1] == "YOTTA_API_KEY=made-up-key"
        with requests.Session() as session:
            session.headers["x-api-key"] = "made-up-key"
            pods = session.get(f"{url}/openapi/v1/pods/list", timeout=20).json()["data"]
            assert len(pods) == 5
            paused = session.post(f"{url}/openapi/v1/pods/pause/{pods[0]['id']}", timeout=20)
            assert paused.json()["code"] == 12001
            process.send_signal(signal_number)
            out, err = process.communicate(timeout=20)
    finally:
        process.kill()
        process.communicate()
    assert (process.returncode, out) == (0, "")
    notice, _, log = err.partition("\n")
    assert "runs on this machine, as the user" in notice
    assert log == f"GET /openapi/v1/pods/list HTTP/1.1 200\nPOST /openapi/v1/pods/pause/{pods[0]['id']} HTTP/1.1 200\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--fault", "create:lots"], "did you mean 'lost'"),
        (["--port", "x"], "--port"),
        (["--port", "70000"], "port must be"),
        (["--speed", "0"], "speed must be"),
        (["--pods", "-3"], "pods must be"),
        (["--public-key", "/nonexistent.pub"], "--public-key: cannot read '/nonexistent.pub'"),
        (["--nonsense"], "--nonsense"),
    ],
)
def test_invalid_command_arguments(arguments, message):
    result = subprocess.run([*COMMAND, *arguments], capture_output=True, text=True, timeout=60, check=False)
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.count("\n") == 1
    assert message in result.stderr


def test_command_names_the_port_in_use(api):
    port = str(port_of(api.sandbox))
    result = subprocess.run([*COMMAND, "--port", port], capture_output=True, text=True, timeout=60, check=False)
    assert result.returncode == 2
    assert f"cannot listen on port {port}" in result.stderr
    assert result.stderr.count("\n") == 1


def test_help_lists_every_fault():
    result = subprocess.run([*COMMAND, "--help"], capture_output=True, text=True, timeout=60, check=True)
    for kind in FAULT_KINDS:
        assert re.search(rf"^  {re.escape(kind)}\b", result.stdout, re.MULTILINE)
    for example in re.findall(r"--fault '?([^\s']+:[^\s']+)", result.stdout):
        assert parse_fault(example).spec == example
