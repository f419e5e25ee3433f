"""Lines that nobody meant and pods that no server should give: an answer or one line of ours, never a traceback."""

from __future__ import annotations

import json
import types
from collections import Counter
from collections.abc import Callable
from typing import Any

import hypothesis
import hypothesis.strategies as st
import msgspec
import pytest
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output

from yotta_jupyter import Sandbox, YottaError, ssh
from yotta_jupyter.api import v1
from yotta_jupyter.api.transport import Answer
from yotta_jupyter.catalog import Catalog
from yotta_jupyter.frames import cost_frame, pods_frame
from yotta_jupyter.magics.dispatch import COMMANDS, run
from yotta_jupyter.magics.session import Session
from yotta_jupyter.panel import form, static
from yotta_jupyter.panel.state import PanelState

from .conftest import ACTIVE

FLAGS = sorted({flag for command in COMMANDS for flag in command.parser()._option_string_actions})
NAMES = [name for command in COMMANDS for name in (command.name, *command.aliases) if name != "login"]
MEANT = ["train-1", "notebook-1", "finetune-1", "1", "L4", "pytorch", "running", "us-west-1", "A=b", "22/SSH"]
FILLED_IN = ["$pod", "$$", "{pod}", "{{", "$undefined", "{1/0}"]
PUNCTUATION = ["'", '"', "a b", "''", "#", ";", "--", "-", "=", "\\", "\n", "\x00", "\u202e", "\x1b[2J"]
WRONG = ["HF_TOKEN=x", "0", "-1", "99999999999999999999", "1e999", "nan", "é", "../x", "*", "x" * 3000]
WORDS = MEANT + FILLED_IN + PUNCTUATION + WRONG
LINES = st.lists(st.sampled_from(NAMES + FLAGS + WORDS) | st.text(max_size=8), max_size=8).map(" ".join)
AIMED = st.tuples(st.sampled_from(NAMES), LINES).map(" ".join)


@pytest.fixture
def quick_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let waits pass their time at once."""
    now = [0.0]

    def sleep(seconds: float) -> None:
        now[0] += max(seconds, 0.1) * 100

    clock = types.SimpleNamespace(sleep=sleep, monotonic=lambda: now[0])
    monkeypatch.setattr("yotta_jupyter.api.wait.time", clock)


@pytest.mark.usefixtures("quick_clock")
def test_a_line_does_what_it_says_or_tells_what_is_wrong(
    bare_shell: InteractiveShell,
    monkeypatch: pytest.MonkeyPatch,
    search: Callable[..., hypothesis.settings],
    counted: Counter[str],
) -> None:
    def nobody(prompt: str = "") -> str:
        raise EOFError

    monkeypatch.setattr("builtins.input", nobody)
    with Sandbox(speed=1000) as sandbox:
        monkeypatch.setenv("YOTTA_API_KEY", sandbox.api_key)
        monkeypatch.setenv("YOTTA_BASE_URL", sandbox.base_url)
        session = Session(bare_shell)
        ids = {record["podName"]: record["id"] for record in sandbox.pods()}

        @search(300, 12_000)
        @hypothesis.given(AIMED | LINES)
        def attack(line: str) -> None:
            counted["lines tried"] += 1
            before = len(sandbox.requests)
            try:
                with capture_output():
                    run(session, line, {"pod": ids["train-1"]})
            except YottaError as error:
                _one_line(error)
                counted["lines refused in one line"] += 1
            if session.sandbox is not None:
                session.sandbox.stop()
                session.sandbox = None
            sent = sandbox.requests[before:]
            if len(sandbox.requests) > 5000:
                sandbox.reset()
            _asked_for(line, sent)

        attack()
        session.close()


def _one_line(error: YottaError) -> None:
    assert "\n" not in str(error)
    assert not ACTIVE.search(str(error))
    assert len(str(error)) < 1500


def _asked_for(line: str, sent: list[Any]) -> None:
    """Fail where something was sent that changes pods and that the line does not say."""
    words = line.split()
    for request in sent:
        if request.method == "GET":
            continue
        assert words[0] == request.endpoint, line
        assert request.endpoint != "delete" or "--yes" in line, line
        assert request.endpoint != "create" or "--dry-run" not in words, line


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from(["", 2**63, "NaN", "1e999", "2025-07-04 10:29:56", "RUNNING", "\x1b[2J", "<b>", "SSH", 10**400]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
FIELDS = [field.encode_name for field in msgspec.structs.fields(v1.Pod) if field.encode_name]
PORT = st.dictionaries(st.sampled_from(["port", "proxyPort", "protocol", "host", "healthy", "ingressUrl", "x"]), JSON)
PODS = st.fixed_dictionaries(
    {"id": st.sampled_from(["1", "331864222263676928"]) | st.integers(1, 10**18)},
    optional={
        **{name: JSON for name in FIELDS if name != "id"},
        "status": st.sampled_from(["RUNNING", "PAUSED", 1, "1", "stopped"]) | JSON,
        "expose": st.lists(PORT | JSON, max_size=3),
        "environmentVars": st.lists(st.fixed_dictionaries({"key": JSON, "value": JSON}) | JSON, max_size=3),
        "somethingNew": JSON,
    },
)


def _body(envelope: Any) -> bytes:
    return json.dumps(envelope).encode()


def test_pods_of_any_shape_are_shown_or_refused(
    search: Callable[..., hypothesis.settings], counted: Counter[str]
) -> None:
    @search(60, 12_000)
    @hypothesis.given(st.lists(PODS, max_size=3), st.booleans())
    def attack(records: list[dict[str, Any]], fails: bool) -> None:
        counted["listings tried"] += 1
        answer = Answer("https://example.org", 200, _body({"code": 10000, "message": "ok", "data": records}))
        try:
            pods = v1.pods(answer)
            frames = [pods_frame(v1.rows(answer, wide), wide) for wide in (False, True)]
        except YottaError as error:
            _one_line(error)
            counted["listings refused in one line"] += 1
            return
        assert len(pods) == len(frames[0]) == len(frames[1]) == len(records)
        assert list(map(str, frames[0].dtypes)) == list(map(str, pods_frame([]).dtypes))
        shown = [repr(pod) for pod in pods] + [repr(frame) for frame in (*frames, cost_frame(pods))]
        shown.append(static.text(pods, "x", None))
        for pod in pods:
            for made in (ssh.command, ssh.config_block):
                try:
                    shown.append(made(pod))
                except YottaError as error:
                    shown.append(str(error))
        for text in shown:
            assert not ACTIVE.search(text), text
        Catalog().learn(pods)
        state = PanelState({}, dict)
        state.seen(pods, 0.0)
        msgspec.json.decode(state.snapshot())
        state.seen(pods[:1], 1.0)
        state.patch()

    attack()


def test_answers_of_any_shape_are_read_or_refused(
    search: Callable[..., hypothesis.settings], counted: Counter[str]
) -> None:
    envelopes = JSON | st.fixed_dictionaries(
        {
            "code": st.sampled_from([10000, "10000", 12001, 13000, 401]) | JSON,
            "data": JSON | st.lists(PODS, max_size=1),
        },
        optional={"message": JSON},
    )
    bodies = (
        st.binary(max_size=60) | envelopes.map(_body) | envelopes.map(_body).map(lambda body: body[: len(body) // 2])
    )
    readers: list[Callable[[Answer], object]] = [
        v1.pods,
        v1.rows,
        lambda answer: v1.rows(answer, True),
        lambda answer: v1.pod(answer, "1"),
        v1.created_id,
        v1.data,
    ]

    @search(300, 12_000)
    @hypothesis.given(bodies, st.sampled_from([200, 201, 204, 301, 400, 401, 404, 429, 500, 503]))
    def attack(body: bytes, status: int) -> None:
        counted["answers tried"] += 1
        for read in readers:
            try:
                read(Answer("https://example.org", status, body))
            except YottaError as error:
                _one_line(error)

    attack()


def test_a_form_of_any_shape_is_checked(search: Callable[..., hypothesis.settings], counted: Counter[str]) -> None:
    names = ["gpu_type", "image", "gpu_count", "ports", "name", "region", "cloud", "init", "container_volume"]
    names += ["persistent_volume", "mount", "registry_username", "registry_token"]
    values = st.sampled_from(["L4", "pytorch", "1", "22", "50", "/x", "SECURE", "a/b:1", "\x1b", "x" * 5000]) | JSON
    pairs = st.lists(st.tuples(values, values), max_size=3)
    forms = st.fixed_dictionaries(
        {"gpu_type": st.just("L4"), "image": st.just("pytorch")},
        optional={**dict.fromkeys(names[2:], values), "private": st.booleans(), "env": pairs},
    ) | st.dictionaries(st.sampled_from(names), values)

    @search(300, 12_000)
    @hypothesis.given(forms)
    def attack(values: dict[str, Any]) -> None:
        counted["forms tried"] += 1
        checked = form.check(values, Catalog())
        assert (checked.spec is None) == bool(checked.errors)
        for told in (*checked.errors.values(), *checked.notes.values(), checked.line or ""):
            assert "\n" not in told
            assert not ACTIVE.search(told)
        if checked.spec is not None:
            v1.encode_create_body(v1.create_body(checked.spec, "mark"))

    attack()
