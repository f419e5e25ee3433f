"""Waiting for pods, and the errors of waits that end early."""

import signal
import threading

import pytest

from yotta_jupyter import InvalidPodState, InvalidRequest, WaitInterrupted, WaitTimeout
from yotta_jupyter.api.waiter import MAX_WAIT_TIMEOUT

REQUIRED = {"image": "made/up:1", "gpu_type": "NVIDIA_L4_24G"}


@pytest.mark.parametrize("until", ["RUNNING", "running", "SSH", "ssh"])
def test_wait(yotta, sandbox, until):
    pod_id = yotta.pods.create(**REQUIRED, expose=[22]).id
    pod = yotta.pods.wait(pod_id, until, progress=lambda latest: sandbox.advance(10))
    assert pod.status == "RUNNING"
    assert pod.ssh_ready or until.upper() == "RUNNING"


def test_timeout_names_the_pod_its_cost_and_how_to_stop_it(make_client):
    pods = make_client(speed=0.001).pods
    pod_id = pods.create(**REQUIRED).id
    with pytest.raises(WaitTimeout) as error:
        pods.wait(pod_id, timeout=0)
    message = str(error.value)
    assert all(words in message for words in (pod_id, "INITIALIZE", "money", f'pods.delete("{pod_id}")'))
    assert error.value.pod.id == pod_id
    assert error.value.target == "RUNNING"


def test_interrupt_does_not_wait_for_pending_responses(make_client):
    pods = make_client().pods
    ids = [pod.id for pod in pods.list()]
    get = pods.get
    requested, interrupted = threading.Event(), threading.Event()
    ended_in_time = []

    def get_after_the_interrupt(pod_id):
        requested.set()
        ended_in_time.append(interrupted.wait(10))
        return get(pod_id)

    def interrupt():
        assert requested.wait(60)
        signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)

    pods.get = get_after_the_interrupt
    thread = threading.Thread(target=interrupt)
    thread.start()
    with pytest.raises(WaitInterrupted) as error:
        pods.wait_all(ids, "PAUSED")
    interrupted.set()
    thread.join()
    assert False not in ended_in_time
    assert [pod.id for pod in error.value.pods] == ids


def test_wait_ends_when_the_pod_fails(yotta, sandbox):
    sandbox.add_fault("create:failed")
    pod_id = yotta.pods.create(**REQUIRED).id
    with pytest.raises(InvalidPodState, match=f"{pod_id}.* is FAILED"):
        yotta.pods.wait(pod_id, progress=lambda latest: sandbox.advance(10))


def test_wait_for_ssh_ends_when_no_ssh_port_is_exposed(yotta, sandbox):
    pod_id = yotta.pods.create(**REQUIRED).id
    with pytest.raises(InvalidPodState, match="exposes no SSH port"):
        yotta.pods.wait(pod_id, "SSH", progress=lambda latest: sandbox.advance(10))


def test_wait_for_an_unknown_status_sends_nothing(yotta, sandbox):
    with pytest.raises(InvalidRequest, match="Did you mean RUNNING"):
        yotta.pods.wait("123", until="runing")
    assert sandbox.requests == []


@pytest.mark.parametrize("timeout", [-1, MAX_WAIT_TIMEOUT + 1, float("nan"), float("inf")])
def test_wait_with_an_invalid_timeout_sends_nothing(yotta, sandbox, timeout):
    with pytest.raises(InvalidRequest, match="7 days"):
        yotta.pods.wait("123", timeout=timeout)
    assert sandbox.requests == []


def test_wait_all_returns_a_pod_or_an_error_for_each_id(yotta, sandbox):
    running = next(pod for pod in yotta.pods.list() if pod.name == "train-1")
    outcomes = yotta.pods.wait_all([running.id, "123", running.id])
    assert list(outcomes) == [running.id, "123"]
    assert outcomes[running.id].status == "RUNNING"
    assert "no pod 123" in str(outcomes["123"])


def test_interrupt_names_only_pods_that_are_still_pending(make_client):
    pods = make_client().pods
    running = next(pod.id for pod in pods.list() if pod.name == "train-1")
    paused = next(pod.id for pod in pods.list() if pod.name == "finetune-1")

    def interrupt(latest):
        raise KeyboardInterrupt

    with pytest.raises(WaitInterrupted) as error:
        pods.wait_all([running, paused], "RUNNING", progress=interrupt)
    assert [pod.id for pod in error.value.pods] == [paused]
    with pytest.raises(KeyboardInterrupt) as error:
        pods.wait_all([running], "RUNNING", progress=interrupt)
    assert not isinstance(error.value, WaitInterrupted)
