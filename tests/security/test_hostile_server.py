"""What a server may say to do harm: to the page, the terminal, the shell, the memory, the patience."""

from __future__ import annotations

import gzip
import html
import json
import re
import shlex
import threading
import time
import tracemalloc
from collections import Counter
from collections.abc import Callable
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
from yotta_jupyter.magics.line import words
from yotta_jupyter.magics.session import Session

from .conftest import ACTIVE
from .servers import say, server

KEY = "not-a-real-key"
TIMEOUT = 0.5

pytestmark = pytest.mark.usefixtures("nothing_left", "no_pauses")


@pytest.fixture
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Try again at once."""
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
    """Return a pod for each text, which is in every field that has one."""
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


def test_hostile_texts_are_text_wherever_they_are_shown(
    shell_run: Callable[[str], str], monkeypatch: pytest.MonkeyPatch, counted: Counter[str]
) -> None:
    with Sandbox(records=hostile_pods()) as sandbox:
        monkeypatch.setenv("YOTTA_API_KEY", sandbox.api_key)
        monkeypatch.setenv("YOTTA_BASE_URL", sandbox.base_url)
        shown = [shell_run(f"%yotta {line}") for line in ("list", "list --wide", "cost", "gpus", "images", "status")]
        for record in hostile_pods():
            shown += [shell_run(f"%yotta {line} {record['id']}") for line in ("get", "ssh", "ssh --config", "pause")]
        with connect(sandbox.api_key, base_url=sandbox.base_url) as yotta:
            frame = yotta.pods.frame(wide=True)
            panel = Panel(yotta)
            shown += [repr(panel), repr(frame), frame.to_string()]
            panel.close()
    for text in shown:
        assert not ACTIVE.search(re.sub(r"\x1b\[[\d;]*m", "", text) if "Out[" in text else text), text
    assert "<script" not in frame.to_html()
    counted["outputs looked at for active characters"] += len(shown)


@pytest.mark.parametrize("text", TEXTS)
def test_a_hostile_host_makes_no_command(text: str) -> None:
    port = {
        "port": 22,
        "proxyPort": 22,
        "protocol": "SSH",
        "host": text,
        "healthy": True,
        "ingressUrl": f"ssh {text}@h",
    }
    record = {"id": "331864222263676928", "status": "RUNNING", "podName": text, "expose": [port]}
    good = {**record, "id": "331864222263676929", "expose": [{**port, "host": "192.0.2.7"}]}
    with Sandbox(records=[record, good]) as sandbox, connect(sandbox.api_key, base_url=sandbox.base_url) as yotta:
        with pytest.raises(InvalidPodState):
            ssh.command(yotta.pods.get(record["id"]))
        with pytest.raises(InvalidPodState):
            ssh.config_block(yotta.pods.get(record["id"]))
        pod = yotta.pods.get(good["id"])
        assert shlex.split(ssh.command(pod)) == ["ssh", "user@192.0.2.7", "-p", "22"]
        block = ssh.config_block(pod).splitlines()
        assert len(block) == 4
        assert re.fullmatch(r"Host [A-Za-z0-9][\w.-]*", block[0])


@pytest.mark.parametrize("odd", ["1\n    ProxyCommand x", "../x", "1;x", "$(x)", "\x1b[2J", "a b", "é", "1" * 65])
def test_what_is_no_id_is_not_taken_for_one(odd: str) -> None:
    listing = json.dumps({"code": 10000, "message": "ok", "data": [{"id": odd, "status": "RUNNING"}]}).encode()
    created = json.dumps({"code": 10000, "message": "ok", "data": odd}).encode()

    def answer(handler: BaseHTTPRequestHandler, body: bytes) -> None:
        say(handler, 200, created if handler.command == "POST" else listing)

    with server(answer) as address, connect(KEY, base_url=address) as yotta:
        for call in (
            yotta.pods.list,
            yotta.pods.frame,
            lambda: yotta.pods.frame(wide=True),
            lambda: yotta.pods.get("1"),
        ):
            with pytest.raises(YottaError) as caught:
                call()
            assert not ACTIVE.search(str(caught.value))


@pytest.mark.parametrize("text", TEXTS)
def test_tab_offers_nothing_that_is_not_one_word(text: str) -> None:
    record = {"id": "331864222263676928", "status": "RUNNING", "podName": text, "region": text, "gpuType": text}
    with Sandbox(records=[{**record, "image": text}]) as sandbox:
        client = connect(sandbox.api_key, base_url=sandbox.base_url)
        client.pods.list()
        session = Session(None)  # type: ignore[arg-type]
        session._client = client
        for line in ("get ", "list --region ", "create ", "create x --gpu "):
            for offer in complete(session, f"%yotta {line}")["completions"]:
                assert words(offer.text, {}) == [offer.text]
        client.close()


def test_a_value_of_the_notebook_is_filled_in_and_not_run() -> None:
    for text in filter(str.strip, TEXTS):
        for value in (text, [text]):
            if text.startswith("-"):
                with pytest.raises(InvalidRequest, match="Write flags"):
                    words("get $name", {"name": value})
            else:
                assert words("get $name", {"name": value}) == ["get", text]


def slowly(handler: BaseHTTPRequestHandler, what: bytes) -> None:
    for byte in what:
        handler.wfile.write(bytes([byte]))
        handler.wfile.flush()
        time.sleep(0.02)


def wait_for_the_client(handler: BaseHTTPRequestHandler) -> None:
    handler.connection.settimeout(10)
    handler.rfile.read(1)


HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n"
PATIENCE: dict[str, Callable[[BaseHTTPRequestHandler, bytes], None]] = {
    "status line": lambda handler, body: slowly(handler, b"HTTP/1.1 200 " + b"O" * 10_000),
    "headers": lambda handler, body: slowly(handler, b"HTTP/1.1 200 OK\r\nX: " + b"x" * 10_000),
    "body": lambda handler, body: slowly(handler, HEAD + b" " * 10_000),
    "chunks": lambda handler, body: slowly(
        handler, b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"1\r\n \r\n" * 2000
    ),
    "continue": lambda handler, body: slowly(handler, b"HTTP/1.1 100 Continue\r\n\r\n" * 400),
    "nothing": lambda handler, body: wait_for_the_client(handler),
    "no end": lambda handler, body: (slowly(handler, HEAD), wait_for_the_client(handler))[0],
}


@pytest.mark.parametrize("where", PATIENCE)
def test_a_byte_now_and_then_holds_nobody_longer_than_the_timeout(
    where: str, counted: Counter[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("yotta_jupyter.api.create.LOOKS_AFTER", (0,))
    with server(PATIENCE[where]) as address, connect(KEY, base_url=address, timeout=TIMEOUT) as yotta:
        for call, failure in (
            (yotta.pods.list, YottaError),
            (lambda: yotta.pods.delete("1"), YottaError),
            (lambda: yotta.pods.create(image="a/b:1", gpu_type="L4"), CreateOutcomeUnknown),
        ):
            ended = threading.Event()
            caught: list[BaseException] = []

            def run(call: Callable[[], object] = call, ended: threading.Event = ended, caught: Any = caught) -> None:
                try:
                    call()
                except BaseException as error:
                    caught.append(error)
                ended.set()

            thread = threading.Thread(target=run)
            thread.start()
            # Were the timeout one from byte to byte, this would take minutes.
            assert ended.wait(20)
            thread.join()
            assert isinstance(caught[0], failure)
            assert "\n" not in str(caught[0])
            counted["answers that came slowly"] += 1


ZEROS = gzip.compress(bytes(100 * 2**20))
DEEP = b'{"code":10000,"message":"ok","data":[{"id":"bad id","x":%s%s}]}'
NESTED = b"[" * 1_000_000
BODIES: dict[str, tuple[bytes, dict[str, str]]] = {
    "100 MB": (b'{"code":10000,"message":"ok","data":["' + b"x" * 100 * 2**20, {}),
    "100 MB in 100 KB": (ZEROS, {"Content-Encoding": "gzip"}),
    "a million lists": (b'{"code":10000,"message":"ok","data":' + NESTED, {}),
    "a million lists alone": (NESTED, {}),
    "a million closed lists": (NESTED + b"]" * 1_000_000, {}),
    "600 lists in a field": (DEEP % (b"[" * 600, b"]" * 600), {}),
    "950 lists in a field": (DEEP % (b"[" * 950, b"]" * 950), {}),
    "a million objects": (b'{"a":' * 1_000_000, {}),
    "lists in a pod": (b'{"code":10000,"message":"ok","data":[{"id":"1","x":' + NESTED, {}),
    "no gzip": (b"not gzip at all", {"Content-Encoding": "gzip"}),
    "half a gzip": (ZEROS[:5000], {"Content-Encoding": "gzip"}),
    "unknown encoding": (b"x", {"Content-Encoding": "rot13"}),
    "chains of encodings": (b"x", {"Content-Encoding": ", ".join(["gzip"] * 2000)}),
    "bad chunks": (b"zz\r\nxx", {"Transfer-Encoding": "chunked"}),
    "a negative chunk": (b"-5\r\nxx\r\n", {"Transfer-Encoding": "chunked"}),
    "a code of many digits": (b'{"code":' + b"9" * 10_000 + b',"message":"x"}', {}),
    "a lone surrogate": (b'{"code":10000,"message":"ok","data":[{"id":"1","podName":"\\ud800"}]}', {}),
    "no UTF-8": (b'{"code":10000,"message":"ok","data":[{"id":"1","podName":"\xff\xfe"}]}', {}),
    "a retry that never comes": (b"{}", {"Retry-After": "soon"}),
    "a retry of many digits": (b"{}", {"Retry-After": "9" * 5000}),
    "many headers": (b"{}", {f"X-{number}": "x" for number in range(500)}),
    "a long header": (b"{}", {"X": "x" * 200_000}),
}


@pytest.mark.parametrize("which", BODIES)
def test_a_monstrous_answer_is_a_clear_error_and_memory_stays_bounded(which: str, counted: Counter[str]) -> None:
    body, headers = BODIES[which]
    status = 429 if "Retry-After" in headers else 200
    with (
        server(lambda handler, _: say(handler, status, body, **headers)) as address,
        connect(KEY, base_url=address, timeout=20) as yotta,
    ):
        tracemalloc.start()
        try:
            for call in (yotta.pods.list, yotta.pods.frame, lambda: yotta.pods.get("1")):
                with pytest.raises(YottaError) as caught:
                    call()
                shown = "".join(caught.value._render_traceback_())
                assert "\n" not in shown
                assert len(shown) < 1000
            most = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    # What is read of a body, twice at most, and the server's own copy of what it sends.
    assert most < 2.5 * 64 * 2**20
    counted["monstrous answers"] += 3


@pytest.mark.parametrize("which", ["100 MB", "a million lists", "a lone surrogate"])
def test_a_panel_lives_through_a_monstrous_answer(which: str) -> None:
    body, _ = BODIES[which]
    good = json.dumps({"code": 10000, "message": "ok", "data": hostile_pods()[:3]}).encode()
    answers = [good, body, good]
    with (
        server(lambda handler, _: say(handler, 200, answers[0])) as address,
        connect(KEY, base_url=address, timeout=20) as yotta,
    ):
        panel = Panel(yotta)
        assert panel._refresh_and_tell() > 0
        answers.pop(0)
        panel._refresh_and_tell()
        assert panel._state.problem is not None
        assert len(panel.pods) == 3
        answers.pop(0)
        panel._refresh_and_tell()
        assert panel._state.problem is None
        panel.close()


def test_an_error_of_a_server_is_one_line_of_text() -> None:
    for text in TEXTS:
        body = json.dumps({"code": 10001, "message": text, "data": None}).encode()
        with (
            server(lambda handler, _, body=body: say(handler, 400, body)) as address,
            connect(KEY, base_url=address) as yotta,
            pytest.raises(ApiError) as caught,
        ):
            yotta.pods.list()
        shown = "".join(caught.value._render_traceback_())
        assert not ACTIVE.search(shown)
        assert "\n" not in shown
        assert len(shown) < 1000


def test_a_static_table_holds_no_markup_of_a_server() -> None:
    from yotta_jupyter.panel import static

    with Sandbox(records=hostile_pods()) as sandbox, connect(sandbox.api_key, base_url=sandbox.base_url) as yotta:
        shown = static.html(yotta.pods.list(), "x", pd.Timestamp.now("UTC"))
    assert set(re.findall(r"<(\w+)", shown)) == {"div", "p", "code", "table", "thead", "tbody", "tr", "th", "td"}
    assert html.escape(TEXTS[1]) in shown


def test_a_field_that_is_nested_deeply_is_kept_to_a_depth() -> None:
    for depth in (10, 600):
        body = DEEP.replace(b"bad id", b"1") % (b"[" * depth, b"]" * depth)
        with (
            server(lambda handler, _, body=body: say(handler, 200, body)) as address,
            connect(KEY, base_url=address) as yotta,
        ):
            (pod,) = yotta.pods.list()
            frame = yotta.pods.frame(wide=True)
            assert "x" in pod.extra
            assert len(repr(frame)) < 10_000
