"""How pods move from status to status, by a clock that the tests move."""

from datetime import datetime

import pytest

from yotta_jupyter.sandbox.fleet import Fleet

SEEDED = {"pods": 60, "seed": 4}


def expose_of(pod):
    return [{entry[name] is None for name in ("host", "proxyPort", "ingressUrl")} for entry in pod["expose"]]


def wrong_state(response, status):
    answer = response.json()
    return (response.status_code, answer["code"]) == (400, 12001) and status in answer["message"]


def seconds_since_creation(pod):
    first, last = (datetime.fromisoformat(pod[name]) for name in ("createdAt", "updatedAt"))
    return (last - first).total_seconds()


def test_a_new_pod_runs_and_answers_a_little_later(api):
    pod_id = api.created(expose=[{"port": 22, "protocol": "SSH"}, {"port": 8888, "protocol": "HTTP"}])
    pod = api.get(pod_id)
    assert pod["status"] == "INITIALIZE"
    assert seconds_since_creation(pod) == 0
    api.sandbox.advance(6)
    pod = api.get(pod_id)
    assert pod["status"] == "RUNNING"
    assert seconds_since_creation(pod) == 6
    assert [entry["healthy"] for entry in pod["expose"]] == [False, False]
    assert expose_of(pod) == [{True}, {True}]
    api.sandbox.advance(2)
    pod = api.get(pod_id)
    assert [entry["healthy"] for entry in pod["expose"]] == [True, True]
    assert seconds_since_creation(pod) == 6
    ssh, http = pod["expose"]
    assert ssh["ingressUrl"] == f"ssh user@{ssh['host']} -p {ssh['proxyPort']} -i <private key file>"
    assert http["ingressUrl"] == f"http://{http['host']}:{http['proxyPort']}"


def test_everything_that_was_due_happens_at_its_own_time(api):
    pod_id = api.created()
    api.sandbox.advance(1000)
    assert seconds_since_creation(api.get(pod_id)) == 6


def test_pause_and_resume(api):
    pod_id = api.created()
    assert wrong_state(api.send("POST", f"pause/{pod_id}"), "INITIALIZE")
    api.sandbox.advance(8)
    assert wrong_state(api.send("POST", f"resume/{pod_id}"), "RUNNING")
    assert api.send("POST", f"pause/{pod_id}").json()["code"] == 10000
    assert api.status(pod_id) == "PAUSING"
    assert expose_of(api.get(pod_id)) == [{True}]
    assert wrong_state(api.send("POST", f"pause/{pod_id}"), "PAUSING")
    api.sandbox.advance(3)
    assert api.status(pod_id) == "PAUSED"
    assert api.send("POST", f"resume/{pod_id}").json()["code"] == 10000
    assert api.status(pod_id) == "INITIALIZE"
    api.sandbox.advance(6)
    assert api.status(pod_id) == "RUNNING"
    assert expose_of(api.get(pod_id)) == [{True}]
    api.sandbox.advance(2)
    assert expose_of(api.get(pod_id)) == [{False}]


def test_pause_before_the_ports_answer(api):
    pod_id = api.created()
    api.sandbox.advance(6)
    api.send("POST", f"pause/{pod_id}")
    api.sandbox.advance(5)
    assert api.status(pod_id) == "PAUSED"
    assert expose_of(api.get(pod_id)) == [{True}]


def test_delete_and_then_gone(api):
    pod_id = api.created()
    assert api.send("DELETE", pod_id).json()["code"] == 10000
    assert api.status(pod_id) == "TERMINATING"
    assert wrong_state(api.send("DELETE", pod_id), "TERMINATING")
    api.sandbox.advance(8)
    assert api.status(pod_id) == "TERMINATED"
    assert wrong_state(api.send("DELETE", pod_id), "TERMINATED")
    api.sandbox.advance(50)
    assert pod_id in [pod["id"] for pod in api.list()]
    api.sandbox.advance(5)
    assert pod_id not in [pod["id"] for pod in api.list()]
    assert api.send("GET", pod_id).json()["code"] == 13000


def test_speed_divides_all_seconds():
    now = 0.0
    fleet = Fleet(pods=0, speed=10, records=[{"id": "1", "status": "PAUSED"}], monotonic=lambda: now)
    fleet.resume("1")
    now = 0.59
    assert fleet.snapshot()[0]["status"] == "INITIALIZE"
    now = 0.61
    assert fleet.snapshot()[0]["status"] == "RUNNING"


def test_the_same_seed_gives_the_same_pods(serve):
    def known(api):
        names = ("id", "podName", "singleCardPrice", "expose", "status", "environmentVars", "region", "gpuType")
        return [[pod[name] for name in names] for pod in sorted(api.list(), key=lambda pod: pod["id"])]

    first, second, other = serve(**SEEDED), serve(**SEEDED), serve(pods=60, seed=5)
    assert known(first) == known(second)
    assert first.created() == second.created()
    assert {pod["id"] for pod in first.list()}.isdisjoint(pod["id"] for pod in other.list())


def test_the_first_pods_are_varied_and_invented(serve):
    pods = serve(**SEEDED).list()
    assert len({pod["podName"] for pod in pods}) == len(pods)
    assert {pod["gpuCount"] for pod in pods} == {1, 2, 4, 8}
    assert {pod["status"] for pod in pods} >= {"RUNNING", "PAUSED", "TERMINATED"}
    assert len({pod["region"] for pod in pods}) >= 4
    running = [pod for pod in pods if pod["status"] == "RUNNING"]
    healthy = [pod for pod in running if pod["expose"][0]["healthy"]]
    assert len(running) / 2 < len(healthy)
    ports = {(entry["port"], entry["protocol"]) for pod in pods for entry in pod["expose"]}
    assert ports == {(22, "SSH"), (8888, "HTTP")}
    hosts = {entry["host"] for pod in healthy for entry in pod["expose"]}
    assert {host.rpartition(".")[0] for host in hosts} == {"192.0.2", "198.51.100", "203.0.113"}


def test_more_pods_and_back_to_the_start(api):
    before = api.list()
    api.sandbox.add_pods(5)
    pod_id = api.created()
    running = next(pod["id"] for pod in before if pod["status"] == "RUNNING")
    api.send("DELETE", running)
    assert len(api.list()) == 9
    api.sandbox.reset()
    assert api.list() == before
    assert api.send("GET", pod_id).json()["code"] == 13000


def test_reset_with_records(serve):
    api = serve(records=[{"id": "1", "status": "RUNNING"}])
    api.send("DELETE", "1")
    api.sandbox.reset()
    assert api.list() == [{"id": "1", "status": "RUNNING"}]


def test_ten_thousand_pods(serve):
    api = serve(pods=10_000)
    pods = api.list()
    assert len({pod["id"] for pod in pods}) == 10_000
    assert {len(pod["id"]) for pod in pods} == {18}
    assert [pod["updatedAt"] for pod in pods] == sorted((pod["updatedAt"] for pod in pods), reverse=True)


def test_a_failed_pod_can_only_be_deleted(serve):
    api = serve(faults=["create:failedx1"])
    pod_id, other = api.created(), api.created()
    assert api.status(pod_id) == "INITIALIZE"
    api.sandbox.advance(6)
    assert (api.status(pod_id), api.status(other)) == ("FAILED", "RUNNING")
    assert wrong_state(api.send("POST", f"pause/{pod_id}"), "FAILED")
    assert wrong_state(api.send("POST", f"resume/{pod_id}"), "FAILED")
    assert api.send("DELETE", pod_id).json()["code"] == 10000


@pytest.mark.parametrize("seconds", [-1, -0.001])
def test_the_clock_does_not_go_back(api, seconds):
    with pytest.raises(ValueError, match="0 or more"):
        api.sandbox.advance(seconds)
