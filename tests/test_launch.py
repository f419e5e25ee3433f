"""Launch defaults: the Jupyter password, the public key, flags of `%yotta create` and estimates."""

import re

import pytest

from yotta_jupyter import InvalidRequest, Pod, PodSpec
from yotta_jupyter.catalog import Catalog
from yotta_jupyter.create_command import CREATE_FLAGS
from yotta_jupyter.estimate import estimate
from yotta_jupyter.keys import PUBLIC_KEY_ENV
from yotta_jupyter.launch import DEFAULT_EXPOSE, GPU_COUNTS, JUPYTER_PORT, complete_spec
from yotta_jupyter.passwords import JUPYTER_PASSWORD_ENV
from yotta_jupyter.spec import parse_gpu_count, parse_port

REQUIRED = {"image": "made/up:1", "gpu_type": "NVIDIA_L4_24G"}


def load_public_key():
    return "ssh-ed25519 AAAA made-up"


def complete(**options):
    return complete_spec(PodSpec(**REQUIRED, **options), load_public_key)


@pytest.mark.parametrize("expose", [DEFAULT_EXPOSE, [JUPYTER_PORT], ["8888/TCP"]])
def test_exposed_jupyter_gets_a_random_password(expose):
    specs = [complete(expose=expose, environment_vars={"A": "1"}) for _ in range(100)]
    passwords = {spec.environment_vars[JUPYTER_PASSWORD_ENV].reveal() for spec in specs}
    assert len(passwords) == 100
    assert all(re.fullmatch(r"[0-9a-f]{32,}", password) for password in passwords)  # At least 128 bits.
    assert specs[0].environment_vars["A"].reveal() == "1"
    assert specs[0].environment_vars[JUPYTER_PASSWORD_ENV].reveal() not in repr(specs[0])


@pytest.mark.parametrize("expose", [[], [22], [8889]])
def test_no_password_is_added_without_jupyter(expose):
    assert JUPYTER_PASSWORD_ENV not in complete(expose=expose).environment_vars


def test_a_strong_password_is_kept():
    variables = {JUPYTER_PASSWORD_ENV: "made-up-password"}
    spec = complete(expose=DEFAULT_EXPOSE, environment_vars=variables)
    assert spec.environment_vars[JUPYTER_PASSWORD_ENV].reveal() == "made-up-password"


@pytest.mark.parametrize("password", ["", "short-1", " " * 16, "ubuntu", "Ubuntu", "your_password", "abababababababab"])
def test_a_weak_password_is_refused_if_jupyter_is_exposed(password):
    variables = {JUPYTER_PASSWORD_ENV: password}
    with pytest.raises(InvalidRequest, match="Leave it out to get a random one") as error:
        complete(expose=[8888], environment_vars=variables)
    assert error.value.field == "environment_vars"
    assert complete(expose=[22], environment_vars=variables).environment_vars[JUPYTER_PASSWORD_ENV] is not None


def test_exposed_ssh_gets_the_public_key_unless_the_spec_has_one():
    assert complete(expose=[22]).environment_vars[PUBLIC_KEY_ENV].reveal() == load_public_key()
    assert PUBLIC_KEY_ENV not in complete(expose=[8888]).environment_vars
    own = complete(expose=[22], environment_vars={PUBLIC_KEY_ENV: "ssh-rsa BBBB mine"})
    assert own.environment_vars[PUBLIC_KEY_ENV].reveal() == "ssh-rsa BBBB mine"


def test_flags_are_for_fields_of_a_spec():
    assert set(CREATE_FLAGS) <= set(PodSpec.__struct_fields__)
    assert len(set(CREATE_FLAGS.values())) == len(CREATE_FLAGS)
    assert all(re.fullmatch(r"--[a-z-]+", flag) for flag in CREATE_FLAGS.values())


def test_defaults_are_valid():
    assert [parse_port(port).port for port in DEFAULT_EXPOSE] == [22, JUPYTER_PORT]
    assert [parse_gpu_count(count) for count in GPU_COUNTS] == list(GPU_COUNTS)


def test_estimate_is_the_price_of_a_listed_pod():
    catalog = Catalog()
    spec = PodSpec(**REQUIRED, gpu_count=4)
    assert estimate(spec, catalog).rate is None
    catalog.update([Pod(id="1", status="RUNNING", gpu_type="NVIDIA_L4_24G", single_card_price=0.6)])
    assert estimate(spec, catalog).rate == pytest.approx(2.4)
