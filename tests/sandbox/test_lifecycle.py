"""How pods change status over time, with a clock that the tests control.

In sandbox seconds: RUNNING after 6, ports healthy 2 later; PAUSED or TERMINATED after 3; removed 60 later.
"""

from datetime import datetime
from operator import itemgetter

import pytest

from yotta_jupyter.sandbox.simulator import Simulator


def ports_with_address(pod):
    """Return the ports of a pod that have an address. Fail if one has a part of an address only."""
    ports = []
    for entry in pod["expose"]:
        parts = [entry["host"], entry["proxyPort"], entry["ingressUrl"]]
        if all(part is not None for part in parts):
            ports.append(entry["port"])
        else:
            assert parts == [None, None, None]
    return ports


def check_invalid_status(response, status):
    """Check that an action was rejected because of the status of the pod."""
    envelope = response.json()
    assert (response.status_code, envelope["code"]) == (400, 12001)
    assert status in envelope["message"]


def without_ssh_ports(pods):
    """Return the pods without their SSH ports, which are any free ones."""
    return [{**pod, "expose": [entry for entry in pod["expose"] if entry["protocol"] != "SSH"]} for pod in pods]


def seconds_from_creation_to_update(pod):
    created, updated = (datetime.fromisoformat(pod[name]) for name in ("createdAt", "updatedAt"))
    return (updated - created).total_seconds()


def test_ports_become_healthy_after_running(api):
    pod_id = api.create_pod(expose=[{"port": 22, "protocol": "SSH"}, {"port": 8888, "protocol": "HTTP"}])
    pod = api.get(pod_id)
    assert pod["status"] == "INITIALIZE"
    assert seconds_from_creation_to_update(pod) == 0
    api.sandbox.advance(6)
    pod = api.get(pod_id)
    assert pod["status"] == "RUNNING"
    assert seconds_from_creation_to_update(pod) == 6
    assert [entry["healthy"] for entry in pod["expose"]] == [False, False]
    assert ports_with_address(pod) == []
    api.sandbox.advance(2)
    pod = api.get(pod_id)
    assert [entry["healthy"] for entry in pod["expose"]] == [True, True]
    assert seconds_from_creation_to_update(pod) == 6
    ssh, http = pod["expose"]
    assert ssh["ingressUrl"] == f"ssh user@{ssh['host']} -p {ssh['proxyPort']} -i <private key file>"
    assert http["ingressUrl"] == f"http://{http['host']}:{http['proxyPort']}"


def test_changes_happen_at_their_scheduled_time(api):
    pod_id = api.create_pod()
    api.sandbox.advance(1000)
    assert seconds_from_creation_to_update(api.get(pod_id)) == 6


def test_pause_and_resume(api):
    pod_id = api.create_pod()
    check_invalid_status(api.request("POST", f"pause/{pod_id}"), "INITIALIZE")
    api.sandbox.advance(8)
    check_invalid_status(api.request("POST", f"resume/{pod_id}"), "RUNNING")
    assert api.request("POST", f"pause/{pod_id}").json()["code"] == 10000
    assert api.status(pod_id) == "PAUSING"
    assert ports_with_address(api.get(pod_id)) == []
    check_invalid_status(api.request("POST", f"pause/{pod_id}"), "PAUSING")
    api.sandbox.advance(3)
    assert api.status(pod_id) == "PAUSED"
    assert api.request("POST", f"resume/{pod_id}").json()["code"] == 10000
    assert api.status(pod_id) == "INITIALIZE"
    api.sandbox.advance(6)
    assert api.status(pod_id) == "RUNNING"
    assert ports_with_address(api.get(pod_id)) == []
    api.sandbox.advance(2)
    assert ports_with_address(api.get(pod_id)) == [22]


def test_pause_before_ports_are_healthy(api):
    pod_id = api.create_pod()
    api.sandbox.advance(6)
    api.request("POST", f"pause/{pod_id}")
    api.sandbox.advance(5)
    assert api.status(pod_id) == "PAUSED"
    assert ports_with_address(api.get(pod_id)) == []


def test_deleted_pod_is_listed_then_removed(api):
    pod_id = api.create_pod()
    assert api.request("DELETE", pod_id).json()["code"] == 10000
    assert api.status(pod_id) == "TERMINATING"
    check_invalid_status(api.request("DELETE", pod_id), "TERMINATING")
    api.sandbox.advance(8)
    assert api.status(pod_id) == "TERMINATED"
    check_invalid_status(api.request("DELETE", pod_id), "TERMINATED")
    api.sandbox.advance(50)
    assert pod_id in [pod["id"] for pod in api.list()]
    api.sandbox.advance(5)
    assert pod_id not in [pod["id"] for pod in api.list()]
    assert api.request("GET", pod_id).json()["code"] == 13000


def test_speed_shortens_transitions():
    now = 0.0
    simulator = Simulator(pod_count=0, speed=10, records=[{"id": "1", "status": "PAUSED"}], monotonic=lambda: now)
    simulator.transition("resume", "1")
    now = 0.59
    assert simulator.snapshot()[0]["status"] == "INITIALIZE"
    now = 0.61
    assert simulator.snapshot()[0]["status"] == "RUNNING"


def test_same_seed_gives_same_pods(serve):
    def seeded_fields(api):
        names = ("id", "podName", "singleCardPrice", "expose", "status", "environmentVars", "region", "gpuType")
        return [[pod[name] for name in names] for pod in without_ssh_ports(sorted(api.list(), key=itemgetter("id")))]

    first, second, other = serve(pods=60, seed=4), serve(pods=60, seed=4), serve(pods=60, seed=5)
    assert seeded_fields(first) == seeded_fields(second)
    assert first.create_pod() == second.create_pod()
    assert {pod["id"] for pod in first.list()}.isdisjoint(pod["id"] for pod in other.list())


def test_sample_pods_are_varied_and_made_up(serve):
    pods = serve(pods=60, seed=4).list()
    assert len({pod["podName"] for pod in pods}) == len(pods)
    assert {pod["gpuCount"] for pod in pods} == {1, 2, 4, 8}
    assert {pod["status"] for pod in pods} >= {"RUNNING", "PAUSED", "TERMINATED"}
    assert len({pod["region"] for pod in pods}) >= 4
    running = [pod for pod in pods if pod["status"] == "RUNNING"]
    healthy = [pod for pod in running if pod["expose"][0]["healthy"]]
    assert len(running) / 2 < len(healthy)
    ports = {(entry["port"], entry["protocol"]) for pod in pods for entry in pod["expose"]}
    assert ports == {(22, "SSH"), (8888, "HTTP")}
    ssh_hosts = {entry["host"] for pod in healthy for entry in pod["expose"] if entry["protocol"] == "SSH"}
    http_hosts = {entry["host"] for pod in healthy for entry in pod["expose"] if entry["protocol"] == "HTTP"}
    assert "127.0.0.1" in ssh_hosts
    assert ssh_hosts <= {"127.0.0.1", *http_hosts}
    assert {host.rpartition(".")[0] for host in http_hosts} == {"192.0.2", "198.51.100", "203.0.113"}


def test_reset_removes_added_pods(api):
    before = api.list()
    api.sandbox.add_pods(5)
    pod_id = api.create_pod()
    running = next(pod["id"] for pod in before if pod["status"] == "RUNNING")
    api.request("DELETE", running)
    assert len(api.list()) == 9
    api.sandbox.reset()
    assert without_ssh_ports(api.list()) == without_ssh_ports(before)
    assert api.request("GET", pod_id).json()["code"] == 13000


def test_reset_restores_records(serve):
    api = serve(records=[{"id": "1", "status": "RUNNING"}])
    api.request("DELETE", "1")
    api.sandbox.reset()
    assert api.list() == [{"id": "1", "status": "RUNNING"}]


def test_ten_thousand_pods_have_unique_ids(serve):
    api = serve(pods=10_000)
    pods = api.list()
    assert len({pod["id"] for pod in pods}) == 10_000
    assert {len(pod["id"]) for pod in pods} == {18}
    assert [pod["updatedAt"] for pod in pods] == sorted((pod["updatedAt"] for pod in pods), reverse=True)


def test_failed_pod_can_only_be_deleted(serve):
    api = serve(faults=["create:failedx1"])
    pod_id, other = api.create_pod(), api.create_pod()
    assert api.status(pod_id) == "INITIALIZE"
    api.sandbox.advance(6)
    assert (api.status(pod_id), api.status(other)) == ("FAILED", "RUNNING")
    check_invalid_status(api.request("POST", f"pause/{pod_id}"), "FAILED")
    check_invalid_status(api.request("POST", f"resume/{pod_id}"), "FAILED")
    assert api.request("DELETE", pod_id).json()["code"] == 10000


@pytest.mark.parametrize("seconds", [-1, -0.001])
def test_clock_cannot_go_back(api, seconds):
    with pytest.raises(ValueError, match="0 or more"):
        api.sandbox.advance(seconds)
