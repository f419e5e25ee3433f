"""Statuses, transitions, costs and totals of pods."""

import pytest

from yotta_jupyter import InvalidRequest, Pod, Sandbox, connect
from yotta_jupyter.models import ExposedPort, Totals, is_valid_pod_id, summarize
from yotta_jupyter.statuses import (
    STATUS_ALIASES,
    STATUSES,
    TERMINAL_STATUSES,
    TRANSITIONAL_STATUSES,
    TRANSITIONS,
    allowed_actions,
    normalize_status,
    parse_status,
)

ALLOWED_ACTIONS = {
    "INITIALIZE": ["delete"],
    "RUNNING": ["pause", "delete"],
    "PAUSING": ["delete"],
    "PAUSED": ["resume", "delete"],
    "TERMINATING": [],
    "TERMINATED": [],
    "FAILED": ["delete"],
    "HIBERNATING": ["delete"],
}
PRICES = {
    "gpu_count": 2,
    "single_card_price": 0.6,
    "container_volume_in_gb": 100,
    "container_volume_price": 0.001,
    "persistent_volume_in_gb": 50,
    "persistent_volume_price": 0.002,
}


def test_allowed_actions_are_known_for_each_status():
    assert set(ALLOWED_ACTIONS) > set(STATUSES)


@pytest.mark.parametrize(("status", "actions"), ALLOWED_ACTIONS.items())
def test_allowed_actions(status, actions):
    assert allowed_actions(status) == actions


@pytest.mark.parametrize(
    ("action", "required", "during", "after"),
    [
        ("pause", "RUNNING", "PAUSING", "PAUSED"),
        ("resume", "PAUSED", "INITIALIZE", "RUNNING"),
        ("delete", None, "TERMINATING", "TERMINATED"),
    ],
)
def test_transitions(action, required, during, after):
    assert TRANSITIONS[action] == (required, during, after)
    assert during in TRANSITIONAL_STATUSES


@pytest.mark.parametrize("action", TRANSITIONS)
def test_transitions_agree_with_the_sandbox(action):
    transition = TRANSITIONS[action]
    with Sandbox(speed=0.01) as sandbox, connect(sandbox.api_key, base_url=sandbox.base_url) as yotta:
        pods = {pod.status: pod.id for pod in yotta.pods.list()}
        pod_id = pods[transition.required or "RUNNING"]
        getattr(yotta.pods, action)(pod_id)
        assert yotta.pods.get(pod_id).status == transition.during
        sandbox.advance(10)
        assert yotta.pods.get(pod_id).status == transition.after


def test_statuses_are_transitional_terminal_or_stable():
    assert TRANSITIONAL_STATUSES.isdisjoint(TERMINAL_STATUSES)
    assert set(STATUSES) - TRANSITIONAL_STATUSES - TERMINAL_STATUSES == {"RUNNING", "PAUSED"}
    assert set(STATUS_ALIASES.values()) <= set(STATUSES)


@pytest.mark.parametrize("code", range(len(STATUSES)))
def test_position_of_a_status_is_its_code(code):
    assert parse_status(code) == parse_status(str(code)) == parse_status(STATUSES[code].lower()) == STATUSES[code]


@pytest.mark.parametrize(("alias", "status"), STATUS_ALIASES.items())
def test_alias_of_a_status(alias, status):
    assert parse_status(alias) == parse_status(alias.lower()) == normalize_status(alias) == status


@pytest.mark.parametrize("status", ["runing", "", 7, "99", "HIBERNATING", "a\nb"])
def test_unknown_status_is_rejected_in_one_line(status):
    with pytest.raises(InvalidRequest, match="Statuses: INITIALIZE, RUNNING") as error:
        parse_status(status)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("status", STATUSES)
def test_pod_is_billable_until_it_ends(status):
    assert Pod(id="1", status=status).is_billable is (status not in TERMINAL_STATUSES)


@pytest.mark.parametrize(
    ("status", "expose", "transitional"),
    [
        ("INITIALIZE", [], True),
        ("PAUSING", [], True),
        ("TERMINATING", [], True),
        ("RUNNING", [], False),
        ("RUNNING", [ExposedPort(port=22, protocol="SSH", healthy=False)], True),
        ("RUNNING", [ExposedPort(port=22, protocol="SSH", healthy=True)], False),
        ("RUNNING", [ExposedPort(port=8888, protocol="HTTP", healthy=False)], False),
        ("PAUSED", [ExposedPort(port=22, protocol="SSH", healthy=False)], False),
        ("FAILED", [], False),
        ("HIBERNATING", [], False),
    ],
)
def test_pod_is_transitional_until_status_and_ssh_are_stable(status, expose, transitional):
    assert Pod(id="1", status=status, expose=expose).is_transitional is transitional


def test_summarize_adds_the_costs_of_billable_pods():
    statuses = ["RUNNING", "RUNNING", "PAUSED", "INITIALIZE", "TERMINATED", "FAILED"]
    totals = summarize(Pod(id=str(n), status=status, **PRICES) for n, status in enumerate(statuses))
    assert (totals.running, totals.paused, totals.ended, totals.total, totals.unpriced) == (2, 1, 2, 6, 0)
    assert totals.hourly_cost == pytest.approx(2 * 1.4 + 0.1)
    assert totals.hourly_rate == pytest.approx(4 * 1.4)


def test_summarize_counts_unpriced_pods_instead_of_adding_zero():
    pods = [
        Pod(id="1", status="RUNNING", **PRICES),
        Pod(id="2", status="RUNNING"),
        Pod(id="3", status="PAUSED", persistent_volume_in_gb=10),
        Pod(id="4", status="FAILED"),
    ]
    totals = summarize(pods)
    assert totals.unpriced == 2
    assert totals.hourly_cost == pytest.approx(1.4)


def test_summarize_of_no_pods():
    assert summarize([]) == Totals(0, 0, 0, 0, 0, 0, 0)


def test_totals_agree_with_the_pods(make_client):
    pods = make_client(pods=200).pods.list()
    totals = summarize(pods)
    assert totals.total == 200
    assert totals.running == sum(pod.status == "RUNNING" for pod in pods) > 0
    assert totals.hourly_cost == pytest.approx(sum(pod.hourly_cost or 0 for pod in pods))


@pytest.mark.parametrize(
    ("value", "valid"),
    [("331864222263676928", True), ("a_B-1", True), ("", False), ("x" * 65, False), ("a b", False), (1, False)],
)
def test_is_valid_pod_id(value, valid):
    assert is_valid_pod_id(value) is valid
