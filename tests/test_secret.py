"""A secret is shown nowhere."""

import copy
import json
import logging
import pickle

import pandas as pd
import pytest

from yotta_jupyter import Secret
from yotta_jupyter.api.secret import MASK, names_a_secret

VALUE = "made-up-value-4f2a"
SHOWN = {
    "repr": repr,
    "str": str,
    "f-string": lambda secret: f"{secret}",
    "f-string with a conversion": lambda secret: f"{secret!r} {secret!s} {secret!a}",
    "f-string with a width": lambda secret: f"{secret:>40}",
    "format": lambda secret: "{}".format(secret),  # noqa: UP032
    "percent": lambda secret: "%s %r" % (secret, secret),  # noqa: UP031
    "join": lambda secret: " ".join([secret]),
    "sum": lambda secret: "key=" + secret,
    "json": json.dumps,
    "json in a dict": lambda secret: json.dumps({"key": [secret]}),
    "pickle": lambda secret: repr(pickle.dumps(secret)),
    "pickle, protocol 0": lambda secret: repr(pickle.dumps({"key": secret}, 0)),
    "encoded": lambda secret: repr(secret.encode()),
    "list": lambda secret: repr([secret]),
    "csv": lambda secret: pd.Series([secret]).to_csv(),
    "frame": lambda secret: pd.DataFrame({"key": [secret]}).to_html(),
    "pandas string": lambda secret: pd.Series([secret], dtype="string").to_json(),
    "slices": lambda secret: secret[:] + secret.upper() + secret.strip(),
}


@pytest.mark.parametrize("show", SHOWN.values(), ids=SHOWN)
def test_a_secret_is_masked(show):
    shown = show(Secret(VALUE))
    assert VALUE not in shown
    assert VALUE.upper() not in shown


def test_a_secret_is_masked_in_a_log(caplog):
    with caplog.at_level(logging.INFO):
        logging.getLogger("test").info("key %s %r", Secret(VALUE), Secret(VALUE))
    assert VALUE not in caplog.text
    assert MASK in caplog.text


def test_a_secret_is_revealed_on_purpose():
    assert Secret(VALUE).reveal() == VALUE
    assert type(Secret(VALUE).reveal()) is str
    assert Secret(Secret(VALUE)).reveal() == VALUE


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy])
def test_a_copy_in_memory_keeps_the_value(copied):
    assert copied(Secret(VALUE)).reveal() == VALUE
    assert copied({"key": Secret(VALUE)})["key"].reveal() == VALUE


def test_a_pickled_secret_comes_back_as_the_mask():
    back = pickle.loads(pickle.dumps(Secret(VALUE)))
    assert isinstance(back, Secret)
    assert back.reveal() == MASK


def test_secrets_are_compared_by_value_and_not_with_text():
    assert Secret(VALUE) == Secret(VALUE)
    assert Secret(VALUE) != Secret("another")
    assert Secret(VALUE) != VALUE
    assert len({Secret(VALUE), Secret(VALUE), Secret("another")}) == 2


def test_an_empty_secret_is_false():
    assert not Secret("")
    assert Secret("x")


@pytest.mark.parametrize(("value", "shown"), [(VALUE, f"{MASK}4f2a"), ("short", MASK), ("", MASK)])
def test_the_last_four_of_a_long_secret(value, shown):
    assert Secret(value).last_four() == shown


def test_a_secret_cannot_be_changed():
    with pytest.raises(AttributeError):
        Secret(VALUE).value = "x"


def test_a_client_does_not_show_its_key(yotta, sandbox):
    assert sandbox.api_key not in repr(yotta)
    assert sandbox.api_key not in repr(vars(yotta))


def test_a_pod_does_not_show_its_values(client_of, record):
    (pod,) = client_of(records=[record()]).pods.list()
    value = record()["environmentVars"][0]["value"]
    assert value not in repr(pod) + repr(pod.environment_vars)
    assert pod.environment["JUPYTER_PASSWORD"].reveal() == value


@pytest.mark.parametrize(
    ("name", "secret"),
    [
        ("HF_TOKEN", True),
        ("jupyterPassword", True),
        ("api_key", True),
        ("apiKey", True),
        ("AWS_SECRET_ACCESS_KEY", True),
        ("APIKEY", True),
        ("registry-auth", True),
        ("KEYBOARD", False),
        ("tokenizer", False),
        ("AUTHOR", False),
        ("MONKEY", False),
        ("PATH", False),
        ("", False),
    ],
)
def test_names_of_secrets(name, secret):
    assert names_a_secret(name) is secret
