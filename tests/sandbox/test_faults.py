"""Every fault: what the client sees, and whether what it asked was done."""

import threading
import time

import pytest
import requests

from yotta_jupyter.sandbox.faults import KINDS, Faults, parse_fault

NO_ANSWER = requests.ConnectionError


def outcome(api, **options):
    """Create a pod; return what came back and whether there is one pod more."""
    before = len(api.sandbox.pods())
    try:
        answer = api.send(
            "POST", "create", json={"image": "made/up:1", "gpuType": "NVIDIA_L4_24G", "gpuCount": 1}, **options
        )
    except requests.RequestException as error:
        answer = error
    return answer, len(api.sandbox.pods()) - before == 1


@pytest.mark.parametrize(("kind", "applied"), [("lost", True), ("dropped", False)])
def test_no_byte(api, kind, applied):
    api.sandbox.add_fault(f"create:{kind}x1")
    answer, done = outcome(api)
    assert isinstance(answer, NO_ANSWER)
    assert done is applied
    assert outcome(api)[0].json()["code"] == 10000


@pytest.mark.parametrize(
    ("kind", "applied", "status", "content_type", "body"),
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
def test_another_answer(api, kind, applied, status, content_type, body):
    api.sandbox.add_fault(f"create:{kind}")
    answer, done = outcome(api)
    assert answer.status_code == status
    assert answer.headers["Content-Type"] == content_type
    assert answer.text == body if body is not None else answer.text.startswith("<!DOCTYPE html>")
    assert done is applied


def test_truncated(api):
    api.sandbox.add_fault("*:truncatedx2")
    answer, done = outcome(api)
    assert isinstance(answer, requests.exceptions.ChunkedEncodingError)
    assert done
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        api.send("GET", "list")
    assert len(api.list()) == 4


@pytest.mark.parametrize(("kind", "applied"), [("timeout", False), ("timeout-after", True)])
def test_no_answer_until_the_client_leaves(api, kind, applied):
    api.sandbox.add_fault(f"create:{kind}")
    answer, done = outcome(api, timeout=(20, 0.2))
    assert isinstance(answer, requests.ReadTimeout)
    assert done is applied


@pytest.mark.parametrize("kind", ["timeout", "timeout-after", "slow=3600"])
def test_stop_does_not_wait_for_those_who_wait(api, kind):
    api.sandbox.add_fault(f"list:{kind}")
    failed = []

    def ask():
        try:
            api.send("GET", "list")
        except NO_ANSWER as error:
            failed.append(error)

    threads = [threading.Thread(target=ask) for _ in range(3)]
    for thread in threads:
        thread.start()
    while len(api.sandbox.requests) < 3:
        time.sleep(0.001)
    api.sandbox.stop()
    for thread in threads:
        thread.join(20)
    assert len(failed) == 3


def test_slow_applies_and_then_answers(api):
    api.sandbox.add_fault("create:slow=0.05")
    answer, done = outcome(api)
    assert answer.json()["code"] == 10000
    assert done
    api.sandbox.clear_faults()
    api.sandbox.add_fault("create:slow=3600")
    answer, done = outcome(api, timeout=(20, 0.2))
    assert isinstance(answer, requests.ReadTimeout)
    assert done


def test_retry_after(api):
    api.sandbox.add_fault("list:429=7x1")
    answer = api.send("GET", "list")
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "7")
    assert len(api.list()) == 3


def test_redirect(api):
    api.sandbox.add_fault("create:redirect=http://192.0.2.1:9/a?b=cx1")
    answer, done = outcome(api)
    assert (answer.status_code, answer.headers["Location"]) == (302, "http://192.0.2.1:9/a?b=c")
    assert not done


def test_listings_that_lag(api):
    api.sandbox.add_fault("list:lag=5")
    pod_id = api.created()
    assert len(api.list()) == 3
    assert api.status(pod_id) == "INITIALIZE"
    api.sandbox.advance(5)
    assert len(api.list()) == 4
    api.sandbox.advance(3)
    assert api.status(pod_id) == "RUNNING"
    assert api.list(("statusList", "RUNNING"), ("statusList", "PAUSED")) == [
        pod for pod in api.list() if pod["id"] != pod_id
    ]
    assert next(pod for pod in api.list() if pod["id"] == pod_id)["status"] == "INITIALIZE"
    api.sandbox.advance(5)
    assert next(pod for pod in api.list() if pod["id"] == pod_id)["status"] == "RUNNING"


def test_one_pod_that_lags(api):
    api.sandbox.add_fault("get:lag=5")
    pod_id = api.created()
    assert len(api.list()) == 4
    answer = api.send("GET", pod_id)
    assert (answer.status_code, answer.json()["code"]) == (404, 13000)
    api.sandbox.advance(5)
    assert api.status(pod_id) == "INITIALIZE"


def test_lag_and_a_lost_answer_together(api):
    api.sandbox.add_fault("*:lag=5")
    api.sandbox.add_fault("*:lostx1")
    assert isinstance(outcome(api)[0], NO_ANSWER)
    assert len(api.list()) == 3
    api.sandbox.advance(5)
    assert len(api.list()) == 4


@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "pause/{}"), ("POST", "resume/{}"), ("DELETE", "{}")],
    ids=["pause", "resume", "delete"],
)
@pytest.mark.parametrize(("kind", "applied"), [("500-after", True), ("500-before", False)])
def test_faults_of_actions(serve, method, path, kind, applied):
    endpoint = "delete" if method == "DELETE" else path.partition("/")[0]
    status = "PAUSED" if endpoint == "resume" else "RUNNING"
    api = serve(records=[{"id": "1", "status": status}], faults=[f"{endpoint}:{kind}x1"])
    assert api.send(method, path.format(1)).status_code == 500
    assert (api.status("1") != status) is applied


def test_a_fault_does_not_hide_a_wrong_key(api):
    api.sandbox.add_fault("list:empty")
    assert api.send("GET", "list", headers={"x-api-key": "wrong"}).status_code == 401


def test_reset_puts_the_first_faults_back(serve):
    api = serve(faults=["list:status=503x1"])
    api.sandbox.add_fault("get:status=502")
    assert api.send("GET", "list").status_code == 503
    pod_id = api.list()[0]["id"]
    assert api.send("GET", pod_id).status_code == 502
    api.sandbox.reset()
    assert api.status(pod_id)
    assert [api.send("GET", "list").status_code for _ in range(2)] == [503, 200]


def test_a_seed_gives_the_same_chances():
    def fired(seed):
        faults = Faults(seed)
        faults.add(parse_fault("list:lost@0.4"))
        return [faults.plan("list").fault is not None for _ in range(200)]

    assert fired(1) == fired(1) != fired(2)
    assert 40 < sum(fired(1)) < 120


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_every_kind_can_be_written(kind):
    value = {"SECONDS": "=2.5", "STATUS": "=502", "N": "=10001", "URL": "=http://127.0.0.1:9/x3"}.get(
        KINDS[kind].value, ""
    )
    fault = parse_fault(f"*:{kind}{value}@0.25x4")
    assert (fault.endpoint, fault.kind, fault.chance, fault.times) == ("*", kind, 0.25, 4)
    assert fault.value == value[1:]
    endpoint = (KINDS[kind].only or ("list",))[0]
    assert parse_fault(f"{endpoint}:{kind}{value}x12").times == 12
    assert fault.is_at(endpoint)


@pytest.mark.parametrize(
    ("spec", "says"),
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
def test_a_bad_fault(api, spec, says):
    with pytest.raises(ValueError, match=r"^fault ") as caught:
        api.sandbox.add_fault(spec)
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)
