"""Responses that attack the page, the terminal, the shell, memory or time."""

from __future__ import annotations

import gzip
import html
import json
import re
import shlex
import time
import tracemalloc
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler
from typing import Any

import pandas as pd
import pytest
from urllib3 import Retry

from yotta_jupyter import (
    ApiError,
    CreateOutcomeUnknown,
    InvalidPodState,
    InvalidRequest,
    Panel,
    Sandbox,
    YottaError,
    connect,
    ssh,
)
from yotta_jupyter.magics.completion import complete
from yotta_jupyter.magics.expansion import split_line
from yotta_jupyter.magics.session import Session
from yotta_jupyter.panel import fallback

from .conftest import CONTROL_CHARS
from .http_servers import respond, serve

KEY = "not-a-real-key"
TIMEOUT = 0.5

pytestmark = pytest.mark.usefixtures("no_resource_leaks", "no_backoff")


@pytest.fixture
def no_backoff(monkeypatch: pytest.MonkeyPatch) -> None:
    """Retry without a delay."""
    monkeypatch.setattr(Retry, "sleep", lambda retry, response=None: None)


TEXTS = [
    "<script>document.title='owned'</script>",
    "<img src=x onerror=alert(1)>",
    '" onmouseover="alert(1)',
    "\x1b[2J\x1b]0;owned\x07",
    "\x9b31m",
    "\x08\x08\x08safe",
    "abc\u202etxt.exe",
    "one\ntwo\r\nthree",
    "\u2066isolate\u2069 \u200fmark\u061c \u2028line \u200bnothing\ufeff",
    "$(touch owned)",
    "`touch owned`",
    "; touch owned",
    "-oProxyCommand=touch owned",
    "=cmd|' /C calc'!A0",
    "{0.__class__.__mro__}",
    "{__import__('os').system('touch owned')}",
    "%s%n%x",
    "../../../../etc/passwd",
    "*",
    "Host *\n    ProxyCommand touch owned",
    "\u0000",
    "x" * 100_000,
    "$HOME",
    "",
    " ",
]


def hostile_pods() -> list[dict[str, Any]]:
    """Return a pod for each text, with that text in all of its text fields."""
    return [
        {
            "id": str(10**17 + number),
            "status": "RUNNING",
            "singleCardPrice": 1,
            "gpuCount": 1,
            **dict.fromkeys(("podName", "region", "image", "gpuType", "gpuDisplayName", "location"), text),
            "initializationCommand": text,
            "sshCmd": text,
            "someNewField": {text: [text]},
            "environmentVars": [{"key": text or "A", "value": text}],
            "expose": [
                {"port": 22, "proxyPort": 22, "protocol": "SSH", "host": text, "healthy": True, "ingressUrl": text},
            ],
        }
        for number, text in enumerate(TEXTS)
    ]


def test_hostile_texts_are_shown_without_control_characters(
    run_cell: Callable[[str], str], monkeypatch: pytest.MonkeyPatch, attack_counter: Counter[str]
) -> None:
    with Sandbox(records=hostile_pods()) as sandbox:
        monkeypatch.setenv("YOTTA_API_KEY", sandbox.api_key)
        monkeypatch.setenv("YOTTA_BASE_URL", sandbox.base_url)
        outputs = [run_cell(f"%yotta {line}") for line in ("list", "list --wide", "cost", "gpus", "images", "status")]
        for record in hostile_pods():
            outputs += [run_cell(f"%yotta {line} {record['id']}") for line in ("get", "ssh", "ssh --config", "pause")]
        with connect(sandbox.api_key, base_url=sandbox.base_url) as yotta:
            frame = yotta.pods.frame(wide=True)
            panel = Panel(yotta)
            outputs += [repr(panel), repr(frame), frame.to_string()]
            panel.close()
    for text in outputs:
        if "Out[" in text:  # IPython colors the prompt.
            text = re.sub(r"\x1b\[[\d;]*m", "", text)
        assert not CONTROL_CHARS.search(text), text
    assert "<script" not in frame.to_html()
    attack_counter["outputs searched for control characters"] += len(outputs)


@pytest.mark.parametrize("text", TEXTS)
def test_hostile_host_gets_no_command(text: str) -> None:
    port = {
        "port": 22,
        "proxyPort": 22,
        "protocol": "SSH",
        "host": text,
        "healthy": True,
        "ingressUrl": f"ssh {text}@h",
    }
    record = {"id": "331864222263676928", "status": "RUNNING", "podName": text, "expose": [port]}
    valid = {**record, "id": "331864222263676929", "expose": [{**port, "host": "192.0.2.7"}]}
    with Sandbox(records=[record, valid]) as sandbox, connect(sandbox.api_key, base_url=sandbox.base_url) as yotta:
        with pytest.raises(InvalidPodState):
            ssh.command(yotta.pods.get(record["id"]))
        with pytest.raises(InvalidPodState):
            ssh.config_block(yotta.pods.get(record["id"]))
        pod = yotta.pods.get(valid["id"])
        assert shlex.split(ssh.command(pod)) == ["ssh", "user@192.0.2.7", "-p", "22"]
        block = ssh.config_block(pod).splitlines()
        assert len(block) == 4
        assert re.fullmatch(r"Host [A-Za-z0-9][\w.-]*", block[0])


@pytest.mark.parametrize("pod_id", ["1\n    ProxyCommand x", "../x", "1;x", "$(x)", "\x1b[2J", "a b", "é", "1" * 65])
def test_invalid_id_is_an_unexpected_response(pod_id: str) -> None:
    listing = json.dumps({"code": 10000, "message": "ok", "data": [{"id": pod_id, "status": "RUNNING"}]}).encode()
    created = json.dumps({"code": 10000, "message": "ok", "data": pod_id}).encode()

    def handle(handler: BaseHTTPRequestHandler, body: bytes) -> None:
        respond(handler, 200, created if handler.command == "POST" else listing)

    with serve(handle) as address, connect(KEY, base_url=address) as yotta:
        for call in (
            yotta.pods.list,
            yotta.pods.frame,
            lambda: yotta.pods.frame(wide=True),
            lambda: yotta.pods.get("1"),
        ):
            with pytest.raises(YottaError) as error:
                call()
            assert not CONTROL_CHARS.search(str(error.value))


@pytest.mark.parametrize("text", TEXTS)
def test_completions_are_single_words(text: str) -> None:
    record = {"id": "331864222263676928", "status": "RUNNING", "podName": text, "region": text, "gpuType": text}
    with Sandbox(records=[{**record, "image": text}]) as sandbox:
        client = connect(sandbox.api_key, base_url=sandbox.base_url)
        client.pods.list()
        session = Session(None)  # type: ignore[arg-type]
        session._client = client
        for line in ("get ", "list --region ", "create ", "create x --gpu "):
            for completion in complete(session, f"%yotta {line}")["completions"]:
                if not completion.text:  # There is nothing to complete.
                    continue
                (word,) = split_line(completion.text, {})
                assert not word.startswith("-")
                assert completion.text.isprintable()
        client.close()


def test_value_of_a_variable_is_expanded_to_one_argument() -> None:
    for text in TEXTS:
        if text.strip() == "":
            continue
        for value in (text, [text]):
            if text.startswith("-"):
                with pytest.raises(InvalidRequest, match="Write flags"):
                    split_line("get $name", {"name": value})
            else:
                assert split_line("get $name", {"name": value}) == ["get", text]


def drip(handler: BaseHTTPRequestHandler, content: bytes) -> None:
    """Send one byte at a time."""
    for byte in content:
        handler.wfile.write(bytes([byte]))
        handler.wfile.flush()
        time.sleep(0.02)


def wait_for_disconnect(handler: BaseHTTPRequestHandler) -> None:
    handler.connection.settimeout(10)
    handler.rfile.read(1)


HEADERS = b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n"


def drip_headers_only(handler: BaseHTTPRequestHandler, body: bytes) -> None:
    drip(handler, HEADERS)
    wait_for_disconnect(handler)


SLOW_RESPONSES: dict[str, Callable[[BaseHTTPRequestHandler, bytes], None]] = {
    "status line": lambda handler, body: drip(handler, b"HTTP/1.1 200 " + b"O" * 10_000),
    "headers": lambda handler, body: drip(handler, b"HTTP/1.1 200 OK\r\nX: " + b"x" * 10_000),
    "body": lambda handler, body: drip(handler, HEADERS + b" " * 10_000),
    "chunks": lambda handler, body: drip(
        handler, b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"1\r\n \r\n" * 2000
    ),
    "continue": lambda handler, body: drip(handler, b"HTTP/1.1 100 Continue\r\n\r\n" * 400),
    "nothing": lambda handler, body: wait_for_disconnect(handler),
    "no end": drip_headers_only,
}


@pytest.mark.parametrize("part", SLOW_RESPONSES)
def test_timeout_limits_the_whole_response(
    part: str, attack_counter: Counter[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("yotta_jupyter.api.idempotency.LOOKUP_DELAYS", (0,))
    with serve(SLOW_RESPONSES[part]) as address, connect(KEY, base_url=address, timeout=TIMEOUT) as yotta:
        for call, error_type in (
            (yotta.pods.list, YottaError),
            (lambda: yotta.pods.delete("1"), YottaError),
            (lambda: yotta.pods.create(image="a/b:1", gpu_type="L4"), CreateOutcomeUnknown),
        ):
            with ThreadPoolExecutor(1) as executor:
                # With a timeout for each byte, this would take minutes.
                error = executor.submit(call).exception(20)
            assert isinstance(error, error_type)
            assert "\n" not in str(error)
            attack_counter["slow responses"] += 1


COMPRESSED_ZEROS = gzip.compress(bytes(100 * 2**20))
POD_WITH_FIELD = b'{"code":10000,"message":"ok","data":[{"id":"bad id","x":%s%s}]}'
OPEN_LISTS = b"[" * 1_000_000
BODIES: dict[str, tuple[bytes, dict[str, str]]] = {
    "100 MB": (b'{"code":10000,"message":"ok","data":["' + b"x" * 100 * 2**20, {}),
    "100 MB in 100 KB": (COMPRESSED_ZEROS, {"Content-Encoding": "gzip"}),
    "a million lists": (b'{"code":10000,"message":"ok","data":' + OPEN_LISTS, {}),
    "a million lists without an envelope": (OPEN_LISTS, {}),
    "a million closed lists": (OPEN_LISTS + b"]" * 1_000_000, {}),
    "600 lists in a field": (POD_WITH_FIELD % (b"[" * 600, b"]" * 600), {}),
    "950 lists in a field": (POD_WITH_FIELD % (b"[" * 950, b"]" * 950), {}),
    "a million objects": (b'{"a":' * 1_000_000, {}),
    "lists in a pod": (b'{"code":10000,"message":"ok","data":[{"id":"1","x":' + OPEN_LISTS, {}),
    "invalid gzip": (b"not gzip at all", {"Content-Encoding": "gzip"}),
    "truncated gzip": (COMPRESSED_ZEROS[:5000], {"Content-Encoding": "gzip"}),
    "unknown encoding": (b"x", {"Content-Encoding": "rot13"}),
    "many encodings": (b"x", {"Content-Encoding": ", ".join(["gzip"] * 2000)}),
    "invalid chunks": (b"zz\r\nxx", {"Transfer-Encoding": "chunked"}),
    "a negative chunk": (b"-5\r\nxx\r\n", {"Transfer-Encoding": "chunked"}),
    "a code of many digits": (b'{"code":' + b"9" * 10_000 + b',"message":"x"}', {}),
    "a lone surrogate": (b'{"code":10000,"message":"ok","data":[{"id":"1","podName":"\\ud800"}]}', {}),
    "invalid UTF-8": (b'{"code":10000,"message":"ok","data":[{"id":"1","podName":"\xff\xfe"}]}', {}),
    "an invalid Retry-After": (b"{}", {"Retry-After": "soon"}),
    "a Retry-After of many digits": (b"{}", {"Retry-After": "9" * 5000}),
    "many headers": (b"{}", {f"X-{number}": "x" for number in range(500)}),
    "a long header": (b"{}", {"X": "x" * 200_000}),
}


@pytest.mark.parametrize("name", BODIES)
def test_huge_response_is_an_error_and_uses_bounded_memory(name: str, attack_counter: Counter[str]) -> None:
    body, headers = BODIES[name]
    status = 429 if "Retry-After" in headers else 200
    with (
        serve(lambda handler, _: respond(handler, status, body, **headers)) as address,
        connect(KEY, base_url=address, timeout=20) as yotta,
    ):
        tracemalloc.start()
        try:
            for call in (yotta.pods.list, yotta.pods.frame, lambda: yotta.pods.get("1")):
                with pytest.raises(YottaError) as error:
                    call()
                shown = "".join(error.value._render_traceback_())
                assert "\n" not in shown
                assert len(shown) < 1000
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    # The client has at most 64 MB of a body, twice. The rest is the server of this test.
    assert peak < 2.5 * 64 * 2**20
    attack_counter["huge or malformed responses"] += 3


@pytest.mark.parametrize("name", ["100 MB", "a million lists", "a lone surrogate"])
def test_panel_survives_a_huge_response(name: str) -> None:
    body, _ = BODIES[name]
    valid = json.dumps({"code": 10000, "message": "ok", "data": hostile_pods()[:3]}).encode()
    response = valid
    with (
        serve(lambda handler, _: respond(handler, 200, response)) as address,
        connect(KEY, base_url=address, timeout=20) as yotta,
    ):
        panel = Panel(yotta)
        assert panel._poll() > 0
        response = body
        panel._poll()
        assert panel._state.refresh_error is not None
        assert len(panel.pods) == 3
        response = valid
        panel._poll()
        assert panel._state.refresh_error is None
        panel.close()


def test_error_message_of_a_server_is_one_line() -> None:
    for text in TEXTS:
        body = json.dumps({"code": 10001, "message": text, "data": None}).encode()
        with (
            serve(lambda handler, _, body=body: respond(handler, 400, body)) as address,
            connect(KEY, base_url=address) as yotta,
            pytest.raises(ApiError) as error,
        ):
            yotta.pods.list()
        shown = "".join(error.value._render_traceback_())
        assert not CONTROL_CHARS.search(shown)
        assert "\n" not in shown
        assert len(shown) < 1000


def test_fallback_table_contains_no_markup_of_a_server() -> None:
    with Sandbox(records=hostile_pods()) as sandbox, connect(sandbox.api_key, base_url=sandbox.base_url) as yotta:
        text = fallback.html(yotta.pods.list(), "x", pd.Timestamp.now("UTC"))
    assert set(re.findall(r"<(\w+)", text)) == {"div", "p", "code", "table", "thead", "tbody", "tr", "th", "td"}
    assert html.escape(TEXTS[1]) in text


def test_deeply_nested_field_is_truncated() -> None:
    for depth in (10, 600):
        body = POD_WITH_FIELD.replace(b"bad id", b"1") % (b"[" * depth, b"]" * depth)
        with (
            serve(lambda handler, _, body=body: respond(handler, 200, body)) as address,
            connect(KEY, base_url=address) as yotta,
        ):
            (pod,) = yotta.pods.list()
            frame = yotta.pods.frame(wide=True)
            assert "x" in pod.extra
            assert len(repr(frame)) < 10_000
