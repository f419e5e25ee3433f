"""`Secret` never shows its value; redaction of secrets in other text."""

import copy
import json
import logging
import pickle

import pandas as pd
import pytest

from yotta_jupyter import Secret
from yotta_jupyter.secret import MASK, MIN_REDACT_LENGTH, is_sensitive_name, redact

VALUE = "made-up-value-4f2a"
CONVERSIONS = {
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


@pytest.mark.parametrize("convert", CONVERSIONS.values(), ids=CONVERSIONS)
def test_secret_is_masked(convert):
    text = convert(Secret(VALUE))
    assert VALUE not in text
    assert VALUE.upper() not in text


def test_secret_is_masked_in_a_log(caplog):
    with caplog.at_level(logging.INFO):
        logging.getLogger("test").info("key %s %r", Secret(VALUE), Secret(VALUE))
    assert VALUE not in caplog.text
    assert MASK in caplog.text


def test_reveal_returns_the_value():
    assert Secret(VALUE).reveal() == VALUE
    assert type(Secret(VALUE).reveal()) is str
    assert Secret(Secret(VALUE)).reveal() == VALUE


@pytest.mark.parametrize("copy_function", [copy.copy, copy.deepcopy])
def test_copy_keeps_the_value(copy_function):
    assert copy_function(Secret(VALUE)).reveal() == VALUE
    assert copy_function({"key": Secret(VALUE)})["key"].reveal() == VALUE


def test_unpickled_secret_is_the_mask():
    unpickled = pickle.loads(pickle.dumps(Secret(VALUE)))
    assert isinstance(unpickled, Secret)
    assert unpickled.reveal() == MASK


def test_secrets_are_compared_by_value_but_not_to_text():
    assert Secret(VALUE) == Secret(VALUE)
    assert Secret(VALUE) != Secret("another")
    assert Secret(VALUE) != VALUE
    assert len({Secret(VALUE), Secret(VALUE), Secret("another")}) == 2


def test_empty_secret_is_false():
    assert not Secret("")
    assert Secret("x")


@pytest.mark.parametrize(("value", "masked"), [(VALUE, f"{MASK}4f2a"), ("short", MASK), ("", MASK)])
def test_masked_shows_the_last_four_characters_of_a_long_secret(value, masked):
    assert Secret(value).masked() == masked


def test_secret_is_immutable():
    with pytest.raises(AttributeError):
        Secret(VALUE).value = "x"


def test_client_does_not_show_its_key(yotta, sandbox):
    assert sandbox.api_key not in repr(yotta)
    assert sandbox.api_key not in repr(vars(yotta)) + repr(vars(yotta._transport)) + repr(vars(yotta.pods))


def test_pod_does_not_show_values_of_environment_variables(make_client, record):
    (pod,) = make_client(records=[record()]).pods.list()
    value = record()["environmentVars"][0]["value"]
    assert value not in repr(pod) + repr(pod.environment_vars)
    assert pod.environment["JUPYTER_PASSWORD"].reveal() == value


@pytest.mark.parametrize(
    ("name", "sensitive"),
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
def test_is_sensitive_name(name, sensitive):
    assert is_sensitive_name(name) is sensitive


@pytest.mark.parametrize(
    ("value", "encoded"),
    [
        (VALUE, VALUE),
        ('a "quoted" value', 'a \\"quoted\\" value'),
        ("a <b> & c", "a &lt;b&gt; &amp; c"),
        ("a <b> & c", "a \\u003cb\\u003e \\u0026 c"),
        ("a <b> & c", "a \\u003Cb\\u003E \\u0026 c"),
        ("a/b/c", "a\\/b\\/c"),
        ("a b&c", "a%20b%26c"),
        ("a b&c", "a+b%26c"),
        ("schlüssel", "schl\\u00fcssel"),
        ("schlüssel", "schl%C3%BCssel"),
    ],
)
def test_redact_finds_each_encoding(value, encoded):
    assert redact(f"[{encoded}] {encoded}", [Secret(value)]) == f"[{MASK}] {MASK}"


def test_redact_replaces_the_longest_secret_first():
    assert redact("made-up-and-more", [Secret("made-up"), Secret("made-up-and-more")]) == MASK


def test_redact_ignores_short_secrets():
    short = "x" * (MIN_REDACT_LENGTH - 1)
    assert redact(f"te{short}t", [Secret(short), Secret("")]) == f"te{short}t"
