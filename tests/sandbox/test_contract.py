"""The requests and responses of the provider's API page."""

import json
import shutil
import subprocess

import pytest
import requests

PUBLIC_IMAGE = {
    "image": "yottalabsai/pytorch:2.8.0-py3.11-cuda12.8.1-cudnn-devel-ubuntu22.04-2025050802",
    "gpuType": "NVIDIA_L4_24G",
    "gpuCount": 1,
    "environmentVars": [{"key": "JUPYTER_PASSWORD", "value": "your_password"}],
    "expose": [{"port": 22, "protocol": "SSH"}],
}
PRIVATE_IMAGE = {
    "imagePublicType": "PRIVATE",
    "imageRegistryUsername": "your_registry_user",
    "imageRegistryToken": "dckr_pat_xxx",
    "image": "yourorg/your-private-image:tag",
    "gpuType": "NVIDIA_L4_24G",
    "gpuCount": 1,
    "initializationCommand": "sshd &",
    "expose": [{"port": 22, "protocol": "SSH"}],
}
EXAMPLE_POD = """{
    "id": "331864222263676928",
    "orgId": "217646376996249600",
    "applicantId": "217646376987860992",
    "podName": "Test_from_SDK",
    "imageId": "219419172892971011",
    "officialImage": "CUSTOM",
    "imagePublicType": "PUBLIC",
    "image": "yottalabsai/pytorch:2.8.0-py3.11-cuda12.8.1-cudnn-devel-ubuntu22.04-2025050802",
    "imageRegistryUsername": null,
    "resourceType": "GPU",
    "gpuType": "NVIDIA_L4_24G",
    "gpuDisplayName": "L4",
    "gpuCount": 1,
    "singleCardVramInGb": 24,
    "singleCardRamInGb": 10,
    "singleCardVcpu": 3,
    "location": "OR",
    "region": "gke-dev-us-west-1",
    "cloudType": "SECURE",
    "containerVolumeInGb": 252,
    "persistentVolumeInGb": 0,
    "persistentMountPath": null,
    "networkUploadMbps": 1258.2912,
    "networkDownloadMbps": 1761.60768,
    "diskReadSpeedMbps": 2516.5824,
    "diskWriteSpeedMbps": 5872.0256,
    "singleCardPrice": 0.6,
    "persistentVolumePrice": 0.00005,
    "containerVolumePrice": 0.00005,
    "initializationCommand": "",
    "environmentVars": [{
      "key": "JUPYTER_PASSWORD",
      "value": "9f2375dc-277b-4550-add9-563ad23973a5"
    }],
    "expose": [{
      "port": 22,
      "proxyPort": 32002,
      "protocol": "SSH",
      "host": "34.19.26.12",
      "healthy": true,
      "ingressUrl": "ssh [email protected] -p 32002 -i <private key file>",
      "serviceName": "SSH Port"
    }],
    "sshCmd": "",
    "status": "TERMINATED",
      "createdAt": "2025-07-04 10:29:56",
      "updatedAt": "2025-07-04 10:48:13"
  }"""
POD_ID = "331864222263676928"
SUCCESS = '{"message": "success", "code": 10000, "data": null}'


def same_json(text, expected):
    """Return whether values and the order of keys are equal at every depth."""
    return json.loads(text, object_pairs_hook=list) == json.loads(expected, object_pairs_hook=list)


@pytest.mark.parametrize("body", [PUBLIC_IMAGE, PRIVATE_IMAGE], ids=["public", "private"])
def test_create_example(api, body):
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
    assert list(pod) == list(json.loads(EXAMPLE_POD))
    assert pod["image"] == body["image"]
    assert pod["environmentVars"] == body.get("environmentVars", [])
    assert pod["initializationCommand"] == body.get("initializationCommand", "")
    assert "dckr_pat_xxx" not in api.request("GET", "list").text


@pytest.mark.parametrize(
    "record", [EXAMPLE_POD, EXAMPLE_POD.encode(), json.loads(EXAMPLE_POD)], ids=["text", "bytes", "dict"]
)
def test_list_example(serve, record):
    response = serve(records=[record]).request("GET", "list")
    assert response.status_code == 200
    assert same_json(response.text, f'{{"message": "success", "code": 10000, "data": [{EXAMPLE_POD}]}}')


def test_text_record_is_served_byte_for_byte(serve):
    assert EXAMPLE_POD in serve(records=[EXAMPLE_POD]).request("GET", "list").text


def test_list_query_examples(serve):
    record = json.loads(EXAMPLE_POD)
    pods = [record | {"id": str(n), "status": status} for n, status in enumerate(("RUNNING", "PAUSED", "TERMINATED"))]
    pods.append(pods[0] | {"id": "9", "region": "us-east-2"})
    api = serve(records=pods)
    found_pods = api.request("GET", "list?statusList=RUNNING&statusList=PAUSED&regionList=gke-dev-us-west-1").json()[
        "data"
    ]
    assert [pod["id"] for pod in found_pods] == ["1", "0"]
    params = [("statusList", "RUNNING"), ("statusList", "PAUSED"), ("regionList", "us-east-2")]
    assert [pod["id"] for pod in api.list(*params)] == ["9"]


@pytest.mark.parametrize(
    ("status", "method", "path"),
    [("RUNNING", "POST", "pause/"), ("PAUSED", "POST", "resume/"), ("RUNNING", "DELETE", "")],
)
def test_pause_resume_delete_examples(serve, status, method, path):
    api = serve(records=[json.loads(EXAMPLE_POD) | {"status": status}])
    response = api.request(method, path + POD_ID)
    assert response.status_code == 200
    assert same_json(response.text, SUCCESS)


def test_create_with_curl(api):
    curl = shutil.which("curl")
    if curl is None:
        pytest.skip("curl is not installed")
    command = [curl, "-sS", "--noproxy", "*", "--max-time", "20", "-X", "POST"]
    command += [f"{api.sandbox.base_url}/openapi/v1/pods/create", "-H", f"x-api-key: {api.sandbox.api_key}"]
    command += ["-H", "Content-Type: application/json", "-d", json.dumps(PUBLIC_IMAGE, indent=4)]
    result = subprocess.run(command, capture_output=True, text=True, timeout=30, check=True)
    envelope = json.loads(result.stdout)
    assert str(envelope["data"]) in [pod["id"] for pod in api.list()]
