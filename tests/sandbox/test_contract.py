"""The requests and responses of the provider's API page."""

import json
import shutil
import subprocess

import pytest
import requests

PUBLIC_IMAGE_BODY = {
    "image": "yottalabsai/pytorch:2.8.0-py3.11-cuda12.8.1-cudnn-devel-ubuntu22.04-2025050802",
    "gpuType": "NVIDIA_L4_24G",
    "gpuCount": 1,
    "environmentVars": [{"key": "JUPYTER_PASSWORD", "value": "your_password"}],
    "expose": [{"port": 22, "protocol": "SSH"}],
}
PRIVATE_IMAGE_BODY = {
    "imagePublicType": "PRIVATE",
    "imageRegistryUsername": "your_registry_user",
    "imageRegistryToken": "dckr_pat_xxx",
    "image": "yourorg/your-private-image:tag",
    "gpuType": "NVIDIA_L4_24G",
    "gpuCount": 1,
    "initializationCommand": "sshd &",
    "expose": [{"port": 22, "protocol": "SSH"}],
}
SUCCESS = '{"message": "success", "code": 10000, "data": null}'


def is_same_json(text, expected):
    """Return whether two JSON texts have equal values and the same order of keys."""
    return json.loads(text, object_pairs_hook=list) == json.loads(expected, object_pairs_hook=list)


@pytest.mark.parametrize("body", [PUBLIC_IMAGE_BODY, PRIVATE_IMAGE_BODY], ids=["public", "private"])
def test_create_example(api, record, body):
    response = requests.post(
        f"{api.sandbox.base_url}/openapi/v1/pods/create",
        headers={"x-api-key": api.sandbox.api_key, "Content-Type": "application/json"},
        json=body,
        timeout=60,
    )
    assert response.status_code == 200
    envelope = response.json()
    assert list(envelope) == ["message", "code", "data"]
    assert (envelope["message"], envelope["code"]) == ("success", 10000)
    assert type(envelope["data"]) is int
    pod = api.get(str(envelope["data"]))
    assert list(pod) == list(record())
    assert pod["image"] == body["image"]
    assert pod["environmentVars"] == body.get("environmentVars", [])
    assert pod["initializationCommand"] == body.get("initializationCommand", "")
    assert "dckr_pat_xxx" not in api.request("GET", "list").text


@pytest.mark.parametrize(
    "encode", [json.dumps, lambda pod: json.dumps(pod).encode(), dict], ids=["str", "bytes", "dict"]
)
def test_list_example(serve, record, encode):
    response = serve(records=[encode(record())]).request("GET", "list")
    assert response.status_code == 200
    expected = {"message": "success", "code": 10000, "data": [record()]}
    assert is_same_json(response.text, json.dumps(expected))


def test_text_record_is_served_byte_for_byte(serve, record):
    text = json.dumps(record(), indent=3)
    assert text in serve(records=[text]).request("GET", "list").text


def test_list_query_examples(serve, record):
    statuses = ("RUNNING", "PAUSED", "TERMINATED")
    pods = [record(id=str(index), status=status) for index, status in enumerate(statuses)]
    pods.append(record(id="9", status="RUNNING", region="us-east-2"))
    api = serve(records=pods)
    response = api.request("GET", "list?statusList=RUNNING&statusList=PAUSED&regionList=gke-dev-us-west-1")
    assert [pod["id"] for pod in response.json()["data"]] == ["1", "0"]
    params = [("statusList", "RUNNING"), ("statusList", "PAUSED"), ("regionList", "us-east-2")]
    assert [pod["id"] for pod in api.list(*params)] == ["9"]


@pytest.mark.parametrize(
    ("status", "method", "path"),
    [("RUNNING", "POST", "pause/"), ("PAUSED", "POST", "resume/"), ("RUNNING", "DELETE", "")],
)
def test_pause_resume_delete_examples(serve, record, status, method, path):
    pod = record(status=status)
    response = serve(records=[pod]).request(method, path + pod["id"])
    assert response.status_code == 200
    assert is_same_json(response.text, SUCCESS)


def test_create_with_curl(api):
    curl = shutil.which("curl")
    if curl is None:
        pytest.skip("curl is not installed")
    command = [curl, "-sS", "--noproxy", "*", "--max-time", "20", "-X", "POST"]
    command += [f"{api.sandbox.base_url}/openapi/v1/pods/create", "-H", f"x-api-key: {api.sandbox.api_key}"]
    command += ["-H", "Content-Type: application/json", "-d", json.dumps(PUBLIC_IMAGE_BODY, indent=4)]
    result = subprocess.run(command, capture_output=True, text=True, timeout=30, check=True)
    envelope = json.loads(result.stdout)
    assert str(envelope["data"]) in [pod["id"] for pod in api.list()]
