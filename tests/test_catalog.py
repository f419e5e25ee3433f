"""GPU types and images: shipped, learned, and short names."""

import pytest

from yotta_jupyter import InvalidRequest
from yotta_jupyter.catalog import Catalog

ALIKE = "yottalabsai/pytorch:2.9.0-py3.11-cuda12.8.1-cudnn-devel-ubuntu22.04"


@pytest.mark.parametrize(
    ("typed", "meant"),
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
def test_a_short_name_that_fits_one_gpu(typed, meant):
    assert Catalog().gpu(typed).name == meant
    assert Catalog().gpu(typed).note is None


@pytest.mark.parametrize(
    ("typed", "among"), [("4090", "NVIDIA_RTX_4090_24G"), ("H100", "NVIDIA_H100_80G"), ("nvidia", "L4")]
)
def test_a_short_name_that_fits_several_gpus_names_them(typed, among):
    with pytest.raises(InvalidRequest) as caught:
        Catalog().gpu(typed)
    assert among in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("typed", "near"), [("NVIDIA_L5_24G", "NVIDIA_L4_24G"), ("my own gpu", "as typed"), ("", "as typed")]
)
def test_an_unknown_gpu_is_taken_as_typed(typed, near):
    resolved = Catalog().gpu(typed)
    assert resolved.name == typed
    assert near in resolved.note


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("pytorch", ALIKE),
        ("yottalabsai/pytorch", ALIKE),
        ("pytorch:2.9.0", ALIKE),
        (ALIKE, ALIKE),
        ("other/pytorch:1", "other/pytorch:1"),
        ("ubuntu:22.04", "ubuntu:22.04"),
        ("pytorch:9.9", "pytorch:9.9"),
    ],
)
def test_an_image_by_its_short_or_whole_name(typed, meant):
    assert Catalog().image(typed).name == meant


def test_a_tag_that_begins_several_names_them():
    with pytest.raises(InvalidRequest, match=r"pytorch:2\.8\.0.* or "):
        Catalog().image("pytorch:2.8")


def test_a_mistyped_image_gets_the_nearest():
    resolved = Catalog().image("pytroch")
    assert resolved.name == "pytroch"
    assert "pytorch" in resolved.note


def test_a_listing_teaches_types_prices_regions_and_images(client_of, record):
    new = record(gpuType="NVIDIA_X9_1G", gpuDisplayName="X9", singleCardPrice=1.5, region="mars-1", image="me/mine:1")
    yotta = client_of(records=[new])
    assert yotta.catalog.price("NVIDIA_X9_1G") is None
    yotta.pods.frame()
    assert yotta.catalog.gpu("x9").name == "NVIDIA_X9_1G"
    assert yotta.catalog.price("NVIDIA_X9_1G") == 1.5
    assert yotta.catalog.regions == ["mars-1"]
    assert yotta.catalog.images[-1] == "me/mine:1"


def test_list_and_frame_teach_the_same(client_of):
    yotta, other = client_of(pods=50), client_of(pods=50)
    yotta.pods.list()
    other.pods.frame()
    assert (yotta.catalog.gpus, yotta.catalog.images) == (other.catalog.gpus, other.catalog.images)


def test_a_learned_type_keeps_what_was_shipped(yotta):
    before = next(gpu for gpu in Catalog().gpus if gpu.id == "NVIDIA_L4_24G")
    yotta.pods.list()
    after = next(gpu for gpu in yotta.catalog.gpus if gpu.id == "NVIDIA_L4_24G")
    assert (after.display_name, after.vram_in_gb) == (before.display_name, before.vram_in_gb)
    assert after.learned
    assert after.regions == ("us-west-1",)


def test_a_type_that_is_not_shipped_is_learned_whole_from_a_frame(client_of, record):
    yotta = client_of(records=[record(gpuType="NEW_X9_96G", gpuDisplayName="X9", singleCardVramInGb=96)])
    yotta.pods.frame()
    learned = yotta.catalog.gpus_frame().loc["NEW_X9_96G"]
    assert (learned["display_name"], learned["vram_in_gb"]) == ("X9", 96)


def test_catalogs_do_not_share_what_they_learn(yotta):
    yotta.pods.list()
    assert not any(gpu.learned for gpu in Catalog().gpus)


def test_frames(yotta):
    yotta.pods.list()
    gpus, images = yotta.catalog.gpus_frame(), yotta.catalog.images_frame()
    assert list(gpus.columns) == ["display_name", "vram_in_gb", "single_card_price", "regions", "source"]
    assert gpus.loc["NVIDIA_L4_24G", "source"] == "listing"
    assert gpus.loc["NVIDIA_B200_180G", "source"] == "shipped"
    assert gpus.loc["NVIDIA_L4_24G", "single_card_price"] > 0
    assert images.loc[ALIKE, "short_name"] == "pytorch"
    short = images["short_name"].dropna()
    assert short.is_unique
    assert all(yotta.catalog.image(name).name == image for image, name in short.items())


def test_odd_records_teach_without_an_error(client_of, record):
    yotta = client_of(records=[{"id": "1"}, record(id="2", singleCardPrice=None), record(id="3")])
    yotta.pods.list()
    assert yotta.catalog.price("NVIDIA_L4_24G") == 0.6
