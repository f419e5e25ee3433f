"""Pods that differ from the contract keep as many of their fields as possible and are never dropped."""

import json
import unicodedata
from datetime import UTC, datetime

import pandas as pd
import pytest

from yotta_jupyter import Sandbox, UnexpectedResponse

CREATED = datetime(2025, 7, 4, 10, 29, 56, tzinfo=UTC)
EPOCH = int(CREATED.timestamp())
TIMES = {
    "as epoch seconds": EPOCH,
    "as epoch seconds as text": str(EPOCH),
    "as epoch milliseconds": EPOCH * 1000,
    "as epoch milliseconds as text": str(EPOCH * 1000),
    "with a zone": "2025-07-04T12:29:56+02:00",
    "in ISO with a Z": "2025-07-04T10:29:56Z",
}
"""`CREATED` in other formats than that of the contract."""

DEVIATIONS = {
    "null lists": {"expose": None, "environmentVars": None},
    "all null": dict.fromkeys(["podName", "gpuType", "gpuCount", "image", "region", "singleCardPrice", "createdAt"]),
    "numbers as text": {"gpuCount": "2", "singleCardPrice": "0.6", "containerVolumeInGb": "252"},
    "id as a number": {"id": 331864222263676929},
    "a new field": {"newField": {"deep": [1]}},
    "a new status": {"status": "HIBERNATING"},
    "no status": {"status": None},
    "a status as a number": {"status": 3},
    "an alias of a status": {"status": "STOPPED"},
    **{f"time {name}": {"createdAt": time} for name, time in TIMES.items()},
    "time with a fraction": {"createdAt": "2025-07-04 10:29:56.123"},
    "an empty time": {"createdAt": ""},
    "an invalid time": {"createdAt": "yesterday"},
    "a region as a number": {"region": 5},
    "a count of another type": {"gpuCount": "many"},
    "ports of another type": {"expose": "22"},
    "a lower-case protocol": {
        "status": "RUNNING",
        "expose": [{"port": 22, "protocol": "ssh", "host": "192.0.2.7", "proxyPort": 32002, "healthy": True}],
    },
}
"""Changes of the example pod that differ from the contract."""


@pytest.fixture
def decode(make_client, record):
    """A function that returns the example pod with changed fields, as decoded from a listing."""
    return lambda **changes: make_client(records=[record(**changes)]).pods.list()[0]


def test_example_of_the_contract(decode):
    pod = decode()
    assert (pod.id, pod.name, pod.status) == ("331864222263676928", "Test_from_SDK", "TERMINATED")
    assert (pod.gpu_count, pod.single_card_price, pod.persistent_volume_price) == (1, 0.6, 0.00005)
    assert pod.created_at == CREATED
    assert pod.created_at.tzinfo is UTC
    port = pod.expose[0]
    assert (port.port, port.proxy_port, port.host, port.healthy) == (22, 32002, "34.19.26.12", True)
    assert pod.environment["JUPYTER_PASSWORD"].reveal() == "9f2375dc-277b-4550-add9-563ad23973a5"
    assert (pod.persistent_mount_path, pod.ssh_cmd, pod.extra) == (None, "", {})
    assert pod.hourly_rate == pytest.approx(0.6 + 252 * 0.00005)
    assert pod.hourly_cost == 0


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("get_endpoint", [True, False])
@pytest.mark.parametrize("changes", DEVIATIONS.values(), ids=DEVIATIONS)
def test_list_get_and_frame_agree(make_client, record, changes, get_endpoint):
    pods = make_client(records=[record(**changes)], get_endpoint=get_endpoint).pods
    (pod,) = pods.list()
    assert pods.get(pod.id) == pod
    for wide in (False, True):
        frame = pods.frame(wide=wide)
        assert list(frame.index) == [pod.id]
        row = frame.iloc[0]
        assert_cell_is(row["status"], pod.status or None)
        for column in ("name", "gpu_type", "gpu_count", "region", "image", "created_at", "hourly_cost"):
            assert_cell_is(row[column], getattr(pod, column))
        assert pd.notna(row["ssh"]) == pod.ssh_ready


def assert_cell_is(cell, value):
    """Check a cell of a DataFrame against a field of a pod."""
    if value is None:
        assert pd.isna(cell)
    else:
        assert cell == value


def test_lenient_and_strict_decoders_agree(make_client):
    records = Sandbox(pods=60).pods()
    strict = make_client(records=records)
    lenient = make_client(records=[*records, {"id": "unknown", "newField": 1}])
    expected = {pod.id: pod for pod in strict.pods.list()}
    decoded = {pod.id: pod for pod in lenient.pods.list() if pod.id != "unknown"}
    assert len(expected) == 60
    assert decoded.keys() == expected.keys()
    for pod_id, pod in expected.items():
        for name in pod.__struct_fields__:
            if name not in ("created_at", "updated_at"):  # Relative to the start of each sandbox.
                assert getattr(decoded[pod_id], name) == getattr(pod, name)


@pytest.mark.parametrize("time", TIMES.values(), ids=TIMES)
def test_each_time_format_is_parsed(decode, time):
    assert decode(createdAt=time).created_at == CREATED


@pytest.mark.parametrize("number", [2**53 + 1, 331864222263676929, 10**18 + 1, 2**64 + 1])
def test_numeric_id_keeps_all_digits(make_client, record, number):
    text = json.dumps(record(id=number))
    pods = make_client(records=[text]).pods
    assert pods.list()[0].id == str(number)
    assert list(pods.frame().index) == [str(number)]
    assert pods.get(str(number)).id == str(number)


@pytest.mark.parametrize(
    ("status", "name"), [("HIBERNATING", "HIBERNATING"), ("STOPPED", "PAUSED"), (3, "PAUSED"), ("running", "RUNNING")]
)
def test_known_status_is_normalized_and_unknown_one_kept(decode, status, name):
    assert decode(status=status).status == name


def test_null_lists_are_empty(decode):
    pod = decode(expose=None, environmentVars=None)
    assert (pod.expose, pod.environment_vars, pod.environment) == ([], [], {})


def test_numbers_as_text_are_converted(decode):
    pod = decode(gpuCount="2", singleCardPrice="0.6")
    assert (pod.gpu_count, pod.single_card_price) == (2, 0.6)


def test_unknown_fields_are_kept_with_masked_secrets(decode):
    pod = decode(newField={"deep": [1], "apiToken": "made-up-value"}, rootPassword="made-up-value")
    assert pod.extra["newField"]["deep"] == [1]
    assert "made-up-value" not in repr(pod.extra)


def test_value_of_a_wrong_type_does_not_affect_other_fields(decode):
    pod = decode(gpuCount="many", expose="22")
    assert (pod.gpu_count, pod.expose, pod.name) == (None, [], "Test_from_SDK")
    assert pod.extra == {"gpuCount": "many", "expose": "22"}


def test_environment_variables_of_a_wrong_type_are_masked(decode):
    pod = decode(environmentVars={"HF": "made-up-value"})
    assert "made-up-value" not in repr(pod.extra) + repr(pod)


def test_invalid_list_entry_does_not_affect_the_others(decode):
    valid = {"port": 22, "protocol": "SSH"}
    assert [port.port for port in decode(expose=[valid, "invalid"]).expose] == [22]


@pytest.mark.parametrize("text", ['{"podName": "without an id"}', '{"id": null}', '{"id": ""}', '{"id": true}'])
def test_pod_without_an_id_is_an_unexpected_response(make_client, text):
    with pytest.raises(UnexpectedResponse, match="without a valid id"):
        make_client(records=[text]).pods.list()


def test_control_characters_are_escaped(decode):
    pod = decode(podName="a\nb\x1b[2J\u202e", region="x\ny")
    assert pod.name == "a\nb\\x1b[2J\\u202e"
    assert "\x1b" not in repr(pod)
    assert "\u202e" not in repr(pod)
    assert len(repr(pod).splitlines()) == len(repr(decode(podName="a", region="x")).splitlines())


def test_cost_of_a_paused_pod_is_unknown_without_its_volume_price(decode):
    paused = {"status": "PAUSED", "persistentVolumeInGb": 500, "persistentVolumePrice": None}
    assert decode(**paused).hourly_cost is None
    assert decode(**{**paused, "persistentVolumeInGb": 0}).hourly_cost == 0
    assert decode(status="TERMINATED", singleCardPrice=None).hourly_cost == 0


BIDI = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI", "B"}
INVISIBLE = "\u061c\u200b\u200e\u200f\u2060\ufeff"


def is_control_char(char):
    if char in "\t\n":
        return False
    has_control_category = unicodedata.category(char) in ("Cc", "Zl", "Zp")
    return has_control_category or unicodedata.bidirectional(char) in BIDI or char in INVISIBLE


CONTROL_CHARS = [char for char in map(chr, range(2**16)) if is_control_char(char)]


def encode_in_json(char, encoding):
    is_allowed_raw = char >= " "  # JSON contains other characters only as escapes.
    if encoding == "raw" and is_allowed_raw:
        return char
    escape = f"{ord(char):04x}"
    return "\\u" + (escape.upper() if encoding == "upper" else escape)


@pytest.mark.parametrize("encoding", ["raw", "lower", "upper"])
def test_each_control_character_is_escaped_in_each_json_encoding(make_client, encoding):
    for char in CONTROL_CHARS:
        text = encode_in_json(char, encoding)
        (pod,) = make_client(records=[f'{{"id": "1", "podName": "a{text}b"}}']).pods.list()
        assert pod.name == f"a{char.encode('unicode_escape').decode()}b", text


@pytest.mark.parametrize("get_endpoint", [True, False])
def test_field_without_a_name_is_masked_like_any_unknown_field(make_client, record, get_endpoint):
    pods = make_client(records=[record(**{"": {"token": "made-up-value"}})], get_endpoint=get_endpoint).pods
    (pod,) = pods.list()
    assert "made-up-value" not in repr(pod.extra) + pods.frame(wide=True).to_csv() + repr(pods.get(pod.id).extra)
