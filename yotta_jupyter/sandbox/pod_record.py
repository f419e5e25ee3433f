"""The records of pods, as in a listing of the API.

A record may be malformed if a user supplied it. Functions for the ports in ``expose`` leave malformed values unchanged.
"""

from datetime import datetime
from random import Random
from typing import Any

from .inventory import DOC_NETWORKS, GPUS, REGIONS, UNKNOWN_REGION, parse_gpu
from .validation import CreateBody

_NO_ADDRESS = {"proxyPort": None, "host": None, "healthy": False, "ingressUrl": None}


def format_timestamp(time: datetime) -> str:
    """Format a time in UTC as the API does."""
    return time.strftime("%Y-%m-%d %H:%M:%S")


def build_pod(create: CreateBody, pod_id: str, seed: int, created: datetime, *, status: str) -> dict[str, Any]:
    """Return the record of a new pod, with every field of the contract and without addresses of its ports."""
    rng = Random(f"{seed}/{pod_id}/record")
    gpu = GPUS.get(create.gpu_type) or parse_gpu(create.gpu_type)
    region = create.region or rng.choice(list(REGIONS))
    location, price_factor = REGIONS.get(region, UNKNOWN_REGION)
    container_volume = create.container_volume_in_gb
    ram = rng.choice((10, 16, 24, 32, 64))
    if create.min_single_card_ram_in_gb is not None:
        ram = max(ram, create.min_single_card_ram_in_gb)
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
        "singleCardRamInGb": ram,
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
        "singleCardPrice": round(gpu.price * price_factor, 2),
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


def assign_addresses(expose: object, pod_id: str, seed: int) -> object:
    """Return the ``expose`` list with healthy ports and their public addresses."""
    if not isinstance(expose, list):
        return expose
    rng = Random(f"{seed}/{pod_id}/endpoint")
    host = f"{rng.choice(DOC_NETWORKS)}.{rng.randrange(1, 255)}"
    first_port = rng.randrange(30000, 60000)
    entries: list[object] = []
    for proxy_port, entry in enumerate(expose, first_port):
        if isinstance(entry, dict):
            entries.append({**entry, **_address(entry.get("protocol"), host, proxy_port)})
        else:
            entries.append(entry)
    return entries


def clear_addresses(expose: object) -> object:
    """Return the ``expose`` list with all ports unhealthy and without public addresses."""
    if not isinstance(expose, list):
        return expose
    return [{**port, **_NO_ADDRESS} if isinstance(port, dict) else port for port in expose]


def set_ssh_address(expose: object, host: str, port: int) -> object:
    """Return the ``expose`` list with the address of a real SSH server in its healthy SSH ports."""
    if not isinstance(expose, list):
        return expose
    address = _address("SSH", host, port)
    return [{**entry, **address} if _is_healthy_ssh(entry) else entry for entry in expose]


def has_healthy_ssh(expose: object) -> bool:
    """Return whether the ``expose`` list has a healthy SSH port."""
    return isinstance(expose, list) and any(map(_is_healthy_ssh, expose))


def _is_healthy_ssh(entry: object) -> bool:
    return isinstance(entry, dict) and entry.get("healthy") is True and str(entry.get("protocol")).upper() == "SSH"


def _address(protocol: object, host: str, proxy_port: int) -> dict[str, Any]:
    urls = {
        "SSH": f"ssh user@{host} -p {proxy_port} -i <private key file>",
        "HTTP": f"http://{host}:{proxy_port}",
    }
    url = urls.get(str(protocol).upper(), f"{host}:{proxy_port}")
    return {"proxyPort": proxy_port, "host": host, "healthy": True, "ingressUrl": url}


def _stable_id(source: str) -> str:
    """Return the same made-up id for the same text."""
    return str(Random(source).randrange(2 * 10**17, 3 * 10**17))
