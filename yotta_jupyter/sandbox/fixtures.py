"""Sample pods: varied, made up, and the same for the same seed."""

from datetime import datetime, timedelta
from random import Random
from typing import Any, NamedTuple

from .inventory import GPUS, IMAGES, REGIONS, assign_endpoints, build_pod, format_timestamp
from .validation import CreateBody, EnvironmentVar, ExposePort

_NAME_PREFIXES = ("train", "notebook", "finetune", "eval", "sweep", "render", "serve", "prep")
_VOLUMES = (0, 0, 0, 50, 200, 500)


class PodSeed(NamedTuple):
    """The properties of a sample pod that are visible at first glance."""

    name: str
    gpu_type: str
    gpu_count: int
    region: str
    status: str
    ports_ready: bool = True


# The first pods, for demos: several regions and GPU types, pods to pause and one to resume.
DEFAULT_PODS = (
    PodSeed("train-1", "NVIDIA_L4_24G", 1, "us-west-1", "RUNNING"),
    PodSeed("notebook-1", "NVIDIA_H100_80GB_HBM3_80G", 2, "ap-southeast-1", "RUNNING"),
    PodSeed("finetune-1", "NVIDIA_GeForce_RTX_4090_24G", 1, "us-east-2", "PAUSED"),
)


def seed_pod(index: int, pod_id: str, seed: int, started: datetime) -> dict[str, Any]:
    """Return the record of the sample pod with that index (from 0), created some time before ``started``."""
    rng = Random(f"{seed}/{index}/start")
    pod = DEFAULT_PODS[index] if index < len(DEFAULT_PODS) else _random_pod(index, rng)
    volume = rng.choice(_VOLUMES)
    create = CreateBody(
        image=IMAGES[index] if index < len(IMAGES) else rng.choice(IMAGES),
        gpu_type=pod.gpu_type,
        gpu_count=pod.gpu_count,
        pod_name=pod.name,
        region=pod.region,
        cloud_type="COMMUNITY" if rng.random() < 0.2 else "SECURE",
        official_image="OFFICIAL",
        image_public_type="PUBLIC",
        persistent_volume_in_gb=volume,
        persistent_mount_path="/workspace" if volume else None,
        environment_vars=[EnvironmentVar(key="JUPYTER_PASSWORD", value=f"made-up-{rng.getrandbits(48):012x}")],
        expose=[ExposePort(port=22, protocol="SSH"), ExposePort(port=8888, protocol="HTTP")],
    )
    updated = started - timedelta(seconds=rng.randrange(600, 5 * 86400))
    created = updated - timedelta(seconds=rng.randrange(60, 20 * 86400))
    record = build_pod(create, pod_id, seed, created, status=pod.status) | {"updatedAt": format_timestamp(updated)}
    if pod.status == "RUNNING" and pod.ports_ready:
        record["expose"] = assign_endpoints(record["expose"], pod_id, seed)
    return record


def _random_pod(index: int, rng: Random) -> PodSeed:
    prefix, number = _NAME_PREFIXES[index % len(_NAME_PREFIXES)], index // len(_NAME_PREFIXES) + 1
    status = rng.choices(("RUNNING", "PAUSED", "TERMINATED", "FAILED"), (65, 25, 7, 3))[0]
    return PodSeed(
        f"{prefix}-{number}",
        rng.choice(list(GPUS)),
        rng.choices((1, 2, 4, 8), (50, 20, 15, 15))[0],
        rng.choice(list(REGIONS)),
        status,
        ports_ready=rng.random() < 0.95,
    )
