"""Each endpoint: routes, the API key, filters, invalid bodies, and error responses."""

import json

import pytest
import requests

SSH = {"port": 22, "protocol": "SSH"}


def error_codes(response):
    """Check the envelope of an error response. Return its HTTP status and its code."""
    envelope = response.json()
    assert list(envelope) == ["message", "code", "data"]
    assert envelope["data"] is None
    assert envelope["message"] != "success"
    return response.status_code, envelope["code"]


def test_pods_have_18_digit_ids_and_can_be_fetched(api):
    pods = api.list()
    assert len(pods) == 3
    for pod in pods:
        assert len(pod["id"]) == 18
        assert pod["id"].isdecimal()
        assert api.get(pod["id"]) == pod
    assert pods == api.sandbox.pods()


@pytest.mark.parametrize("name", ["x-api-key", "X-API-KEY", "X-Api-Key"])
def test_api_key_header_is_case_insensitive(api, name):
    headers = {name: api.sandbox.api_key}
    assert requests.get(f"{api.sandbox.base_url}/openapi/v1/pods/list", headers=headers, timeout=20).ok


@pytest.mark.parametrize("key", [None, "", "wrong", "clé"])
@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "create"), ("GET", "list"), ("GET", "1"), ("POST", "pause/1"), ("POST", "resume/1"), ("DELETE", "1")],
)
def test_missing_or_wrong_api_key_is_rejected(api, method, path, key):
    api.session.headers.pop("x-api-key")
    headers = {} if key is None else {"x-api-key": key.encode("latin-1")}
    response = api.request(method, path, headers=headers)
    assert error_codes(response) == (401, 401)
    assert api.sandbox.api_key not in response.text


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "{}"), ("POST", "pause/{}"), ("POST", "resume/{}"), ("DELETE", "{}")]
)
@pytest.mark.parametrize("pod_id", ["1", "999999999999999999", "nonsense"])
def test_unknown_pod_is_not_found(api, method, path, pod_id):
    assert error_codes(api.request(method, path.format(pod_id))) == (404, 13000)


@pytest.mark.parametrize(
    "path", ["/", "/openapi/v1/pods", "/openapi/v2/pods/list", "/openapi/v1//pods/list", "/openapi/v1/pods/list/"]
)
def test_unknown_route_is_not_found(api, path):
    response = api.session.get(api.sandbox.base_url + path, timeout=20, allow_redirects=False)
    assert response.status_code == 404
    assert response.json() == {"message": "not found", "code": 404, "data": None}


@pytest.mark.parametrize(("method", "path"), [("PUT", "create"), ("POST", "list"), ("GET", "pause/1"), ("PATCH", "1")])
def test_wrong_method_is_not_allowed(api, method, path):
    assert error_codes(api.request(method, path)) == (405, 405)


@pytest.mark.parametrize("body", [None, b"", b"{}", b"not json"])
def test_pause_and_resume_ignore_the_body(api, body):
    pod_id = next(pod["id"] for pod in api.list() if pod["status"] == "RUNNING")
    assert api.request("POST", f"pause/{pod_id}", data=body).json()["code"] == 10000
    api.sandbox.advance(3)
    assert api.request("POST", f"resume/{pod_id}", data=body).json()["code"] == 10000


def test_chunked_body_on_a_reused_connection(api):
    parts = iter([b'{"image": "made/up:1", "gpuType"', b': "NVIDIA_L4_24G", "gpuCount": 1}'])
    pod_id = str(api.request("POST", "create", data=parts).json()["data"])
    assert api.status(pod_id) == "INITIALIZE"


def test_create_with_all_fields(api):
    fields = {
        "podName": "made-up",
        "region": "us-east-2",
        "cloudType": "COMMUNITY",
        "officialImage": "OFFICIAL",
        "resourceType": "GPU",
        "imagePublicType": "PRIVATE",
        "imageRegistryUsername": "somebody",
        "gpuCount": 8,
        "containerVolumeInGb": 20,
        "persistentVolumeInGb": 30,
        "persistentMountPath": "/data",
        "initializationCommand": "sshd &",
        "environmentVars": [{"key": "A", "value": ""}, {"key": "B", "value": "ü=1"}],
    }
    body = fields | {"imageRegistryToken": "tok-made-up", "minSingleCardRamInGb": 500, "notInTheContract": [1]}
    pod = api.get(api.create_pod(**body))
    assert {name: pod[name] for name in fields} == fields
    assert pod["singleCardRamInGb"] == 500
    assert pod["gpuDisplayName"] == "L4"
    assert "tok-made-up" not in json.dumps(api.sandbox.pods())


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"image": None}, "image"),
        ({"image": ""}, "image"),
        ({"image": 5}, "image"),
        ({"gpuType": None}, "gpuType"),
        ({"gpuType": ["NVIDIA_L4_24G"]}, "gpuType"),
        ({"gpuCount": None}, "gpuCount"),
        ({"gpuCount": "1"}, "gpuCount"),
        ({"gpuCount": 1.5}, "gpuCount"),
        ({"gpuCount": True}, "gpuCount"),
        ({"gpuCount": 0}, "gpuCount"),
        ({"gpuCount": -2}, "gpuCount"),
        ({"gpuCount": 3}, "gpuCount"),
        ({"gpuCount": 6}, "gpuCount"),
        ({"cloudType": "SAFE"}, "cloudType"),
        ({"officialImage": "official"}, "officialImage"),
        ({"imagePublicType": "SECRET"}, "imagePublicType"),
        ({"resourceType": "TPU"}, "resourceType"),
        ({"expose": [{"port": 0, "protocol": "SSH"}]}, "expose[0].port"),
        ({"expose": [SSH, {"port": 65536, "protocol": "HTTP"}]}, "expose[1].port"),
        ({"expose": [{"port": "22", "protocol": "SSH"}]}, "expose[0].port"),
        ({"expose": [{"port": 22, "protocol": "UDP"}]}, "expose[0].protocol"),
        ({"expose": [{"port": 22}]}, "expose[0].protocol"),
        ({"expose": {"22": "SSH"}}, "expose"),
        ({"environmentVars": {"A": "B"}}, "environmentVars"),
        ({"environmentVars": [{"key": "A"}]}, "environmentVars[0].value"),
        ({"environmentVars": [{"key": "A", "value": 1}]}, "environmentVars[0].value"),
        ({"environmentVars": [{"key": "", "value": "x"}]}, "environmentVars[0].key"),
        ({"imagePublicType": "PRIVATE"}, "imageRegistryUsername"),
        ({"imagePublicType": "PRIVATE", "imageRegistryUsername": "u"}, "imageRegistryToken"),
        ({"persistentVolumeInGb": 10}, "persistentMountPath"),
        ({"persistentVolumeInGb": -1}, "persistentVolumeInGb"),
        ({"containerVolumeInGb": "20"}, "containerVolumeInGb"),
        ({"podName": 7}, "podName"),
    ],
)
def test_invalid_create_body_names_the_field(api, changes, field):
    response = api.create(**changes)
    assert error_codes(response) == (400, 10001)
    assert response.json()["message"].startswith(f"invalid request parameters: {field}: ")
    assert len(api.sandbox.pods()) == 3


@pytest.mark.parametrize("missing", ["image", "gpuType", "gpuCount"])
def test_missing_required_field_is_named(api, missing):
    body = {"image": "made/up:1", "gpuType": "NVIDIA_L4_24G", "gpuCount": 1}
    del body[missing]
    response = api.request("POST", "create", json=body)
    assert error_codes(response) == (400, 10001)
    assert f"{missing}: required" in response.json()["message"]


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b'"text"', b"\xff\xfe", b'{"image": "\xff"}'])
def test_create_body_must_be_a_json_object(api, body):
    assert error_codes(api.request("POST", "create", data=body)) == (400, 10001)


@pytest.fixture
def pod_per_status(serve):
    """A pod of each status, whose id is the index of the status, alternately in two regions."""
    statuses = ["INITIALIZE", "RUNNING", "PAUSING", "PAUSED", "TERMINATING", "TERMINATED", "FAILED", "UNKNOWN"]
    regions = ["us-west-1", "us-east-2"] * 4
    pods = enumerate(zip(statuses, regions, strict=True))
    return serve(records=[{"id": str(n), "status": status, "region": region} for n, (status, region) in pods])


@pytest.mark.parametrize(
    ("query", "ids"),
    [
        ("", "01234567"),
        ("statusList=", "01234567"),
        ("statusList=1", "1"),
        ("statusList=1&statusList=3", "13"),
        ("statusList=1,3", "13"),
        ("statusList=0,1&statusList=PAUSED, failed", "0136"),
        ("statusList=5&statusList=6", "56"),
        ("statusList=running&statusList=Paused", "13"),
        ("statusList=INITIALIZING&statusList=stopping&statusList=STOPPED", "023"),
        ("regionList=us-west-1", "0246"),
        ("regionList=us-west-1,us-east-2", "01234567"),
        ("regionList=us-west-1&regionList=us-east-2&statusList=1,2", "12"),
        ("regionList=us-east-2&statusList=2", ""),
        ("regionList=elsewhere", ""),
        ("page=4", "01234567"),
    ],
)
def test_list_filters(pod_per_status, query, ids):
    pods = pod_per_status.request("GET", f"list?{query}").json()["data"]
    assert "".join(sorted(pod["id"] for pod in pods)) == ids


@pytest.mark.parametrize("value", ["7", "-1", "1.0", "RUNING", "true", "1,x"])
def test_unknown_status_in_filter_is_rejected(pod_per_status, value):
    response = pod_per_status.request("GET", "list", params={"statusList": value})
    assert error_codes(response) == (400, 10001)
    assert "statusList" in response.json()["message"]


def test_list_is_sorted_by_update_time_then_id(serve):
    times = ["2025-01-01 00:00:00", "2025-01-03 00:00:00", "2025-01-02 00:00:00", "2025-01-03 00:00:00", None]
    api = serve(records=[{"id": str(10 + n), "updatedAt": value} for n, value in enumerate(times)])
    assert [pod["id"] for pod in api.list()] == ["13", "11", "12", "10", "14"]


def test_malformed_records_are_served_unchanged(serve):
    records = [
        {"id": 331864222263676929, "status": 1, "gpuCount": "2", "expose": None, "somethingNew": {"a": [1]}},
        {"id": None, "status": None, "region": ["list"], "updatedAt": 1720089000000},
        {},
        {"id": "5", "status": "Warming-Up", "environmentVars": "?"},
    ]
    api = serve(records=records)
    pods = api.list()
    assert len(pods) == 4
    assert all(record in pods for record in records)
    assert api.list(("regionList", "us-west-1")) == []
    assert api.request("POST", "pause/331864222263676929").json()["code"] == 10000
    assert api.get("331864222263676929")["status"] == "PAUSING"
    assert api.get("331864222263676929")["somethingNew"] == {"a": [1]}
    assert error_codes(api.request("POST", "resume/5")) == (400, 12001)
    assert api.request("DELETE", "5").json()["code"] == 10000


def test_get_endpoint_can_be_missing(serve):
    api = serve(get_endpoint=False)
    pod_id = api.list()[0]["id"]
    response = api.request("GET", pod_id)
    assert response.status_code == 404
    with pytest.raises(requests.JSONDecodeError):
        response.json()
    assert api.request("DELETE", pod_id).json()["code"] == 10000
