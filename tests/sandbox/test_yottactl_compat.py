"""yottactl, a public client of the v1 API by another author, works against the sandbox."""

import pytest

pytest.importorskip("yotta.pod", reason="yottactl is not installed")

from yotta import ClientError
from yotta.pod import PodApi


@pytest.fixture
def client(api):
    pods = PodApi(api.sandbox.api_key, base_url=api.sandbox.base_url, timeout=20)
    yield pods
    pods.session.close()


def test_pod_lifecycle(api, client):
    envelope = client.new_pod(
        image="yottalabsai/pytorch:2.9.0-py3.11-cuda12.8.1-cudnn-devel-ubuntu22.04",
        gpu_type="NVIDIA_GeForce_RTX_5090_32G",
        gpu_count=2,
        region="us-east-2",
        cloud_type="SECURE",
        pod_name="made-up",
        official_image="OFFICIAL",
        image_public_type="PUBLIC",
        resource_type="GPU",
        container_volume_in_gb=30,
        persistent_volume_in_gb=10,
        persistent_mount_path="/data",
        environment_vars=[{"key": "JUPYTER_PASSWORD", "value": "made-up"}],
        expose=[{"port": 22, "protocol": "SSH"}, {"port": 8888, "protocol": "HTTP"}],
    )
    assert envelope["code"] == 10000
    pod_id = envelope["data"]
    assert client.get_pod(pod_id)["data"]["gpuDisplayName"] == "RTX 5090"
    api.sandbox.advance(8)
    assert client.get_pod(str(pod_id))["data"]["status"] == "RUNNING"
    assert client.pause_pod(pod_id) == {"message": "success", "code": 10000, "data": None}
    with pytest.raises(ClientError) as error:
        client.resume_pod(pod_id)
    assert (error.value.status_code, error.value.error_code) == (400, 12001)
    api.sandbox.advance(3)
    assert client.resume_pod(pod_id)["code"] == 10000
    assert client.delete_pod(pod_id)["code"] == 10000
    api.sandbox.advance(70)
    with pytest.raises(ClientError) as error:
        client.get_pod(pod_id)
    assert (error.value.status_code, error.value.error_code) == (404, 13000)


def test_list_filters(client):
    pods = client.get_pods()["data"]
    assert len(pods) == 3
    pods = client.get_pods(region_list=["us-west-1", "ap-southeast-1"], status_list=[1, 3])["data"]
    assert {pod["podName"] for pod in pods} == {"train-1", "notebook-1"}
    assert [pod["podName"] for pod in client.get_pods(status_list=["PAUSED"])["data"]] == ["finetune-1"]
    assert client.get_pods(region_list=["elsewhere"])["data"] == []


def test_wrong_api_key(api):
    with pytest.raises(ClientError) as error:
        PodApi("wrong", base_url=api.sandbox.base_url, timeout=20).get_pods()
    assert error.value.status_code == 401
