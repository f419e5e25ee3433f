"""GPU types, images and regions: bundled, updated from listings, found by short names.

``record()`` is the example pod of the API documentation, as JSON.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from yotta_jupyter import Client, InvalidRequest, Pod
from yotta_jupyter.catalog import Catalog
from yotta_jupyter.errors import UnknownName

PYTORCH = "yottalabsai/pytorch:2.9.0-py3.11-cuda12.8.1-cudnn-devel-ubuntu22.04"
L4 = "NVIDIA_L4_24G"
H100 = "NVIDIA_H100_80GB_HBM3_80G"
RTX_4090 = "NVIDIA_GeForce_RTX_4090_24G"
RTX_5090 = "NVIDIA_GeForce_RTX_5090_32G"
A100 = "NVIDIA_A100_80G"
A100_40 = "NVIDIA_A100_40G"
A100_PCIE = "NVIDIA_A100_PCIe_80G"
A6000 = "NVIDIA_RTX_A6000_48G"
ADA = "NVIDIA_RTX_6000_Ada_48G"
PRO = "NVIDIA_RTX_PRO_6000_96G"
H100_PCIE = "NVIDIA_H100_PCIe_80G"

SPELLINGS = {
    L4: ("L4", "l4", "nvidia l4", "NVIDIA L4", "L4 24GB", "l4-24g", "nvidia_l4_24g", "NVIDIA_L4_24G"),
    H100: ("H100", "h100", "H100 80GB", "h100-80gb", "H100 80G", "NVIDIA H100", "H100 SXM", "H100 SXM5", "H100 HBM3"),
    H100_PCIE: ("H100 PCIe", "h100-pcie", "H100 PCIE 80GB"),
    RTX_4090: ("4090", "RTX 4090", "rtx4090", "RTX4090", "rtx-4090", "GeForce RTX 4090", "geforce 4090", "4090 24GB"),
    RTX_5090: ("5090", "RTX 5090", "rtx_5090", "RTX5090", "NVIDIA GeForce RTX 5090", "5090 32GB"),
    A100: ("A100", "a100", "A100 80GB", "a100-80g", "NVIDIA A100", "A100 SXM4 80GB", "A100-SXM4-80GB"),
    A100_40: ("A100 40GB", "a100-40g", "A100 SXM4 40GB"),
    A100_PCIE: ("A100 PCIe", "A100 PCIe 80GB"),
    "NVIDIA_A100_PCIe_40G": ("A100 PCIe 40GB", "A100-PCIE-40GB"),
    A6000: ("A6000", "RTX A6000", "rtx-a6000"),
    ADA: ("6000 Ada", "RTX 6000 Ada", "RTX 6000"),
    PRO: ("PRO 6000", "RTX PRO 6000", "RTX 6000 Pro"),
    "NVIDIA_H200_141G": ("H200", "h200", "H200 141GB", "H200 SXM"),
    "NVIDIA_B200_180G": ("B200", "b200 180GB"),
    "NVIDIA_B300_262G": ("B300", "b300"),
    "AMD_MI300X_192G": ("MI300X", "mi300x", "AMD MI300X", "MI300"),
    "AWS_Trainium_32G": ("Trainium", "trainium1", "trn1"),
}


@pytest.mark.parametrize(
    ("query", "gpu_type"), [(query, gpu_type) for gpu_type, queries in SPELLINGS.items() for query in queries]
)
def test_a_gpu_type_by_the_names_people_use(query: str, gpu_type: str) -> None:
    assert Catalog().find_gpu(query).name == gpu_type


@pytest.mark.parametrize(
    ("query", "others"),
    [
        ("H100", ["NVIDIA_H100_80G", "NVIDIA_H100_PCIe_80G"]),
        ("4090", ["NVIDIA_RTX_4090_24G"]),
        ("A100", [A100_PCIE, A100_40, "NVIDIA_A100_PCIe_40G"]),
        ("L4", []),
    ],
)
def test_a_note_names_the_other_matching_types(query: str, others: list[str]) -> None:
    note = Catalog().find_gpu(query).note or ""
    assert all(other in note for other in others)
    assert bool(note) == bool(others)


@pytest.mark.parametrize("query", ["nvidia", "RTX", "GeForce", "80GB", "24 GB"])
def test_a_vendor_or_a_size_is_no_gpu_type(query: str) -> None:
    with pytest.raises(InvalidRequest, match="write one of them"):
        Catalog().find_gpu(query)


@pytest.mark.parametrize("query", ["T4", "H10", "40900", "L40S", "V100", "3090", "my own gpu", "", "L4 80GB"])
def test_an_unknown_gpu_type_is_refused_unless_as_typed(query: str) -> None:
    with pytest.raises(UnknownName, match=r"(Closest|Known): ") as caught:
        Catalog().find_gpu(query)
    assert caught.value.field == "gpu_type"
    assert "\n" not in str(caught.value)
    match = Catalog().find_gpu(query, as_typed=True)
    assert match.name == query
    assert "unchanged" in (match.note or "")


def test_an_id_in_the_form_of_the_api_is_accepted_with_the_closest_one() -> None:
    match = Catalog().find_gpu("NVIDIA_L5_24G")
    assert match.name == "NVIDIA_L5_24G"
    assert "Closest: NVIDIA_L4_24G" in (match.note or "")


def test_as_typed_still_resolves_what_is_known() -> None:
    assert Catalog().find_gpu("L4", as_typed=True).name == L4
    assert Catalog().find_image("pytorch", as_typed=True).name == PYTORCH


def test_short_gpu_names_resolve() -> None:
    catalog = Catalog()
    assert {"L4", "H100", "A100", "4090", "5090", "H200", "MI300X"} <= set(catalog.short_gpu_names)
    assert "80GB" not in catalog.short_gpu_names
    assert "HBM3" not in catalog.short_gpu_names
    assert all(catalog.find_gpu(name).name for name in catalog.short_gpu_names)


@pytest.mark.parametrize(
    ("query", "image"),
    [
        ("pytorch", PYTORCH),
        ("yottalabsai/pytorch", PYTORCH),
        ("pytorch:2.9.0", PYTORCH),
        ("yottalabsai/pytorch:2.9.0", PYTORCH),
        (PYTORCH, PYTORCH),
        ("other/pytorch:1", "other/pytorch:1"),
        ("ghcr.io/me/own", "ghcr.io/me/own"),
        ("localhost:5000/own", "localhost:5000/own"),
        ("ubuntu:22.04", "ubuntu:22.04"),
        ("yottalabsai/pytorch:3.0.0-py3.13", "yottalabsai/pytorch:3.0.0-py3.13"),
        ("yottalabsai/vllm:1.0", "yottalabsai/vllm:1.0"),
    ],
)
def test_an_image_by_its_short_or_full_name(query: str, image: str) -> None:
    assert Catalog().find_image(query).name == image


@pytest.mark.parametrize(
    ("query", "closest"),
    [
        ("pytroch", "pytorch"),
        ("pytorch:9.9", "pytorch:2.9.0"),
        ("yottalabsai/pytroch", "pytorch"),
        ("yottalabsai/pytroch:2.9.0", "pytorch"),
        ("nonsense", "pytorch"),
        ("", "pytorch"),
    ],
)
def test_an_unknown_image_is_refused_unless_as_typed(query: str, closest: str) -> None:
    with pytest.raises(UnknownName, match=closest) as caught:
        Catalog().find_image(query)
    assert caught.value.field == "image"
    assert Catalog().find_image(query, as_typed=True).name == query


def test_an_ambiguous_tag_names_the_images() -> None:
    with pytest.raises(InvalidRequest, match=r"pytorch:2\.8\.0.* or "):
        Catalog().find_image("pytorch:2.8")


@pytest.mark.parametrize("query", ["us-east-2", "US-EAST-2", "eu-north-1", "gke-dev-us-west-1"])
def test_a_known_region_or_one_in_the_form_of_the_api_is_accepted(query: str) -> None:
    assert Catalog().find_region(query).name == query.lower()


@pytest.mark.parametrize("query", ["us-wst-1", "uswest1", "us-esat-2", "mars", "", "us west 1"])
def test_an_unknown_region_is_refused_unless_as_typed(query: str) -> None:
    with pytest.raises(UnknownName, match=r"(Closest|Known): "):
        Catalog().find_region(query)
    assert Catalog().find_region(query, as_typed=True).name == query


def test_a_listing_adds_types_prices_regions_and_images(
    make_client: Callable[..., Client], record: Callable[..., Any]
) -> None:
    new = record(
        status="RUNNING",
        gpuType="NVIDIA_X9_1G",
        gpuDisplayName="X9",
        singleCardPrice=1.5,
        region="mars-1",
        image="me/x:1",
    )
    yotta = make_client(records=[new])
    assert yotta.catalog.prices("NVIDIA_X9_1G").single_card is None
    yotta.pods.frame()
    assert yotta.catalog.find_gpu("x9").name == "NVIDIA_X9_1G"
    assert yotta.catalog.prices("NVIDIA_X9_1G").single_card == 1.5
    assert yotta.catalog.regions == ["mars-1"]
    assert yotta.catalog.images[-1] == "me/x:1"


@pytest.mark.parametrize("status", ["INITIALIZE", "FAILED", "TERMINATED", "TERMINATING", "HIBERNATING"])
def test_a_pod_that_may_never_have_run_adds_nothing(
    make_client: Callable[..., Client], record: Callable[..., Any], status: str
) -> None:
    yotta = make_client(records=[record(status=status, gpuType="T4", image="pytroch", region="us-wst-1")])
    yotta.pods.list()
    assert (yotta.catalog.gpus, yotta.catalog.images) == (Catalog().gpus, Catalog().images)
    assert yotta.catalog.regions == Catalog().regions


def test_the_price_prefers_the_region(make_client: Callable[..., Client], record: Callable[..., Any]) -> None:
    pods = [
        record(id="1", status="RUNNING", region="us-east-2", singleCardPrice=0.57),
        record(id="2", status="RUNNING", region="us-west-1", singleCardPrice=0.6),
    ]
    yotta = make_client(records=pods)
    yotta.pods.list()
    assert yotta.catalog.prices(L4, "us-east-2").single_card == 0.57
    assert yotta.catalog.prices(L4, "us-west-1").single_card == 0.6
    assert yotta.catalog.prices(L4, "eu-north-1").single_card in (0.57, 0.6)
    assert yotta.catalog.prices(L4, "us-east-2").region == "us-east-2"


def test_the_price_is_that_of_the_newest_pod(make_client: Callable[..., Client], record: Callable[..., Any]) -> None:
    pods = [
        record(id=str(day), status="RUNNING", singleCardPrice=price, createdAt=f"2026-07-0{day}T00:00:00Z")
        for day, price in ((1, 0.5), (3, 0.7), (2, 0.6))
    ]
    yotta = make_client(records=pods)
    yotta.pods.list()
    assert yotta.catalog.prices(L4).single_card == 0.7
    assert yotta.catalog.gpus_frame().loc[L4, "single_card_price"] == 0.7


def test_a_newer_pod_without_a_price_does_not_hide_the_price_of_an_older_one() -> None:
    catalog = Catalog()
    days = (datetime(2026, 7, day, tzinfo=UTC) for day in (1, 2))
    catalog.update(
        Pod(id=str(day), status="RUNNING", gpu_type=L4, region="us-east-2", single_card_price=price, created_at=day)
        for day, price in zip(days, (0.6, None), strict=True)
    )
    assert catalog.prices(L4, "us-east-2").single_card == 0.6


def test_without_dates_the_price_is_that_of_the_first_pod_of_a_listing() -> None:
    catalog = Catalog()
    prices = (0.7, 0.6, 0.5, 0.7)
    catalog.update(
        Pod(id=str(index), status="RUNNING", gpu_type=L4, single_card_price=price) for index, price in enumerate(prices)
    )
    assert catalog.prices(L4).single_card == 0.7


def test_list_and_frame_update_the_catalog_alike(make_client: Callable[..., Client]) -> None:
    yotta, other = make_client(pods=50), make_client(pods=50)
    yotta.pods.list()
    other.pods.frame()
    assert (yotta.catalog.gpus, yotta.catalog.images) == (other.catalog.gpus, other.catalog.images)


def test_a_listed_type_keeps_its_bundled_fields(yotta: Client) -> None:
    before = next(gpu for gpu in Catalog().gpus if gpu.id == H100)
    yotta.pods.list()
    after = next(gpu for gpu in yotta.catalog.gpus if gpu.id == H100)
    assert after.display_name == before.display_name
    assert after.vram_in_gb == before.vram_in_gb
    assert after.aliases == before.aliases
    assert after.from_listing


def test_a_type_that_is_not_bundled_takes_all_fields_from_a_listing(
    make_client: Callable[..., Client], record: Callable[..., Any]
) -> None:
    yotta = make_client(
        records=[record(status="RUNNING", gpuType="NEW_X9_96G", gpuDisplayName="X9", singleCardVramInGb=96)]
    )
    yotta.pods.frame()
    row = yotta.catalog.gpus_frame().loc["NEW_X9_96G"]
    assert (row["display_name"], row["vram_in_gb"]) == ("X9", 96)


@pytest.mark.parametrize(
    ("image", "name"), [(PYTORCH, "pytorch"), ("yottalabsai/new:1", None), ("me/own:1", None), ("pytorch", None)]
)
def test_only_the_newest_known_official_image_has_a_short_name(image: str, name: str | None) -> None:
    assert Catalog().short_name(image) == name


def test_catalogs_do_not_share_listings(yotta: Client) -> None:
    yotta.pods.list()
    assert not any(gpu.from_listing for gpu in Catalog().gpus)


def test_frames(yotta: Client) -> None:
    yotta.pods.list()
    gpus, images = yotta.catalog.gpus_frame(), yotta.catalog.images_frame()
    assert list(gpus.columns) == ["display_name", "vram_in_gb", "single_card_price", "regions", "source"]
    assert gpus.loc[L4, "source"] == "listing"
    assert gpus.loc["NVIDIA_B200_180G", "source"] == "bundled"
    assert gpus.loc[L4, "single_card_price"] > 0
    assert images.loc[PYTORCH, "short_name"] == "pytorch"
    short_names = images["short_name"].dropna()
    assert short_names.is_unique
    assert all(yotta.catalog.find_image(name).name == image for image, name in short_names.items())


def test_incomplete_records_are_accepted(make_client: Callable[..., Client], record: Callable[..., Any]) -> None:
    yotta = make_client(
        records=[{"id": "1"}, record(id="2", status="RUNNING", singleCardPrice=None), record(id="3", status="RUNNING")]
    )
    yotta.pods.list()
    assert yotta.catalog.prices(L4).single_card == 0.6


def test_a_listed_name_in_another_form_does_not_hide_a_short_name(
    make_client: Callable[..., Client], record: Callable[..., Any]
) -> None:
    yotta = make_client(records=[record(status="RUNNING", gpuType="h100", image="pytorch")])
    yotta.pods.list()
    assert yotta.catalog.find_gpu("h100").name == H100
    assert yotta.catalog.find_image("pytorch").name == PYTORCH
