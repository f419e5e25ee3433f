"""Waiting for a pod, and what is told when the wait ends early."""

import signal
import threading

import pytest

from yotta_jupyter import InvalidPodState, InvalidRequest, WaitInterrupted, WaitTimeout

NEEDED = {"image": "made/up:1", "gpu_type": "NVIDIA_L4_24G"}


@pytest.mark.parametrize("until", ["RUNNING", "running", "SSH", "ssh"])
def test_wait(yotta, sandbox, until):
    pod_id = yotta.pods.create(**NEEDED, expose=[22]).id
    pod = yotta.pods.wait(pod_id, until, progress=lambda seen: sandbox.advance(10))
    assert pod.status == "RUNNING"
    assert pod.ssh_ready or until.upper() == "RUNNING"


def test_a_wait_that_ends_early_names_the_pod_the_money_and_the_way_out(client_of):
    pods = client_of(speed=0.001).pods
    pod_id = pods.create(**NEEDED).id
    with pytest.raises(WaitTimeout) as caught:
        pods.wait(pod_id, timeout=0)
    told = str(caught.value)
    assert all(words in told for words in (pod_id, "INITIALIZE", "money", f"%yotta delete {pod_id}"))
    assert caught.value.pod.id == pod_id


def test_an_interrupt_does_not_wait_for_answers_that_are_on_their_way(client_of):
    asked, told = threading.Event(), threading.Event()
    in_time = []

    def get(pod_id):
        asked.set()
        in_time.append(told.wait(10))
        return really_get(pod_id)

    def interrupt():
        assert asked.wait(60)
        signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)

    pods = client_of().pods
    ids = [pod.id for pod in pods.list()]
    really_get, pods.get = pods.get, get
    thread = threading.Thread(target=interrupt)
    thread.start()
    with pytest.raises(WaitInterrupted):
        pods.wait_all(ids, "PAUSED")
    told.set()
    thread.join()
    assert False not in in_time


def test_a_pod_that_fails_ends_the_wait(yotta, sandbox):
    sandbox.add_fault("create:failed")
    pod_id = yotta.pods.create(**NEEDED).id
    with pytest.raises(InvalidPodState, match=f"{pod_id}.* is FAILED"):
        yotta.pods.wait(pod_id, progress=lambda seen: sandbox.advance(10))


def test_a_wait_for_ssh_where_no_port_is_exposed_says_so(yotta, sandbox):
    pod_id = yotta.pods.create(**NEEDED).id
    with pytest.raises(InvalidPodState, match="exposes no SSH port"):
        yotta.pods.wait(pod_id, "SSH", progress=lambda seen: sandbox.advance(10))


def test_a_wait_for_an_unknown_status_is_refused(yotta, sandbox):
    with pytest.raises(InvalidRequest, match="RUNNING"):
        yotta.pods.wait("123", until="runing")
    assert sandbox.requests == []
