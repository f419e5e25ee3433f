"""The GPU types, regions and images of the sandbox, and the records of pods built from them."""

import re
from datetime import datetime
from random import Random
from typing import Any, NamedTuple

from .validation import CreateBody


class Gpu(NamedTuple):
    """A GPU type: its display name, memory in GB, and a made-up price of one card in US dollars an hour."""

    display_name: str
    vram: int
    price: float


GPUS = {
    "NVIDIA_L4_24G": Gpu("L4", 24, 0.6),
    "NVIDIA_GeForce_RTX_4090_24G": Gpu("RTX 4090", 24, 0.55),
    "NVIDIA_GeForce_RTX_5090_32G": Gpu("RTX 5090", 32, 0.85),
    "NVIDIA_H100_80GB_HBM3_80G": Gpu("H100", 80, 2.7),
    "NVIDIA_RTX_4090_24G": Gpu("RTX 4090", 24, 0.55),
    "NVIDIA_RTX_5090_32G": Gpu("RTX 5090", 32, 0.85),
    "NVIDIA_RTX_A6000_48G": Gpu("RTX A6000", 48, 0.7),
    "NVIDIA_RTX_6000_Ada_48G": Gpu("RTX 6000 Ada", 48, 0.95),
    "NVIDIA_A100_PCIe_40G": Gpu("A100 PCIe", 40, 1.2),
    "NVIDIA_A100_40G": Gpu("A100", 40, 1.35),
    "NVIDIA_A100_PCIe_80G": Gpu("A100 PCIe", 80, 1.6),
    "NVIDIA_A100_80G": Gpu("A100", 80, 1.75),
    "NVIDIA_H100_PCIe_80G": Gpu("H100 PCIe", 80, 2.4),
    "NVIDIA_H100_80G": Gpu("H100", 80, 2.7),
    "NVIDIA_RTX_PRO_6000_96G": Gpu("RTX PRO 6000", 96, 1.8),
    "NVIDIA_H200_141G": Gpu("H200", 141, 3.4),
    "NVIDIA_B200_180G": Gpu("B200", 180, 5.2),
    "NVIDIA_B300_262G": Gpu("B300", 262, 6.8),
    "AWS_Trainium_32G": Gpu("Trainium1", 32, 1.3),
    "AMD_MI300X_192G": Gpu("MI300X", 192, 2.3),
}

REGIONS = {
    "us-west-1": ("CA", 1.0),
    "us-east-2": ("OH", 0.95),
    "ap-southeast-1": ("SG", 1.1),
    "eu-central-1": ("DE", 1.05),
    "ap-northeast-1": ("JP", 1.08),
}
"""Region to its location and price factor."""

IMAGES = (
    "yottalabsai/pytorch:2.9.0-py3.11-cuda12.8.1-cudnn-devel-ubuntu22.04",
    "yottalabsai/pytorch:2.8.0-py3.11-cuda12.8.1-cudnn-devel-ubuntu22.04-2025081902",
    "yottalabsai/unsloth:0.6.9-py3.11-cuda12.1-cudnn-devel-ubuntu22.04",
    "yottalabsai/skyrl:ray2.51-py3.11-cuda12.1-cudnn-devel-ubuntu22.04",
    "yottalabsai/comfyui:cuda12.8.1-ubuntu22.04-2025102101",
    "yottalabsai/ai-toolkit:cuda12.8.1-ubuntu22.04-2025122201",
)

# Networks reserved for documentation (RFC 5737), so that no address belongs to a real host.
DOC_NETWORKS = ("192.0.2", "198.51.100", "203.0.113")

_NO_ENDPOINT = {"proxyPort": None, "host": None, "healthy": False, "ingressUrl": None}


def format_timestamp(time: datetime) -> str:
    """Format a time in UTC as the API does."""
    return time.strftime("%Y-%m-%d %H:%M:%S")


def build_pod(create: CreateBody, pod_id: str, seed: int, created: datetime, *, status: str) -> dict[str, Any]:
    """Return the record of a new pod, with every field of the contract and without endpoints of its ports."""
    rng = Random(f"{seed}/{pod_id}/record")
    gpu = GPUS.get(create.gpu_type) or _unknown_gpu(create.gpu_type)
    region = create.region or rng.choice(list(REGIONS))
    location, factor = REGIONS.get(region, ("--", 1.0))
    container_volume = create.container_volume_in_gb
    return {
        "id": pod_id,
        "orgId": _stable_id(f"{seed}/org"),
        "applicantId": _stable_id(f"{seed}/applicant"),
        "podName": create.pod_name or "My Pod",
        "imageId": _stable_id(create.image),
        "officialImage": create.official_image or "CUSTOM",
        "imagePublicType": create.image_public_type or "PUBLIC",
        "image": create.image,
        "imageRegistryUsername": create.image_registry_username,
        "resourceType": create.resource_type or "GPU",
        "gpuType": create.gpu_type,
        "gpuDisplayName": gpu.display_name,
        "gpuCount": create.gpu_count,
        "singleCardVramInGb": gpu.vram,
        "singleCardRamInGb": max(create.min_single_card_ram_in_gb or 0, rng.choice((10, 16, 24, 32, 64))),
        "singleCardVcpu": rng.choice((3, 4, 8, 12)),
        "location": location,
        "region": region,
        "cloudType": create.cloud_type or "SECURE",
        "containerVolumeInGb": rng.choice((100, 160, 252)) if container_volume is None else container_volume,
        "persistentVolumeInGb": create.persistent_volume_in_gb or 0,
        "persistentMountPath": create.persistent_mount_path,
        "networkUploadMbps": round(rng.uniform(800, 2000), 4),
        "networkDownloadMbps": round(rng.uniform(1200, 4000), 4),
        "diskReadSpeedMbps": round(rng.uniform(2000, 6000), 4),
        "diskWriteSpeedMbps": round(rng.uniform(1500, 6000), 4),
        "singleCardPrice": round(gpu.price * factor, 2),
        "persistentVolumePrice": 0.00005,
        "containerVolumePrice": 0.00005,
        "initializationCommand": create.initialization_command or "",
        "environmentVars": [{"key": var.key, "value": var.value} for var in create.environment_vars or ()],
        "expose": [
            {
                "port": port.port,
                "proxyPort": None,
                "protocol": port.protocol,
                "host": None,
                "healthy": False,
                "ingressUrl": None,
                "serviceName": f"{port.protocol} Port",
            }
            for port in create.expose or ()
        ],
        "sshCmd": "",
        "status": status,
        "createdAt": format_timestamp(created),
        "updatedAt": format_timestamp(created),
    }


def assign_endpoints(expose: object, pod_id: str, seed: int) -> object:
    """Return the ``expose`` list with healthy ports and their public addresses. Malformed values are kept."""
    if not isinstance(expose, list):
        return expose
    rng = Random(f"{seed}/{pod_id}/endpoint")
    host = f"{rng.choice(DOC_NETWORKS)}.{rng.randrange(1, 255)}"
    first_port = rng.randrange(30000, 60000)
    return [
        port | _endpoint(port.get("protocol"), host, first_port + index) if isinstance(port, dict) else port
        for index, port in enumerate(expose)
    ]


def clear_endpoints(expose: object) -> object:
    """Return the ``expose`` list without healthy ports and public addresses. Malformed values are kept."""
    if not isinstance(expose, list):
        return expose
    return [port | _NO_ENDPOINT if isinstance(port, dict) else port for port in expose]


def set_ssh_address(expose: object, host: str, port: int) -> object:
    """Return the ``expose`` list with the address of a real SSH server in its healthy SSH ports."""
    if not isinstance(expose, list):
        return expose
    return [entry | _endpoint("SSH", host, port) if _is_healthy_ssh(entry) else entry for entry in expose]


def has_healthy_ssh(expose: object) -> bool:
    """Return whether the ``expose`` list has a healthy SSH port."""
    return isinstance(expose, list) and any(map(_is_healthy_ssh, expose))


def _is_healthy_ssh(entry: object) -> bool:
    return isinstance(entry, dict) and entry.get("healthy") is True and str(entry.get("protocol")).upper() == "SSH"


def _endpoint(protocol: object, host: str, proxy_port: int) -> dict[str, Any]:
    urls = {
        "SSH": f"ssh user@{host} -p {proxy_port} -i <private key file>",
        "HTTP": f"http://{host}:{proxy_port}",
    }
    url = urls.get(str(protocol).upper(), f"{host}:{proxy_port}")
    return {"proxyPort": proxy_port, "host": host, "healthy": True, "ingressUrl": url}


def _stable_id(source: str) -> str:
    return str(Random(source).randrange(2 * 10**17, 3 * 10**17))


def _unknown_gpu(gpu_type: str) -> Gpu:
    """Derive the name and memory of a GPU from an identifier such as ``VENDOR_MODEL_48G``."""
    match = re.fullmatch(r"(?:[^_]+_)?(.+?)(?:_(\d{1,4})G)?", gpu_type)
    name, vram = (match[1], match[2]) if match else (gpu_type, None)
    return Gpu(name.replace("_", " "), int(vram or 24), 1.0)
