"""Sample pods: varied, made up, and the same for the same seed."""

from datetime import datetime, timedelta
from random import Random
from typing import Any, NamedTuple

from .inventory import GPUS, IMAGES, REGIONS
from .pod_record import assign_addresses, build_pod, format_timestamp
from .validation import CreateBody, EnvironmentVar, ExposePort

_NAME_PREFIXES = ("train", "notebook", "finetune", "eval", "sweep", "render", "serve", "prep")
_VOLUME_SIZES = (0, 0, 0, 50, 200, 500)  # In GB. Half of the pods have no volume.
_DAY_SECONDS = 86400


class _Sample(NamedTuple):
    """The properties of a sample pod that differ most between pods."""

    name: str
    gpu_type: str
    gpu_count: int
    region: str
    status: str
    ports_healthy: bool = True


# The first pods, for demos: several regions and GPU types, pods to pause and one to resume.
_FIRST_SAMPLES = (
    _Sample("train-1", "NVIDIA_L4_24G", 1, "us-west-1", "RUNNING"),
    _Sample("notebook-1", "NVIDIA_H100_80GB_HBM3_80G", 2, "ap-southeast-1", "RUNNING"),
    _Sample("finetune-1", "NVIDIA_GeForce_RTX_4090_24G", 1, "us-east-2", "PAUSED"),
)


def sample_pod(index: int, pod_id: str, seed: int, started: datetime) -> dict[str, Any]:
    """Return the record of the sample pod with that index (from 0), created some time before ``started``."""
    rng = Random(f"{seed}/{index}/start")
    sample = _FIRST_SAMPLES[index] if index < len(_FIRST_SAMPLES) else _random_sample(index, rng)
    volume_size = rng.choice(_VOLUME_SIZES)
    create = CreateBody(
        image=IMAGES[index] if index < len(IMAGES) else rng.choice(IMAGES),
        gpu_type=sample.gpu_type,
        gpu_count=sample.gpu_count,
        pod_name=sample.name,
        region=sample.region,
        cloud_type="COMMUNITY" if rng.random() < 0.2 else "SECURE",
        official_image="OFFICIAL",
        image_public_type="PUBLIC",
        persistent_volume_in_gb=volume_size,
        persistent_mount_path="/workspace" if volume_size else None,
        environment_vars=[EnvironmentVar(key="JUPYTER_PASSWORD", value=f"made-up-{rng.getrandbits(48):012x}")],
        expose=[ExposePort(port=22, protocol="SSH"), ExposePort(port=8888, protocol="HTTP")],
    )
    updated = started - timedelta(seconds=rng.randrange(600, 5 * _DAY_SECONDS))
    created = updated - timedelta(seconds=rng.randrange(60, 20 * _DAY_SECONDS))
    record = build_pod(create, pod_id, seed, created, status=sample.status)
    record["updatedAt"] = format_timestamp(updated)
    if sample.status == "RUNNING" and sample.ports_healthy:
        record["expose"] = assign_addresses(record["expose"], pod_id, seed)
    return record


def _random_sample(index: int, rng: Random) -> _Sample:
    round_number, prefix_index = divmod(index, len(_NAME_PREFIXES))
    status = rng.choices(("RUNNING", "PAUSED", "TERMINATED", "FAILED"), weights=(65, 25, 7, 3))[0]
    return _Sample(
        name=f"{_NAME_PREFIXES[prefix_index]}-{round_number + 1}",
        gpu_type=rng.choice(list(GPUS)),
        gpu_count=rng.choices((1, 2, 4, 8), weights=(50, 20, 15, 15))[0],
        region=rng.choice(list(REGIONS)),
        status=status,
        ports_healthy=rng.random() < 0.95,
    )
