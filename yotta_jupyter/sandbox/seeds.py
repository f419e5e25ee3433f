"""The pods that a fleet starts with: varied, invented, and the same for the same seed."""

from datetime import datetime, timedelta
from random import Random
from typing import Any, NamedTuple

from yotta_jupyter.sandbox.checks import CreateBody, EnvironmentVar, ExposePort
from yotta_jupyter.sandbox.stock import GPUS, IMAGES, REGIONS, pod_record, reachable

_KINDS = ("train", "notebook", "finetune", "eval", "sweep", "render", "serve", "prep")
_VOLUMES = (0, 0, 0, 50, 200, 500)


class _Start(NamedTuple):
    name: str
    gpu_type: str
    gpu_count: int
    region: str
    status: str
    healthy: bool = True


# What a newcomer sees first: several regions, several GPUs, something to pause and something to resume.
_FIRST = (
    _Start("train-1", "NVIDIA_L4_24G", 1, "us-west-1", "RUNNING"),
    _Start("notebook-1", "NVIDIA_H100_80GB_HBM3_80G", 2, "ap-southeast-1", "RUNNING"),
    _Start("finetune-1", "NVIDIA_GeForce_RTX_4090_24G", 1, "us-east-2", "PAUSED"),
)


def starting_pod(index: int, pod_id: str, seed: int, started: datetime) -> dict[str, Any]:
    """Return the record of the pod with that place in the fleet, created some time before ``started``."""
    rng = Random(f"{seed}/{index}/start")
    start = _FIRST[index] if index < len(_FIRST) else _any(index, rng)
    volume = rng.choice(_VOLUMES)
    create = CreateBody(
        image=IMAGES[index % len(IMAGES)] if index < len(IMAGES) else rng.choice(IMAGES),
        gpu_type=start.gpu_type,
        gpu_count=start.gpu_count,
        pod_name=start.name,
        region=start.region,
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
    record = pod_record(create, pod_id, seed, created.strftime("%Y-%m-%d %H:%M:%S"))
    record["status"] = start.status
    record["updatedAt"] = updated.strftime("%Y-%m-%d %H:%M:%S")
    if start.status == "RUNNING" and start.healthy:
        record["expose"] = reachable(record["expose"], pod_id, seed)
    return record


def _any(index: int, rng: Random) -> _Start:
    kind, number = _KINDS[index % len(_KINDS)], index // len(_KINDS) + 1
    status = rng.choices(("RUNNING", "PAUSED", "TERMINATED", "FAILED"), (65, 25, 7, 3))[0]
    return _Start(
        f"{kind}-{number}",
        rng.choice(list(GPUS)),
        rng.choices((1, 2, 4, 8), (50, 20, 15, 15))[0],
        rng.choice(list(REGIONS)),
        status,
        healthy=rng.random() < 0.95,
    )
