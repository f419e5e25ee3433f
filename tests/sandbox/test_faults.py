"""Every fault: the response that the client gets, and whether the request takes effect."""

import threading

import pytest
import requests

from yotta_jupyter.sandbox.faults import FAULT_KINDS, Faults, parse_fault


def create_outcome(api, timeout=20):
    """Send a create request. Return the response or the exception, and whether a pod was created."""
    before = len(api.sandbox.pods())
    try:
        response = api.create(timeout=timeout)
    except requests.RequestException as error:
        response = error
    created = len(api.sandbox.pods()) == before + 1
    return response, created


@pytest.mark.parametrize(("kind", "takes_effect"), [("lost", True), ("dropped", False)])
def test_connection_closes_without_response(api, kind, takes_effect):
    api.sandbox.add_fault(f"create:{kind}x1")
    response, created = create_outcome(api)
    assert isinstance(response, requests.ConnectionError)
    assert created is takes_effect
    assert create_outcome(api)[0].json()["code"] == 10000


@pytest.mark.parametrize(
    ("kind", "takes_effect", "status", "content_type", "body"),
    [
        ("500-before", False, 500, "application/json", '{"message":"system error","code":10002,"data":null}'),
        ("500-after", True, 500, "application/json", '{"message":"system error","code":10002,"data":null}'),
        ("html", False, 200, "text/html; charset=utf-8", None),
        ("html=502", False, 502, "text/html; charset=utf-8", None),
        ("html-after=503", True, 503, "text/html; charset=utf-8", None),
        ("empty", False, 200, "application/json", ""),
        ("empty-after", True, 200, "application/json", ""),
        ("list", False, 200, "application/json", "[]"),
        ("list-after", True, 200, "application/json", "[]"),
        ("code=12345", False, 200, "application/json", '{"message":"code 12345","code":12345,"data":null}'),
        ("status=403", False, 403, "application/json", '{"message":"status 403","code":403,"data":null}'),
        ("status=503", False, 503, "application/json", '{"message":"status 503","code":503,"data":null}'),
        ("bare=502", False, 502, "text/plain; charset=utf-8", ""),
    ],
)
def test_response_is_replaced(api, kind, takes_effect, status, content_type, body):
    api.sandbox.add_fault(f"create:{kind}")
    response, created = create_outcome(api)
    assert response.status_code == status
    assert response.headers["Content-Type"] == content_type
    if body is None:
        assert response.text.startswith("<!DOCTYPE html>")
    else:
        assert response.text == body
    assert created is takes_effect


def test_truncated_response(api):
    api.sandbox.add_fault("*:truncatedx2")
    response, created = create_outcome(api)
    assert isinstance(response, requests.exceptions.ChunkedEncodingError)
    assert created
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        api.request("GET", "list")
    assert len(api.list()) == 4


@pytest.mark.parametrize(("kind", "takes_effect"), [("timeout", False), ("timeout-after", True)])
def test_timeout_never_responds(api, kind, takes_effect):
    api.sandbox.add_fault(f"create:{kind}")
    response, created = create_outcome(api, timeout=(20, 0.2))
    assert isinstance(response, requests.ReadTimeout)
    assert created is takes_effect


@pytest.mark.parametrize("kind", ["timeout", "timeout-after", "slow=3600"])
def test_stop_ends_waiting_requests_at_once(api, wait_until, kind):
    api.sandbox.add_fault(f"list:{kind}")
    errors = []

    def list_pods():
        try:
            api.request("GET", "list")
        except requests.ConnectionError as error:
            errors.append(error)

    threads = [threading.Thread(target=list_pods) for _ in range(3)]
    for thread in threads:
        thread.start()
    wait_until(lambda: len(api.sandbox.requests) == 3)
    api.sandbox.stop()
    for thread in threads:
        thread.join(20)
    assert len(errors) == 3


@pytest.mark.parametrize("seconds", ["0", "0.05"])
def test_slow_response(api, seconds):
    api.sandbox.add_fault(f"create:slow={seconds}")
    response, created = create_outcome(api)
    assert response.json()["code"] == 10000
    assert created


def test_request_with_a_slow_response_takes_effect_immediately(api):
    api.sandbox.add_fault("create:slow=3600")
    response, created = create_outcome(api, timeout=(20, 0.2))
    assert isinstance(response, requests.ReadTimeout)
    assert created


def test_retry_after_header(api):
    api.sandbox.add_fault("list:429=7x1")
    response = api.request("GET", "list")
    assert (response.status_code, response.headers["Retry-After"]) == (429, "7")
    assert len(api.list()) == 3


def test_redirect_response(api):
    api.sandbox.add_fault("create:redirect=http://192.0.2.1:9/a?b=cx1")
    response, created = create_outcome(api)
    assert (response.status_code, response.headers["Location"]) == (302, "http://192.0.2.1:9/a?b=c")
    assert not created


def test_list_lag(api):
    api.sandbox.add_fault("list:lag=5")
    pod_id = api.create_pod()
    assert len(api.list()) == 3
    assert api.status(pod_id) == "INITIALIZE"
    api.sandbox.advance(5)
    assert len(api.list()) == 4
    api.sandbox.advance(3)
    assert api.status(pod_id) == "RUNNING"
    assert [pod["id"] for pod in api.list(("statusList", "INITIALIZE"))] == [pod_id]
    assert pod_id not in [pod["id"] for pod in api.list(("statusList", "RUNNING"))]
    api.sandbox.advance(5)
    assert pod_id in [pod["id"] for pod in api.list(("statusList", "RUNNING"))]


def test_get_lag(api):
    api.sandbox.add_fault("get:lag=5")
    pod_id = api.create_pod()
    assert len(api.list()) == 4
    response = api.request("GET", pod_id)
    assert (response.status_code, response.json()["code"]) == (404, 13000)
    api.sandbox.advance(5)
    assert api.status(pod_id) == "INITIALIZE"


def test_lag_combines_with_lost(api):
    api.sandbox.add_fault("*:lag=5")
    api.sandbox.add_fault("*:lostx1")
    assert isinstance(create_outcome(api)[0], requests.ConnectionError)
    assert len(api.list()) == 3
    api.sandbox.advance(5)
    assert len(api.list()) == 4


@pytest.mark.parametrize(
    ("endpoint", "method", "path", "status"),
    [
        ("pause", "POST", "pause/1", "RUNNING"),
        ("resume", "POST", "resume/1", "PAUSED"),
        ("delete", "DELETE", "1", "RUNNING"),
    ],
)
@pytest.mark.parametrize(("kind", "takes_effect"), [("500-after", True), ("500-before", False)])
def test_faults_apply_to_actions(serve, endpoint, method, path, status, kind, takes_effect):
    api = serve(records=[{"id": "1", "status": status}], faults=[f"{endpoint}:{kind}x1"])
    assert api.request(method, path).status_code == 500
    assert (api.status("1") != status) is takes_effect


def test_wrong_key_takes_precedence_over_faults(api):
    api.sandbox.add_fault("list:empty")
    assert api.request("GET", "list", headers={"x-api-key": "wrong"}).status_code == 401


def test_reset_restores_initial_faults(serve):
    api = serve(faults=["list:status=503x1"])
    api.sandbox.add_fault("get:status=502")
    assert api.request("GET", "list").status_code == 503
    pod_id = api.list()[0]["id"]
    assert api.request("GET", pod_id).status_code == 502
    api.sandbox.reset()
    assert api.status(pod_id)
    assert [api.request("GET", "list").status_code for _ in range(2)] == [503, 200]


def test_same_seed_gives_same_faults():
    def fired(seed):
        faults = Faults(["list:lost@0.4"], seed)
        return [faults.plan("list").fault is not None for _ in range(200)]

    assert fired(1) == fired(1)
    assert fired(1) != fired(2)
    assert 40 < sum(fired(1)) < 120


@pytest.mark.parametrize("kind", sorted(FAULT_KINDS))
def test_every_kind_can_be_parsed(kind):
    values = {"SECONDS": "2.5", "STATUS": "502", "N": "10001", "URL": "http://127.0.0.1:9/x3", "": ""}
    value = values[FAULT_KINDS[kind].value_format]
    kind_and_value = f"{kind}={value}" if value else kind
    fault = parse_fault(f"*:{kind_and_value}@0.25x4")
    assert (fault.endpoint, fault.kind, fault.probability, fault.times) == ("*", kind, 0.25, 4)
    assert fault.value == value
    endpoint = FAULT_KINDS[kind].endpoints[0]
    assert parse_fault(f"{endpoint}:{kind_and_value}x12").times == 12
    assert fault.applies_to(endpoint)


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("", "expected ENDPOINT:KIND"),
        ("lost", "expected ENDPOINT:KIND"),
        ("creat:lost", "did you mean 'create'"),
        ("pods:lost", "allowed: create, list"),
        ("create:lots", "did you mean 'lost'"),
        ("create:500", "did you mean '500-"),
        ("create:zzz", "allowed: lost, dropped"),
        ("create:lost=3", "lost takes no value"),
        ("list:slow", "slow needs a number of seconds"),
        ("list:slow=-1", "slow needs a number of seconds"),
        ("list:slow=fast", "slow needs a number of seconds"),
        ("list:status=99", "status needs an HTTP status"),
        ("list:bare=teapot", "bare needs an HTTP status"),
        ("list:code=x", "code needs a whole number"),
        ("list:redirect=", "redirect needs an address"),
        ("create:lost@2", "number from 0 to 1"),
        ("create:lost@often", "number from 0 to 1"),
        ("create:lost@nan", "number from 0 to 1"),
        ("create:lostx0", "1 or more"),
        ("create:lag=3", "lag is only for list and get"),
        ("list:failed", "failed is only for create"),
    ],
)
def test_invalid_fault_is_explained(api, spec, message):
    with pytest.raises(ValueError, match=r"^fault ") as error:
        api.sandbox.add_fault(spec)
    assert message in str(error.value)
    assert "\n" not in str(error.value)
