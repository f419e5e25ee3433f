"""What goes wrong arrives as a type, in one line, without the key."""

import pickle

import pytest

from yotta_jupyter import (
    ApiError,
    AuthenticationError,
    ConnectionFailed,
    InvalidRequest,
    Sandbox,
    UnexpectedResponse,
    YottaError,
    connect,
)

KEY = "made-up-key-4f2a"
NOT_THE_API = ["html", "html=404", "html=502", "empty", "truncated", "list", "bare=500", "redirect=http://192.0.2.1/"]


@pytest.fixture
def broken():
    """Return the error of a listing with that fault, and the sandbox."""

    def broken(fault):
        with Sandbox(api_key=KEY, faults=[f"list:{fault}"]) as sandbox:
            with connect(KEY, base_url=sandbox.base_url, timeout=0.5) as yotta, pytest.raises(YottaError) as caught:
                yotta.pods.list()
            return caught.value, sandbox

    return broken


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        *((fault, UnexpectedResponse) for fault in NOT_THE_API),
        ("status=500", ApiError),
        ("500-before", ApiError),
        ("code=12345", ApiError),
        ("code=-1", ApiError),
        ("status=401", AuthenticationError),
        ("status=403", AuthenticationError),
        ("bare=401", AuthenticationError),
        ("timeout", ConnectionFailed),
        ("dropped", ConnectionFailed),
    ],
)
def test_each_failure_has_its_type_one_line_and_no_key(broken, fault, kind):
    error, _ = broken(fault)
    assert type(error) is kind
    assert "\n" not in str(error)
    assert 20 < len(str(error)) < 500
    assert all(KEY not in text for text in (str(error), repr(error), repr(error.args)))
    assert error._render_traceback_() == [f"{kind.__name__}: {error}"]


@pytest.mark.parametrize(
    ("fault", "words"), [("html=502", "HTTP 502"), ("html", "<"), ("empty", "empty"), ("list", "[")]
)
def test_an_answer_that_is_not_the_apis_is_shown(broken, fault, words):
    assert words in str(broken(fault)[0])


def test_an_error_carries_code_and_status(broken):
    error, _ = broken("code=12345")
    assert (error.code, error.http_status) == (12345, 200)


def test_a_redirect_is_not_followed_and_says_where_to(broken):
    error, sandbox = broken("redirect=http://192.0.2.1/")
    assert "http://192.0.2.1/" in str(error)
    assert len(sandbox.requests) == 1


def test_a_redirect_to_the_same_host_is_not_followed_either(broken):
    _, sandbox = broken("redirect=/openapi/v1/pods/list?x=1")
    assert len(sandbox.requests) == 1


@pytest.mark.parametrize(
    ("fault", "requests"),
    [("status=503x2", 3), ("bare=502x1", 2), ("bare=504x1", 2), ("429=0x1", 2), ("lostx1", 2), ("droppedx2", 3)],
)
def test_a_listing_is_asked_again_where_that_helps(yotta, sandbox, fault, requests):
    sandbox.add_fault(f"list:{fault}")
    assert len(yotta.pods.list()) == 3
    assert len(sandbox.requests) == requests


@pytest.mark.parametrize("fault", ["code=10001", "status=500", "status=400", "html", "empty"])
def test_a_listing_is_not_asked_again_where_that_does_not_help(broken, fault):
    assert len(broken(fault)[1].requests) == 1


@pytest.mark.parametrize(
    ("act", "name", "status"),
    [("pause", "train-1", "PAUSED"), ("resume", "finetune-1", "RUNNING"), ("delete", "train-1", "TERMINATED")],
)
@pytest.mark.parametrize("fault", ["lostx1", "droppedx1", "bare=502x1"])
def test_an_action_whose_answer_was_lost_is_sent_again_and_succeeds(yotta, sandbox, act, name, status, fault):
    pod_id = next(pod.id for pod in yotta.pods.list() if pod.name == name)
    sandbox.add_fault(f"{act}:{fault}")
    getattr(yotta.pods, act)(pod_id)
    assert [request.endpoint for request in sandbox.requests].count(act) == 2
    sandbox.advance(10)
    assert yotta.pods.get(pod_id).status == status


def test_a_wrong_key_is_an_authentication_error_that_says_what_to_do(sandbox):
    with connect(KEY, base_url=sandbox.base_url) as yotta, pytest.raises(AuthenticationError, match="%yotta login"):
        yotta.pods.list()


def test_a_stopped_sandbox_is_a_connection_that_failed():
    with Sandbox() as sandbox:
        pass
    with connect(KEY, base_url=sandbox.base_url) as yotta, pytest.raises(ConnectionFailed) as caught:
        yotta.pods.list()
    assert caught.value.sent is False
    assert "%yotta sandbox start" in str(caught.value)


def test_an_error_survives_pickling(broken):
    for fault in ("html", "code=12345", "timeout"):
        error, _ = broken(fault)
        assert str(pickle.loads(pickle.dumps(error))) == str(error)


def test_no_frame_of_the_traceback_shows_the_key(sandbox):
    sandbox.add_fault("list:html")
    with connect(sandbox.api_key, base_url=sandbox.base_url) as yotta, pytest.raises(UnexpectedResponse) as caught:
        yotta.pods.list()
    package = [
        entry for entry in caught.traceback if "yotta_jupyter" in str(entry.path) and "tests" not in str(entry.path)
    ]
    assert package
    assert all(sandbox.api_key not in repr(entry.frame.f_locals) for entry in package)


@pytest.mark.parametrize("key", ["a\nb", "é", "a b", "a\rb", "\u2022", " "])
def test_a_key_that_no_header_carries_is_refused_and_not_repeated(key):
    with pytest.raises(InvalidRequest) as caught:
        connect(key, base_url="http://127.0.0.1:1")
    assert key.strip() not in str(caught.value) or not key.strip()


def test_an_empty_key_is_no_key():
    with pytest.raises(InvalidRequest, match="API key"):
        connect("", base_url="http://127.0.0.1:1")


@pytest.mark.parametrize(
    "address",
    [
        "http://example.org",
        "http://127.0.0.1.example.org",
        "http://localhost.example.org",
        "http://localhost@example.org",
        "http://127.0.0.1:80@example.org",
        "https://u:p@example.org",
        "https://example.org/path",
        "https://example.org?x=1",
        "https://example.org#x",
        "https://exa mple.org",
        "https://example.org\\@127.0.0.1",
        "https://example.org:99999",
        "ftp://x",
        "example.org",
        "https://",
        "http://0.0.0.0",
    ],
)
def test_an_address_that_would_give_the_key_away_is_refused(address):
    with pytest.raises(InvalidRequest) as caught:
        connect(KEY, base_url=address)
    assert "\n" not in str(caught.value)
    assert KEY not in str(caught.value)


def test_an_empty_address_is_refused_by_the_client():
    from yotta_jupyter.api import Client

    with pytest.raises(InvalidRequest):
        Client(KEY, "")


@pytest.mark.parametrize(
    ("address", "used"),
    [
        ("https://example.org", "https://example.org"),
        ("https://example.org/", "https://example.org"),
        ("HTTPS://Example.org:8443", "https://example.org:8443"),
        ("http://localhost:8000", "http://localhost:8000"),
        ("http://127.0.0.1", "http://127.0.0.1"),
        ("http://[::1]:80", "http://[::1]:80"),
    ],
)
def test_https_anywhere_and_http_on_loopback_are_allowed(address, used):
    assert connect(KEY, base_url=address).base_url == used


@pytest.mark.parametrize("timeout", [0, -1, 3601, float("nan"), True, "5"])
def test_a_timeout_that_is_none_is_refused(timeout):
    with pytest.raises(InvalidRequest):
        connect(KEY, base_url="http://127.0.0.1:1", timeout=timeout)
