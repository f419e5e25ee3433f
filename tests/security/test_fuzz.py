"""Random lines, pods, responses and forms give a result or an error of one line, never another exception."""

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

from yotta_jupyter import PodSpec, Sandbox, Secret, YottaError, ssh
from yotta_jupyter.api.transport import Response
from yotta_jupyter.api.v1 import V1Backend, responses
from yotta_jupyter.catalog import Catalog
from yotta_jupyter.magics.commands import COMMANDS
from yotta_jupyter.magics.dispatch import run_line
from yotta_jupyter.magics.session import Session
from yotta_jupyter.models import Pod
from yotta_jupyter.panel import fallback, form
from yotta_jupyter.panel.state import PanelState
from yotta_jupyter.panel.sync import StateSync
from yotta_jupyter.pod_frames import cost_frame, pods_frame

from .conftest import CONTROL_CHARS

FLAGS = sorted({flag for command in COMMANDS for flag in command.parser()._option_string_actions})
NAMES = [name for command in COMMANDS for name in (command.name, *command.aliases) if name != "login"]
VALID_WORDS = ["train-1", "notebook-1", "finetune-1", "1", "L4", "pytorch", "running", "us-west-1", "A=b", "22/SSH"]
EXPANSIONS = ["$pod", "$$", "{pod}", "{{", "$undefined", "{1/0}"]
PUNCTUATION = ["'", '"', "a b", "''", "#", ";", "--", "-", "=", "\\", "\n", "\x00", "\u202e", "\x1b[2J"]
INVALID_WORDS = ["HF_TOKEN=x", "0", "-1", "99999999999999999999", "1e999", "nan", "é", "../x", "*", "x" * 3000]
WORDS = VALID_WORDS + EXPANSIONS + PUNCTUATION + INVALID_WORDS
LINES = st.lists(st.sampled_from(NAMES + FLAGS + WORDS) | st.text(max_size=8), max_size=8).map(" ".join)
LINES_WITH_COMMAND = st.tuples(st.sampled_from(NAMES), LINES).map(" ".join)


@pytest.fixture
def fake_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """A clock for waits that a sleep moves forward at once."""
    now = [0.0]

    def sleep(seconds: float) -> None:
        now[0] += max(seconds, 0.1) * 100

    clock = types.SimpleNamespace(sleep=sleep, monotonic=lambda: now[0])
    monkeypatch.setattr("yotta_jupyter.api.waiter.time", clock)


@pytest.mark.usefixtures("fake_clock")
def test_line_sends_only_what_it_says_or_is_rejected(
    bare_shell: InteractiveShell,
    monkeypatch: pytest.MonkeyPatch,
    search_settings: Callable[..., hypothesis.settings],
    attack_counter: Counter[str],
) -> None:
    def no_stdin(prompt: str = "") -> str:
        raise EOFError

    monkeypatch.setattr("builtins.input", no_stdin)
    with Sandbox(speed=1000) as sandbox:
        monkeypatch.setenv("YOTTA_API_KEY", sandbox.api_key)
        monkeypatch.setenv("YOTTA_BASE_URL", sandbox.base_url)
        session = Session(bare_shell)
        ids = {record["podName"]: record["id"] for record in sandbox.pods()}

        @search_settings(300, 12_000)
        @hypothesis.given(LINES_WITH_COMMAND | LINES)
        def attack(line: str) -> None:
            attack_counter["lines"] += 1
            before = len(sandbox.requests)
            try:
                with capture_output():
                    run_line(session, line, {"pod": ids["train-1"]})
            except YottaError as error:
                _check_one_line(error)
                attack_counter["rejected lines"] += 1
            if session.sandbox is not None:
                session.sandbox.stop()
                session.sandbox = None
            requests = sandbox.requests[before:]
            if len(sandbox.requests) > 5000:
                sandbox.reset()
            _check_requests(line, requests)

        attack()
        session.close()


def _check_one_line(error: YottaError) -> None:
    assert "\n" not in str(error)
    assert not CONTROL_CHARS.search(str(error))
    assert len(str(error)) < 1500


def _check_requests(line: str, requests: list[Any]) -> None:
    """Fail if a request changes pods and the line does not say so."""
    words = line.split()
    for request in requests:
        if request.method == "GET":
            continue
        assert words[0] == request.endpoint, line
        if request.endpoint == "delete":
            assert "--yes" in line, line
        if request.endpoint == "create":
            assert "--dry-run" not in words, line


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
FIELDS = [field.encode_name for field in msgspec.structs.fields(Pod) if field.encode_name]
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


def _encode(envelope: Any) -> bytes:
    return json.dumps(envelope).encode()


def test_random_pods_are_shown_or_rejected(
    search_settings: Callable[..., hypothesis.settings], attack_counter: Counter[str]
) -> None:
    @search_settings(60, 12_000)
    @hypothesis.given(st.lists(PODS, max_size=3))
    def attack(records: list[dict[str, Any]]) -> None:
        attack_counter["listings"] += 1
        response = Response("https://example.org", 200, _encode({"code": 10000, "message": "ok", "data": records}))
        try:
            pods = responses.parse_pods(response)
            frames = [pods_frame(pods, wide) for wide in (False, True)]
        except YottaError as error:
            _check_one_line(error)
            attack_counter["rejected listings"] += 1
            return
        assert len(pods) == len(frames[0]) == len(frames[1]) == len(records)
        assert [str(dtype) for dtype in frames[0].dtypes] == [str(dtype) for dtype in pods_frame([]).dtypes]
        texts = [repr(pod) for pod in pods] + [repr(frame) for frame in (*frames, cost_frame(pods))]
        texts.append(fallback.text(pods, "x", None))
        for pod in pods:
            for build in (ssh.command, ssh.config_block):
                try:
                    texts.append(build(pod))
                except YottaError as error:
                    texts.append(str(error))
        for text in texts:
            assert not CONTROL_CHARS.search(text), text
        Catalog().update(pods)
        state = PanelState()
        state.apply_listing(pods, 0.0)
        sync = StateSync(state, delete_delay=5.0)
        msgspec.json.decode(sync.snapshot())
        state.apply_listing(pods[:1], 1.0)
        sync.patch()

    attack()


def test_random_responses_are_parsed_or_rejected(
    search_settings: Callable[..., hypothesis.settings], attack_counter: Counter[str]
) -> None:
    envelopes = JSON | st.fixed_dictionaries(
        {
            "code": st.sampled_from([10000, "10000", 12001, 13000, 401]) | JSON,
            "data": JSON | st.lists(PODS, max_size=1),
        },
        optional={"message": JSON},
    )
    complete = envelopes.map(_encode)
    truncated = complete.map(lambda body: body[: len(body) // 2])
    bodies = st.binary(max_size=60) | complete | truncated
    parsers: list[Callable[[Response], object]] = [
        responses.parse_pods,
        lambda response: responses.parse_pod(response, "1"),
        responses.parse_created_id,
        responses.unwrap_envelope,
    ]

    @search_settings(300, 12_000)
    @hypothesis.given(bodies, st.sampled_from([200, 201, 204, 301, 400, 401, 404, 429, 500, 503]))
    def attack(body: bytes, status: int) -> None:
        attack_counter["responses"] += 1
        for parse in parsers:
            try:
                parse(Response("https://example.org", status, body))
            except YottaError as error:
                _check_one_line(error)

    attack()


class _FakeTransport:
    """Decodes the body of a create request instead of sending it."""

    def request_once(self, method: str, path: str, body: Secret, secrets: object) -> Response:
        assert json.loads(body.reveal())["image"]
        return Response("https://example.org", 200, _encode({"code": 10000, "message": "ok", "data": "1"}))


def test_random_forms_are_validated(
    search_settings: Callable[..., hypothesis.settings], attack_counter: Counter[str]
) -> None:
    names = [name for name in PodSpec.__struct_fields__ if name not in ("environment_vars", "image_public_type")]
    optional_names = [name for name in names if name not in ("gpu_type", "image")]
    values = st.sampled_from(["L4", "pytorch", "1", "22", "50", "/x", "SECURE", "a/b:1", "\x1b", "x" * 5000]) | JSON
    pairs = st.lists(st.tuples(values, values), max_size=3)
    complete_forms = st.fixed_dictionaries(
        {"gpu_type": st.just("L4"), "image": st.just("pytorch")},
        optional={
            **dict.fromkeys(optional_names, values),
            "image_public_type": st.sampled_from(["PRIVATE", ""]) | JSON,
            "environment_vars": pairs,
        },
    )
    partial_forms = st.dictionaries(st.sampled_from(names), values)

    @search_settings(300, 12_000)
    @hypothesis.given(complete_forms | partial_forms)
    def attack(values: dict[str, Any]) -> None:
        attack_counter["forms"] += 1
        result = form.validate(values, Catalog())
        assert (result.spec is None) == bool(result.errors)
        for text in (*result.errors.values(), *result.notes.values(), result.command or ""):
            assert "\n" not in text
            assert not CONTROL_CHARS.search(text)
        if result.spec is not None:
            V1Backend(_FakeTransport()).create(result.spec, "launch-id")  # type: ignore[arg-type]

    attack()
