"""Failures of HTTP requests: types of errors, retries, and what errors show. A fault such as ``lostx1`` occurs once."""

import pickle
from pathlib import Path

import pytest

import yotta_jupyter
from yotta_jupyter import (
    ApiError,
    AuthenticationError,
    ConnectionFailed,
    Sandbox,
    ServerError,
    UnexpectedResponse,
    YottaError,
    connect,
)

KEY = "made-up-key-4f2a"
UNEXPECTED = ["html", "html=404", "html=502", "empty", "truncated", "list", "bare=500", "redirect=http://192.0.2.1/"]


@pytest.fixture
def fail_list():
    """A function that returns the error of a listing with a fault, and the sandbox."""

    def run(fault):
        with Sandbox(api_key=KEY, faults=[f"list:{fault}"]) as sandbox:
            with connect(KEY, base_url=sandbox.base_url, timeout=0.5) as yotta, pytest.raises(YottaError) as error:
                yotta.pods.list()
            return error.value, sandbox

    return run


@pytest.mark.parametrize(
    ("fault", "error_type"),
    [
        *((fault, UnexpectedResponse) for fault in UNEXPECTED),
        ("status=500", ServerError),
        ("500-before", ServerError),
        ("code=10002", ServerError),
        ("code=12345", ApiError),
        ("code=-1", ApiError),
        ("status=401", AuthenticationError),
        ("status=403", AuthenticationError),
        ("bare=401", AuthenticationError),
        ("timeout", ConnectionFailed),
        ("dropped", ConnectionFailed),
    ],
)
def test_each_failure_has_its_type_one_line_and_no_key(fail_list, fault, error_type):
    error, sandbox = fail_list(fault)
    assert type(error) is error_type
    assert "\n" not in str(error)
    assert 20 < len(str(error)) < 500
    assert all(KEY not in text for text in (str(error), repr(error), repr(error.args), repr(vars(error))))
    assert error._render_traceback_() == [f"{error_type.__name__}: {error}"]
    assert error.base_url == sandbox.base_url


@pytest.mark.parametrize(
    ("fault", "words"), [("html=502", "HTTP 502"), ("html", "<"), ("empty", "empty"), ("list", "[")]
)
def test_unexpected_response_is_quoted(fail_list, fault, words):
    error, _ = fail_list(fault)
    assert words in str(error)


def test_api_error_has_code_and_http_status(fail_list):
    error, _ = fail_list("code=12345")
    assert (error.code, error.http_status) == (12345, 200)


def test_redirect_is_not_followed_and_its_target_is_shown(fail_list):
    error, sandbox = fail_list("redirect=http://192.0.2.1/")
    assert "http://192.0.2.1/" in str(error)
    assert len(sandbox.requests) == 1


def test_redirect_to_the_same_host_is_not_followed(fail_list):
    _, sandbox = fail_list("redirect=/openapi/v1/pods/list?x=1")
    assert len(sandbox.requests) == 1


@pytest.mark.parametrize(
    ("fault", "requests"),
    [("status=503x2", 3), ("bare=502x1", 2), ("bare=504x1", 2), ("429=0x1", 2), ("lostx1", 2), ("droppedx2", 3)],
)
def test_list_is_retried_after_transient_failures(yotta, sandbox, fault, requests):
    sandbox.add_fault(f"list:{fault}")
    assert len(yotta.pods.list()) == 3
    assert len(sandbox.requests) == requests


@pytest.mark.parametrize("fault", ["code=10001", "status=500", "status=400", "html", "empty"])
def test_list_is_not_retried_after_permanent_failures(fail_list, fault):
    _, sandbox = fail_list(fault)
    assert len(sandbox.requests) == 1


@pytest.mark.parametrize(
    ("action", "name", "status"),
    [("pause", "train-1", "PAUSED"), ("resume", "finetune-1", "RUNNING"), ("delete", "train-1", "TERMINATED")],
)
@pytest.mark.parametrize("fault", ["lostx1", "droppedx1", "bare=502x1"])
def test_action_is_retried_and_succeeds_when_its_response_is_lost(yotta, sandbox, action, name, status, fault):
    pod_id = next(pod.id for pod in yotta.pods.list() if pod.name == name)
    sandbox.add_fault(f"{action}:{fault}")
    getattr(yotta.pods, action)(pod_id)
    assert [request.endpoint for request in sandbox.requests].count(action) == 2
    sandbox.advance(10)
    assert yotta.pods.get(pod_id).status == status


def test_wrong_key_is_an_authentication_error(sandbox):
    with connect(KEY, base_url=sandbox.base_url) as yotta, pytest.raises(AuthenticationError, match="Access Keys"):
        yotta.pods.list()


def test_stopped_sandbox_is_a_failed_connection():
    with Sandbox() as sandbox:
        pass
    with connect(KEY, base_url=sandbox.base_url) as yotta, pytest.raises(ConnectionFailed) as error:
        yotta.pods.list()
    assert error.value.may_have_been_delivered is False
    assert error.value.method == "GET"


@pytest.mark.parametrize("fault", ["html", "code=12345", "status=401", "timeout"])
def test_error_survives_pickling(fail_list, fault):
    error, _ = fail_list(fault)
    copied = pickle.loads(pickle.dumps(error))
    assert type(copied) is type(error)
    assert str(copied) == str(error)
    assert vars(copied) == vars(error)


def test_no_frame_of_the_traceback_shows_the_key(sandbox):
    sandbox.add_fault("list:html")
    with connect(sandbox.api_key, base_url=sandbox.base_url) as yotta, pytest.raises(UnexpectedResponse) as error:
        yotta.pods.list()
    package = Path(yotta_jupyter.__file__).parent
    frames = [entry for entry in error.traceback if package in Path(entry.path).parents]
    assert len(frames) > 1
    assert all(sandbox.api_key not in repr(entry.frame.f_locals) for entry in frames)


def test_server_that_repeats_the_key_does_not_show_it(fail_list):
    error, _ = fail_list(f"redirect=https://example.org/?key={KEY}")
    assert KEY not in str(error)
    assert "••••" in str(error)
