"""Launch defaults: the Jupyter password, flags of `%yotta create`, lookup by name and estimates."""

import re

import pytest

from yotta_jupyter import Pod, PodSpec
from yotta_jupyter.catalog import Catalog
from yotta_jupyter.launch import (
    CREATE_FLAGS,
    DEFAULT_EXPOSE,
    GPU_COUNTS,
    JUPYTER_PASSWORD_ENV,
    JUPYTER_PORT,
    estimate_rate,
    find_by_name,
    needs_jupyter_password,
    with_jupyter_password,
)
from yotta_jupyter.models import STATUSES
from yotta_jupyter.spec import parse_gpu_count, parse_port

REQUIRED = {"image": "made/up:1", "gpu_type": "NVIDIA_L4_24G"}


@pytest.mark.parametrize("expose", [DEFAULT_EXPOSE, [JUPYTER_PORT], ["8888/TCP"]])
def test_exposed_jupyter_gets_a_random_password(expose):
    spec = PodSpec(**REQUIRED, expose=expose, environment_vars={"A": "1"})
    assert needs_jupyter_password(spec)
    passwords = {with_jupyter_password(spec).environment_vars[JUPYTER_PASSWORD_ENV].reveal() for _ in range(100)}
    assert len(passwords) == 100
    assert all(re.fullmatch(r"[0-9a-f]{32,}", password) for password in passwords)  # At least 128 bits.
    changed = with_jupyter_password(spec)
    assert not needs_jupyter_password(changed)
    assert changed.environment_vars["A"].reveal() == "1"
    assert (changed.image, changed.expose) == (spec.image, spec.expose)
    assert JUPYTER_PASSWORD_ENV not in spec.environment_vars
    assert changed.environment_vars[JUPYTER_PASSWORD_ENV].reveal() not in repr(changed)


@pytest.mark.parametrize(
    "options",
    [
        {"expose": []},
        {"expose": [22]},
        {"expose": [8889]},
        {"expose": DEFAULT_EXPOSE, "environment_vars": {JUPYTER_PASSWORD_ENV: "made-up-password"}},
        {"expose": [22], "environment_vars": {JUPYTER_PASSWORD_ENV: "made-up-password"}},
    ],
)
def test_password_is_added_only_if_needed(options):
    spec = PodSpec(**REQUIRED, **options)
    assert not needs_jupyter_password(spec)
    assert with_jupyter_password(spec) is spec


def test_flags_are_for_fields_of_a_spec():
    assert set(CREATE_FLAGS) <= set(PodSpec.__struct_fields__)
    assert len(set(CREATE_FLAGS.values())) == len(CREATE_FLAGS)
    assert all(re.fullmatch(r"--[a-z-]+", flag) for flag in CREATE_FLAGS.values())


def test_defaults_are_valid():
    assert [parse_port(port).port for port in DEFAULT_EXPOSE] == [22, JUPYTER_PORT]
    assert [parse_gpu_count(count) for count in GPU_COUNTS] == list(GPU_COUNTS)


@pytest.mark.parametrize("status", STATUSES)
def test_find_by_name_ignores_pods_that_ended(status):
    pods = [Pod(id="1", pod_name="train", status="TERMINATED"), Pod(id="2", pod_name="train", status=status)]
    pod = find_by_name(pods, "train")
    assert (pod is None) is (status in ("TERMINATED", "FAILED"))
    assert pod is None or pod.id == "2"


@pytest.mark.parametrize("name", [None, "", "other", "Train"])
def test_find_by_name_without_a_match(name):
    assert find_by_name([Pod(id="1", pod_name="train", status="RUNNING"), Pod(id="2", status="RUNNING")], name) is None


def test_estimate_is_the_price_of_a_listed_pod():
    catalog = Catalog()
    spec = PodSpec(**REQUIRED, gpu_count=4)
    assert estimate_rate(spec, catalog) is None
    catalog.update([Pod(id="1", gpu_type="NVIDIA_L4_24G", single_card_price=0.6)])
    assert estimate_rate(spec, catalog) == pytest.approx(2.4)
