"""Pods that are not of the contract's form are read as far as they can be, and never lost."""

import json
import math
import unicodedata
from datetime import UTC, datetime

import pytest

from yotta_jupyter import Sandbox, UnexpectedResponse

CREATED = datetime(2025, 7, 4, 10, 29, 56, tzinfo=UTC)
EPOCH = int(CREATED.timestamp())
ODD = {
    "null lists": {"expose": None, "environmentVars": None},
    "all null": dict.fromkeys(["podName", "gpuType", "gpuCount", "image", "region", "singleCardPrice", "createdAt"]),
    "numbers as text": {"gpuCount": "2", "singleCardPrice": "0.6", "containerVolumeInGb": "252"},
    "id as a number": {"id": 331864222263676929},
    "a new field": {"newField": {"deep": [1]}},
    "a new status": {"status": "HIBERNATING"},
    "no status": {"status": None},
    "a status as a number": {"status": 3},
    "a newer name of a status": {"status": "STOPPED"},
    "time as epoch seconds": {"createdAt": EPOCH},
    "time as epoch seconds in text": {"createdAt": str(EPOCH)},
    "time as epoch milliseconds": {"createdAt": EPOCH * 1000},
    "time as epoch milliseconds in text": {"createdAt": str(EPOCH * 1000)},
    "time with a zone": {"createdAt": "2025-07-04T12:29:56+02:00"},
    "time in ISO with a Z": {"createdAt": "2025-07-04T10:29:56Z"},
    "time with a fraction": {"createdAt": "2025-07-04 10:29:56.123"},
    "an empty time": {"createdAt": ""},
    "no time at all": {"createdAt": "yesterday"},
    "a region as a number": {"region": 5},
    "a count of another type": {"gpuCount": "many"},
    "ports of another type": {"expose": "22"},
    "protocol in small letters": {
        "status": "RUNNING",
        "expose": [{"port": 22, "protocol": "ssh", "host": "192.0.2.7", "proxyPort": 32002, "healthy": True}],
    },
}


@pytest.fixture
def one(client_of, record):
    """Return the one pod of a listing whose record has those changes."""
    return lambda **changes: client_of(records=[record(**changes)]).pods.list()[0]


def test_the_example_of_the_page(one):
    pod = one()
    assert (pod.id, pod.name, pod.status) == ("331864222263676928", "Test_from_SDK", "TERMINATED")
    assert (pod.gpu_count, pod.single_card_price, pod.persistent_volume_price) == (1, 0.6, 0.00005)
    assert pod.created_at == CREATED
    assert pod.created_at.tzinfo is UTC
    port = pod.expose[0]
    assert (port.port, port.proxy_port, port.host, port.healthy) == (22, 32002, "34.19.26.12", True)
    assert pod.environment["JUPYTER_PASSWORD"].reveal() == "9f2375dc-277b-4550-add9-563ad23973a5"
    assert (pod.persistent_mount_path, pod.ssh_cmd, pod.extra) == (None, "", {})
    assert pod.hourly_price == pytest.approx(0.6 + 252 * 0.00005)
    assert pod.hourly_cost == 0


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("get_endpoint", [True, False])
@pytest.mark.parametrize("changes", ODD.values(), ids=ODD)
def test_list_get_and_frame_agree_on_an_odd_pod(client_of, record, changes, get_endpoint):
    pods = client_of(records=[record(**changes)], get_endpoint=get_endpoint).pods
    (pod,) = pods.list()
    assert pods.get(pod.id) == pod
    for wide in (False, True):
        frame = pods.frame(wide=wide)
        assert list(frame.index) == [pod.id]
        row = frame.iloc[0]
        assert row["status"] == pod.status if pod.status else row.isna()["status"]
        for column in ("name", "gpu_type", "gpu_count", "region", "image", "created_at"):
            value = getattr(pod, column)
            assert (row[column] == value) if value is not None else row.isna()[column]
        cost = float("nan") if pod.hourly_cost is None else pod.hourly_cost
        assert row["hourly_cost"] == cost or math.isnan(row["hourly_cost"]) is math.isnan(cost) is True
        assert row.isna()["ssh"] != pod.ssh_ready


def test_the_tolerant_reader_and_the_fast_one_agree(client_of):
    plain = client_of(pods=60)
    records = Sandbox(pods=60).pods()
    tolerant = client_of(records=[*records, {"id": "odd", "newField": 1}])
    expected = {pod.id: pod for pod in plain.pods.list()}
    found = {pod.id: pod for pod in tolerant.pods.list() if pod.id != "odd"}
    assert len(expected) == 60
    assert {key: pod.id for key, pod in found.items()} == {key: pod.id for key, pod in expected.items()}
    changing = {"created_at", "updated_at"}  # counted from the start of each sandbox
    for pod_id, pod in expected.items():
        names = [name for name in pod.__struct_fields__ if name not in changing]
        assert [getattr(pod, name) for name in names] == [getattr(found[pod_id], name) for name in names]


@pytest.mark.parametrize("form", [k for k in ODD if k.startswith(("time as", "time in ISO", "time with a zone"))])
def test_every_form_of_a_time_is_the_same_moment(one, form):
    assert one(**ODD[form]).created_at == CREATED


@pytest.mark.parametrize("number", [2**53 + 1, 331864222263676929, 10**18 + 1, 2**64 + 1])
def test_an_id_as_a_number_keeps_every_digit(client_of, record, number):
    text = json.dumps(record(id=number))
    pods = client_of(records=[text]).pods
    assert pods.list()[0].id == str(number)
    assert list(pods.frame().index) == [str(number)]
    assert pods.get(str(number)).id == str(number)


@pytest.mark.parametrize(
    ("status", "shown"), [("HIBERNATING", "HIBERNATING"), ("STOPPED", "PAUSED"), (3, "PAUSED"), ("running", "RUNNING")]
)
def test_a_status_goes_by_one_name_or_is_kept(one, status, shown):
    assert one(status=status).status == shown


def test_null_lists_are_empty(one):
    pod = one(expose=None, environmentVars=None)
    assert (pod.expose, pod.environment_vars, pod.environment) == ([], [], {})


def test_numbers_as_text_are_numbers(one):
    pod = one(gpuCount="2", singleCardPrice="0.6")
    assert (pod.gpu_count, pod.single_card_price) == (2, 0.6)


def test_unknown_fields_are_kept_and_their_secrets_masked(one):
    pod = one(newField={"deep": [1], "apiToken": "made-up-value"}, rootPassword="made-up-value")
    assert pod.extra["newField"]["deep"] == [1]
    assert "made-up-value" not in repr(pod.extra)


def test_a_value_of_a_wrong_type_is_kept_and_the_rest_of_the_pod_read(one):
    pod = one(gpuCount="many", expose="22")
    assert (pod.gpu_count, pod.expose, pod.name) == (None, [], "Test_from_SDK")
    assert pod.extra == {"gpuCount": "many", "expose": "22"}


def test_environment_variables_of_a_wrong_type_are_not_shown(one):
    pod = one(environmentVars={"HF": "made-up-value"})
    assert "made-up-value" not in repr(pod.extra) + repr(pod)


def test_one_odd_entry_of_a_list_does_not_hide_the_others(one):
    good = {"port": 22, "protocol": "SSH"}
    assert [port.port for port in one(expose=[good, "odd"]).expose] == [22]


@pytest.mark.parametrize("odd", ['{"podName": "without an id"}', '{"id": null}', '{"id": ""}', '{"id": true}'])
def test_a_pod_without_an_id_is_no_pod(client_of, odd):
    with pytest.raises(UnexpectedResponse, match="without an id"):
        client_of(records=[odd]).pods.list()


def test_text_of_the_server_is_shown_on_its_line_and_cannot_move_the_terminal(one):
    pod = one(podName="a\nb\x1b[2J\u202e", region="x\ny")
    assert pod.name == "a\nb\\x1b[2J\\u202e"
    assert "\x1b" not in repr(pod)
    assert "\u202e" not in repr(pod)
    assert len(repr(pod).splitlines()) == len(repr(one(podName="a", region="x")).splitlines())


def test_what_a_paused_pod_costs_is_unknown_without_the_price_of_its_volume(one):
    paused = {"status": "PAUSED", "persistentVolumeInGb": 500, "persistentVolumePrice": None}
    assert one(**paused).hourly_cost is None
    assert one(**{**paused, "persistentVolumeInGb": 0}).hourly_cost == 0
    assert one(status="TERMINATED", singleCardPrice=None).hourly_cost == 0


TURNING = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI", "B"}
ACTIVE = [
    char
    for char in map(chr, range(2**16))
    if char not in "\t\n"
    and (
        unicodedata.category(char) in ("Cc", "Zl", "Zp")
        or unicodedata.bidirectional(char) in TURNING
        or char in "\u061c\u200b\u200e\u200f\u2060\ufeff"
    )
]


@pytest.mark.parametrize("form", ["raw", "lower", "upper"])
def test_each_character_that_could_move_a_terminal_is_found_in_any_form_of_json(client_of, form):
    for char in ACTIVE:
        escaped = f"\\u{ord(char):04{'X' if form == 'upper' else 'x'}}"
        # JSON holds the characters below the space as escapes alone.
        text = char if form == "raw" and char >= " " else escaped
        (pod,) = client_of(records=[f'{{"id": "1", "podName": "a{text}b"}}']).pods.list()
        assert pod.name == f"a{char.encode('unicode_escape').decode()}b", escaped
