"""GPU types, images and regions: bundled, from listings, and by short names."""

import pytest

from yotta_jupyter import InvalidRequest
from yotta_jupyter.catalog import Catalog, Match

NEWEST_PYTORCH = "yottalabsai/pytorch:2.9.0-py3.11-cuda12.8.1-cudnn-devel-ubuntu22.04"


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("NVIDIA_L4_24G", "NVIDIA_L4_24G"),
        ("nvidia_l4_24g", "NVIDIA_L4_24G"),
        ("L4", "NVIDIA_L4_24G"),
        ("l4", "NVIDIA_L4_24G"),
        ("H200", "NVIDIA_H200_141G"),
        ("MI300X", "AMD_MI300X_192G"),
        ("geforce 4090", "NVIDIA_GeForce_RTX_4090_24G"),
        ("6000 ada", "NVIDIA_RTX_6000_Ada_48G"),
    ],
)
def test_short_name_of_one_gpu(query, name):
    assert Catalog().gpu(query).name == name
    assert Catalog().gpu(query).warning is None


@pytest.mark.parametrize(
    ("query", "candidate"), [("4090", "NVIDIA_RTX_4090_24G"), ("H100", "NVIDIA_H100_80G"), ("nvidia", "L4")]
)
def test_ambiguous_short_name_lists_the_gpus(query, candidate):
    with pytest.raises(InvalidRequest) as error:
        Catalog().gpu(query)
    assert error.value.field == "gpu_type"
    assert candidate in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("query", "warning"),
    [("NVIDIA_L5_24G", "NVIDIA_L4_24G"), ("my own gpu", "sent unchanged"), ("", "sent unchanged")],
)
def test_unknown_gpu_is_unchanged_with_a_warning(query, warning):
    match = Catalog().gpu(query)
    assert match.name == query
    assert warning in match.warning


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("pytorch", NEWEST_PYTORCH),
        ("yottalabsai/pytorch", NEWEST_PYTORCH),
        ("pytorch:2.9.0", NEWEST_PYTORCH),
        (NEWEST_PYTORCH, NEWEST_PYTORCH),
        ("other/pytorch:1", "other/pytorch:1"),
        ("ubuntu:22.04", "ubuntu:22.04"),
        ("pytorch:9.9", "pytorch:9.9"),
    ],
)
def test_image_by_short_or_full_name(query, name):
    assert Catalog().image(query).name == name


def test_ambiguous_tag_lists_the_images():
    with pytest.raises(InvalidRequest, match=r"pytorch:2\.8\.0.* or "):
        Catalog().image("pytorch:2.8")


def test_mistyped_image_gets_a_suggestion():
    match = Catalog().image("pytroch")
    assert match.name == "pytroch"
    assert "pytorch" in match.warning


def test_listing_adds_types_prices_regions_and_images(make_client, record):
    new = record(gpuType="NVIDIA_X9_1G", gpuDisplayName="X9", singleCardPrice=1.5, region="mars-1", image="me/mine:1")
    yotta = make_client(records=[new])
    assert yotta.catalog.price("NVIDIA_X9_1G") is None
    yotta.pods.frame()
    assert yotta.catalog.gpu("x9").name == "NVIDIA_X9_1G"
    assert yotta.catalog.price("NVIDIA_X9_1G") == 1.5
    assert yotta.catalog.regions == ["mars-1"]
    assert yotta.catalog.images[-1] == "me/mine:1"


def test_list_and_frame_add_the_same(make_client):
    yotta, other = make_client(pods=50), make_client(pods=50)
    yotta.pods.list()
    other.pods.frame()
    assert (yotta.catalog.gpus, yotta.catalog.images) == (other.catalog.gpus, other.catalog.images)


def test_listing_keeps_bundled_values(yotta):
    before = next(gpu for gpu in Catalog().gpus if gpu.id == "NVIDIA_L4_24G")
    yotta.pods.list()
    after = next(gpu for gpu in yotta.catalog.gpus if gpu.id == "NVIDIA_L4_24G")
    assert (after.display_name, after.vram_in_gb) == (before.display_name, before.vram_in_gb)
    assert after.from_listing
    assert after.regions == ("us-west-1",)


def test_frame_adds_all_fields_of_an_unknown_type(make_client, record):
    yotta = make_client(records=[record(gpuType="NEW_X9_96G", gpuDisplayName="X9", singleCardVramInGb=96)])
    yotta.pods.frame()
    row = yotta.catalog.gpus_frame().loc["NEW_X9_96G"]
    assert (row["display_name"], row["vram_in_gb"]) == ("X9", 96)


def test_catalogs_are_independent(yotta):
    yotta.pods.list()
    assert not any(gpu.from_listing for gpu in Catalog().gpus)


def test_frames(yotta):
    yotta.pods.list()
    gpus, images = yotta.catalog.gpus_frame(), yotta.catalog.images_frame()
    assert list(gpus.columns) == ["display_name", "vram_in_gb", "single_card_price", "regions", "source"]
    assert gpus.loc["NVIDIA_L4_24G", "source"] == "listing"
    assert gpus.loc["NVIDIA_B200_180G", "source"] == "bundled"
    assert gpus.loc["NVIDIA_L4_24G", "single_card_price"] > 0
    assert images.loc[NEWEST_PYTORCH, "short_name"] == "pytorch"
    short = images["short_name"].dropna()
    assert short.is_unique
    assert all(yotta.catalog.image(name).name == image for image, name in short.items())


def test_malformed_pods_are_added_without_an_error(make_client, record):
    yotta = make_client(records=[{"id": "1"}, record(id="2", singleCardPrice=None), record(id="3")])
    yotta.pods.list()
    assert yotta.catalog.price("NVIDIA_L4_24G") == 0.6


def test_region_outside_of_listings_gets_a_warning(yotta):
    assert Catalog().region("us-wset-1").warning is None
    yotta.pods.list()
    assert yotta.catalog.region("us-west-1") == Match("us-west-1")
    match = yotta.catalog.region("us-wset-1")
    assert match.name == "us-wset-1"
    assert "us-west-1" in match.warning


def test_short_names_resolve_to_one_gpu():
    catalog = Catalog()
    assert "L4" in catalog.short_gpu_names
    assert "RTX 4090" not in catalog.short_gpu_names
    assert all(catalog.gpu(name).warning is None for name in catalog.short_gpu_names)


def test_short_name_of_an_image():
    assert Catalog().short_name(NEWEST_PYTORCH) == "pytorch"
    assert Catalog().short_name("other/pytorch:1") is None
