"""Durations such as ``8h``."""

from __future__ import annotations

import pytest

from yotta_jupyter import InvalidRequest
from yotta_jupyter.guard.durations import format_duration, parse_duration


@pytest.mark.parametrize("text", ["0", "0s", "-1h", "8x", "3660d", "", "h", "1 h 2", "1e9h", "nan"])
def test_invalid_duration_is_an_error(text: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        parse_duration(text)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "seconds"), [("90s", 90), ("30m", 1800), ("8h", 28800), ("2d", 172800), ("1h30m", 5400), ("0.5h", 1800)]
)
def test_parse_duration(text: str, seconds: float) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0s"), (59, "59s"), (90, "1m30s"), (5400, "1h30m"), (90000, "1d1h"), (28800, "8h")]
)
def test_format_duration(seconds: float, text: str) -> None:
    assert format_duration(seconds) == text
