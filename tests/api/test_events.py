"""Subscriptions to a `PodsClient`, and what it caches."""

import threading
from datetime import UTC, datetime, timedelta

import pytest

from yotta_jupyter import (
    ConnectionFailed,
    CreateOutcomeUnknown,
    InvalidPodState,
    InvalidRequest,
    PodSpec,
    Sandbox,
    connect,
)
from yotta_jupyter.api import PodsChanged, PodsListed

REQUIRED = {"image": "made/up:1", "gpu_type": "NVIDIA_L4_24G"}


@pytest.fixture
def events(yotta):
    """The events of `yotta` from now on."""
    events = []
    yotta.pods.subscribe(events.append)
    return events


def id_of(sandbox, name):
    return next(record["id"] for record in sandbox.pods() if record["podName"] == name)


def test_list_publishes_all_pods(yotta, events):
    pods = yotta.pods.list()
    assert events == [PodsListed(pods, complete=True)]


def test_frame_publishes_all_pods(yotta, events):
    frame = yotta.pods.frame()
    (event,) = events
    assert (event.complete, [pod.id for pod in event.pods]) == (True, list(frame.index))


@pytest.mark.parametrize("filters", [{"statuses": "running"}, {"regions": "us-west-1"}])
def test_filtered_list_is_not_complete(yotta, events, filters):
    pods = yotta.pods.list(**filters)
    assert events == [PodsListed(pods, complete=False)]


def test_get_publishes_one_pod(yotta, sandbox, events):
    pod = yotta.pods.get(id_of(sandbox, "train-1"))
    assert events == [PodsListed([pod], complete=False)]


@pytest.mark.parametrize(("action", "name"), [("pause", "train-1"), ("resume", "finetune-1"), ("delete", "train-1")])
def test_action_publishes_a_change(yotta, sandbox, events, action, name):
    getattr(yotta.pods, action)(id_of(sandbox, name))
    assert events == [PodsChanged()]


def test_failed_action_publishes_a_change_after_the_pod(yotta, sandbox, events):
    with pytest.raises(InvalidPodState):
        yotta.pods.pause(id_of(sandbox, "finetune-1"))
    listed, changed = events
    assert (listed.complete, [pod.name for pod in listed.pods]) == (False, ["finetune-1"])
    assert changed == PodsChanged()


def test_create_publishes_a_change_and_the_new_pod(yotta, events):
    pod = yotta.pods.create(**REQUIRED)
    assert events == [PodsChanged(), PodsListed([pod], complete=False)]


def test_create_of_unknown_outcome_publishes_a_change(yotta, sandbox, events, short_lookup_delays):
    sandbox.add_fault("create:dropped")
    sandbox.add_fault("list:html")
    with pytest.raises(CreateOutcomeUnknown):
        yotta.pods.create(**REQUIRED)
    assert events == [PodsChanged()]


def test_bulk_publishes_a_change_for_each_pod(yotta, sandbox, events):
    yotta.pods.bulk("delete", [record["id"] for record in sandbox.pods()])
    assert events == [PodsChanged()] * 3


def test_failed_list_publishes_nothing(yotta, sandbox, events):
    sandbox.stop()
    with pytest.raises(ConnectionFailed):
        yotta.pods.list()
    assert events == []


def test_invalid_request_publishes_nothing(yotta, events):
    for call in (lambda: yotta.pods.pause("a/b"), lambda: yotta.pods.list(statuses="x"), yotta.pods.create):
        with pytest.raises(InvalidRequest):
            call()
    assert events == []


def test_preview_publishes_nothing(yotta, events):
    yotta.pods.preview(PodSpec(**REQUIRED))
    assert events == []


def test_unsubscribe_ends_the_subscription(yotta, events):
    others = []
    unsubscribe = yotta.pods.subscribe(others.append)
    yotta.pods.list()
    unsubscribe()
    yotta.pods.list()
    unsubscribe()  # Has no effect.
    assert (len(events), len(others)) == (2, 1)


def test_same_callback_can_be_subscribed_twice(yotta):
    events = []
    unsubscribe = yotta.pods.subscribe(events.append)
    yotta.pods.subscribe(events.append)
    yotta.pods.list()
    assert len(events) == 2
    unsubscribe()
    yotta.pods.list()
    assert len(events) == 3


def test_callback_can_unsubscribe_itself(yotta):
    events = []

    def once(event):
        events.append(event)
        unsubscribe()

    unsubscribe = yotta.pods.subscribe(once)
    yotta.pods.list()
    yotta.pods.list()
    assert len(events) == 1


def test_callback_runs_on_the_requesting_thread(yotta):
    threads = []
    yotta.pods.subscribe(lambda event: threads.append(threading.current_thread()))
    thread = threading.Thread(target=yotta.pods.list)
    thread.start()
    thread.join()
    yotta.pods.list()
    assert threads == [thread, threading.current_thread()]


def test_clients_do_not_share_subscribers(sandbox, yotta, events):
    with connect(sandbox.api_key, base_url=sandbox.base_url) as other:
        other_events = []
        other.pods.subscribe(other_events.append)
        other.pods.list()
        other.pods.pause(id_of(sandbox, "train-1"))
        assert events == []
        assert [type(event) for event in other_events] == [PodsListed, PodsChanged]
        yotta.pods.list()
        assert len(other_events) == 2


def test_cache_has_the_latest_pods(yotta, sandbox):
    assert yotta.pods.cached == {}
    assert yotta.pods.last_listed_at is None
    pods = yotta.pods.list()
    assert yotta.pods.cached == {pod.id: pod for pod in pods}
    created = yotta.pods.create(**REQUIRED)
    assert yotta.pods.cached[created.id] == created
    assert len(yotta.pods.cached) == 4
    sandbox.reset()
    yotta.pods.list()
    assert created.id not in yotta.pods.cached


def test_filtered_list_keeps_other_cached_pods(yotta):
    yotta.pods.list()
    yotta.pods.list(statuses="paused")
    assert len(yotta.pods.cached) == 3


def test_last_listed_at_is_the_time_of_a_complete_listing(yotta):
    before = datetime.now(UTC)
    yotta.pods.list(statuses="running")
    assert yotta.pods.last_listed_at is None
    yotta.pods.list()
    assert before <= yotta.pods.last_listed_at <= datetime.now(UTC) < before + timedelta(minutes=1)


def test_reading_the_cache_sends_no_request(yotta, sandbox):
    yotta.pods.list()
    count = len(sandbox.requests)
    assert yotta.pods.cached
    assert len(sandbox.requests) == count


def test_is_recently_created(yotta, sandbox):
    pod = yotta.pods.create(**REQUIRED)
    assert yotta.pods.is_recently_created(pod.id, 60)
    assert not yotta.pods.is_recently_created(pod.id, 0)
    assert not yotta.pods.is_recently_created(id_of(sandbox, "train-1"), 60)


def test_catalog_of_a_client_is_updated_by_its_own_listings():
    with (
        Sandbox() as sandbox,
        connect(sandbox.api_key, base_url=sandbox.base_url) as yotta,
        connect(sandbox.api_key, base_url=sandbox.base_url) as other,
    ):
        yotta.pods.list()
        assert yotta.catalog.prices("NVIDIA_L4_24G").single_card is not None
        assert other.catalog.prices("NVIDIA_L4_24G").single_card is None
