"""The GPU types, regions, images and networks of the sandbox."""

import re
from typing import NamedTuple


class Gpu(NamedTuple):
    """A GPU type.

    Attributes
    ----------
    display_name : str
        The name in listings.
    vram : int
        The memory in GB.
    price : float
        A made-up price of one card, in US dollars an hour.
    """

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


class Region(NamedTuple):
    """A region: its location as in listings, and the factor by which it changes the price of a GPU."""

    location: str
    price_factor: float


REGIONS = {
    "us-west-1": Region("CA", 1.0),
    "us-east-2": Region("OH", 0.95),
    "ap-southeast-1": Region("SG", 1.1),
    "eu-central-1": Region("DE", 1.05),
    "ap-northeast-1": Region("JP", 1.08),
}
UNKNOWN_REGION = Region("--", 1.0)

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


def parse_gpu(gpu_type: str) -> Gpu:
    """Return the GPU of an unknown type, with the name and memory from an identifier such as ``VENDOR_MODEL_48G``."""
    match = re.fullmatch(r"(?:[^_]+_)?(?P<model>.+?)(?:_(?P<vram>\d{1,4})G)?", gpu_type)
    if match is None:
        return Gpu(gpu_type.replace("_", " "), 24, 1.0)
    return Gpu(match["model"].replace("_", " "), int(match["vram"] or 24), 1.0)
