"""Values arrive as they were sent, or are refused."""

import contextlib
import datetime
import decimal
import zoneinfo

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from tests.remote.sshd import run_sshd, wait_until
from yotta_jupyter.errors import InvalidRequest, RemoteUnavailable
from yotta_jupyter.remote.loop import submit
from yotta_jupyter.remote.pod_files import download
from yotta_jupyter.remote.progress import Progress
from yotta_jupyter.remote.values import arrow_stream, codec, pandas_frames
from yotta_jupyter.remote.values.errors import CodecError

PLAIN = [
    None,
    True,
    0,
    -(10**400),
    1.5,
    float("inf"),
    "text é \ud83d \x00 '''quoted\\' \n",
    b"\x00\xff",
    bytearray(b"x"),
    1 + 2j,
    [1, [2.5, None]],
    (1, (2, "three")),
    {1, 2},
    frozenset({"a"}),
    {"a": [1], 2: (3,), ("t", 1): {"x"}, None: b"y"},
    {"__yotta__": "tuple", "value": 1},
    range(1, 10, 2),
    decimal.Decimal("1.10"),
    datetime.date(2026, 2, 28),
    datetime.time(1, 2, 3, 4),
    datetime.timedelta(days=-1, microseconds=5),
    datetime.datetime(2026, 1, 2, 3, 4, 5, 6),
    datetime.datetime(2026, 1, 2, tzinfo=datetime.UTC),
    datetime.datetime(2026, 10, 25, 2, 30, tzinfo=zoneinfo.ZoneInfo("Europe/Berlin"), fold=1),
    datetime.datetime(2026, 1, 2, tzinfo=datetime.timezone(datetime.timedelta(hours=5, minutes=30))),
]


def round_trip(value):
    """Return a value after encoding and decoding."""
    kind, data = codec.encode(value)
    return codec.decode(kind, data)


@pytest.mark.parametrize("value", PLAIN, ids=lambda value: type(value).__name__)
def test_plain_values(value):
    result = round_trip(value)
    assert result == value
    assert type(result) is type(value)
    if isinstance(value, dict):
        assert list(result) == list(value)


def test_not_a_number_and_numpy_scalars():
    assert np.isnan(round_trip(float("nan")))
    result = round_trip(
        {"loss": np.float32(0.1), "when": np.datetime64("2026-01-02"), "grid": np.eye(2), "text": np.str_("a")}
    )
    assert result["loss"] == np.float32(0.1)
    assert type(result["loss"]) is np.float32
    assert result["when"] == np.datetime64("2026-01-02")
    assert (result["grid"] == np.eye(2)).all()
    assert type(round_trip(np.int8(3))) is np.int8


ARRAYS = [
    np.arange(12, dtype="int16").reshape(3, 4),
    np.asfortranarray(np.random.default_rng(0).random((5, 3, 2))),
    np.arange(10)[::2],
    np.zeros((0, 3)),
    np.array(5.0),
    np.array([1 + 2j, 3]),
    np.array(["a", "längeres"]),
    np.array([b"a", b"bc"]),
    np.array(["2026-01-02", "NaT"], dtype="datetime64[ns]"),
    np.array([1, 2], dtype=">i4"),
    np.array([(1, 2.5)], dtype=[("a", "i4"), ("b", "f8")]),
    np.array([True, False]),
    np.array([1.5, np.nan], dtype="float16"),
]


@pytest.mark.parametrize("value", ARRAYS, ids=lambda value: f"{value.dtype}-{value.shape}")
def test_arrays(value):
    result = round_trip(value)
    assert result.dtype == value.dtype
    assert result.shape == value.shape
    np.testing.assert_array_equal(result, value)
    assert result.flags.f_contiguous == value.flags.f_contiguous or value.ndim < 2
    if result.size:
        result[...] = result  # Writable.


TIMES = pd.date_range("2026-03-28", periods=3, freq="D", tz="Europe/Berlin")
FRAMES = {
    "numbers": pd.DataFrame(
        {
            "i": [1, 2, 3],
            "f": [1.5, np.nan, -0.0],
            "b": [True, False, True],
            "u": pd.array([1, 2, 3], "uint8").to_numpy(),
        }
    ),
    "small": pd.DataFrame({"h": np.array([1.5, 2, np.nan], "float16"), "g": np.array([1, 2, 3], "float32")}),
    "nullable": pd.DataFrame(
        {
            "i": pd.array([1, None, 3], "Int64"),
            "b": pd.array([True, None, False], "boolean"),
            "f": pd.array([1.5, None, 2], "Float32"),
        }
    ),
    "text": pd.DataFrame({"s": ["a", "é", ""], "n": ["a", None, "c"]}),
    "strings": pd.DataFrame(
        {"s": pd.array(["a", None, "c"], "string"), "p": pd.array(["a", None, "c"], "string[pyarrow]")}
    ),
    "objects": pd.DataFrame(
        {"o": pd.Series(["a", 1, None], dtype=object), "t": pd.Series(["x", "y", None], dtype=object)}
    ),
    "nested": pd.DataFrame(
        {
            "l": [[1, 2], [], None],
            "d": [{"a": 1}, {"b": [2]}, {}],
            "t": [(1,), (2, "x"), ()],
            "a": [np.arange(2), np.arange(3), None],
        }
    ),
    "times": pd.DataFrame(
        {"n": pd.to_datetime(["2026-01-01", None, "2026-01-03"]), "z": TIMES, "d": pd.to_timedelta([1, None, 3], "h")}
    ),
    "units": pd.DataFrame(
        {
            "s": np.array(["2026-01-01", "NaT"], "datetime64[s]"),
            "u": pd.to_datetime(["2026-01-01", "2026-01-02"]).tz_localize("UTC").as_unit("us"),
        }
    ),
    "category": pd.DataFrame(
        {"c": pd.Categorical(["a", None, "b"], ["b", "a", "unused"], ordered=True), "n": pd.Categorical([3, 1, 3])}
    ),
    "periods": pd.DataFrame({"p": pd.period_range("2026-01", periods=3, freq="M"), "i": pd.interval_range(0, 3)}),
    "complex": pd.DataFrame({"c": np.array([1 + 2j, 3])}),
    "sparse": pd.DataFrame({"s": pd.arrays.SparseArray([0, 0, 1])}),
    "arrow": pd.DataFrame(
        {
            "l": pd.Series([[1], [2, 3], None], dtype=pd.ArrowDtype(pa.list_(pa.int64()))),
            "i": pd.Series([1, None, 2], dtype="int64[pyarrow]"),
        }
    ),
    "decimals": pd.DataFrame(
        {
            "d": [decimal.Decimal("1.10"), decimal.Decimal("2"), None],
            "t": [datetime.date(2026, 1, 1), None, datetime.date(2026, 1, 2)],
        }
    ),
    "index": pd.DataFrame({"x": [1, 2, 3]}, index=pd.Index(["a", "b", "c"], name="key")),
    "range": pd.DataFrame({"x": [1, 2, 3]}, index=pd.RangeIndex(10, 16, 2, name="r")),
    "dates": pd.DataFrame({"x": [1, 2, 3]}, index=TIMES),
    "multi": pd.DataFrame({"x": [1, 2]}, index=pd.MultiIndex.from_tuples([("a", 1), ("b", 2)], names=["one", None])),
    "intervals": pd.DataFrame({"x": [1, 2, 3]}, index=pd.interval_range(0, 3, name="bins")),
    "codes": pd.DataFrame({"x": [1, 2]}, index=pd.CategoricalIndex(["a", "b"], name="c")),
    "labels": pd.DataFrame([[1, 2, 3]], columns=[0, "a", None]),
    "integers": pd.DataFrame([[1, 2, 3]], columns=pd.Index([3, 1, 2], name="n")),
    "duplicates": pd.DataFrame([[1, "x"]], columns=["a", "a"]),
    "two levels": pd.DataFrame([[1, 2]], columns=pd.MultiIndex.from_tuples([("a", 1), ("a", 2)], names=["x", "y"])),
    "time labels": pd.DataFrame([[1, 2, 3]], columns=TIMES),
    "empty": pd.DataFrame({"a": pd.Series([], dtype="int32"), "c": pd.Categorical([])}),
    "no columns": pd.DataFrame(index=[1, 2, 3]),
    "nothing": pd.DataFrame(),
}


@pytest.mark.parametrize("name", FRAMES)
def test_frames(name):
    frame = FRAMES[name]
    result = round_trip(frame)
    pd.testing.assert_frame_equal(result, frame, check_freq=True, check_exact=True)
    assert [str(d) for d in result.dtypes] == [str(d) for d in frame.dtypes]
    assert type(result.index) is type(frame.index)
    if name == "nested":
        for column in frame:
            assert [type(value) for value in result[column]] == [type(value) for value in frame[column]]


@pytest.mark.parametrize("name", ["numbers", "category", "times", "nested", "nullable"])
def test_series(name):
    for label, series in FRAMES[name].items():
        pd.testing.assert_series_equal(round_trip(series), series)
        pd.testing.assert_series_equal(round_trip(series.rename(None)), series.rename(None))
        pd.testing.assert_series_equal(round_trip(series.rename(("a", label))), series.rename(("a", label)))


class ListSubclass(list):
    pass


class DataFrameSubclass(pd.DataFrame):
    pass


REFUSED = [
    object(),
    ListSubclass(),
    [lambda: 1],
    np.array([object()]),
    np.ma.masked_array([1, 2]),
    pd.DataFrame({"a": [object()]}),
    pd.DataFrame({"a": ["x"]}, index=[object()]),
    DataFrameSubclass({"a": [1]}),
    {"frame": pd.DataFrame({"a": [1]})},
    pd.Index([1]),
    Exception("x"),
]


@pytest.mark.parametrize("value", REFUSED, ids=lambda value: type(value).__name__)
def test_other_values_are_refused_with_a_reason(value):
    with pytest.raises(CodecError) as caught:
        codec.encode(value)
    assert "\n" not in str(caught.value)
    assert "moved" in str(caught.value)


def test_a_value_that_contains_itself_is_refused():
    value = []
    value.append(value)
    with pytest.raises(CodecError, match="contains itself"):
        codec.encode(value)


# Hostile data is an error. It runs no code and needs neither much time nor much memory.


def npy_header(dtype, shape):
    """Return the bytes of a .npy file before its content."""
    header = f"{{'descr': '{dtype}', 'fortran_order': False, 'shape': {shape}, }}"
    return b"\x93NUMPY\x01\x00\x76\x00" + header.encode().ljust(117) + b"\n"


HOSTILE = [
    ("npy", npy_header("|O", "(1,)") + b"\x80\x04cos\nsystem\n"),
    ("npy", npy_header("<f8", f"({10**12},)")),
    ("npy", b""),
    ("json", b"[" * 100_000),
    ("json", b'{"__yotta__": "pickle", "value": "x"}'),
    ("json", b'{"__yotta__": "int", "value": "zz"}'),
    ("json", b"9" * 100_000),
    ("json", b"\xff"),
    ("arrow", b""),
    ("arrow", b"\x00" * 8),
    ("arrow", b"\xff" * 100),
    ("pickle", b"\x80\x04N."),
]


@pytest.mark.parametrize(("kind", "data"), HOSTILE)
def test_hostile_data_is_an_error(kind, data):
    with pytest.raises(CodecError):
        codec.decode(kind, data)


def test_damaged_frames_are_errors():
    _, data = codec.encode(FRAMES["category"])
    generator = np.random.default_rng(1)
    for _ in range(300):
        damaged = bytearray(data)
        damaged[generator.integers(len(data))] = generator.integers(256)
        with contextlib.suppress(CodecError):
            codec.decode("arrow", bytes(damaged))
    for length in range(0, len(data), 7):
        with pytest.raises(CodecError):
            codec.decode("arrow", data[:length])


def test_a_compressed_chunk_cannot_grow_beyond_its_limit():
    bomb = pa.compress(b"\x00" * (1 << 26), codec="lz4_raw", asbytes=True)
    chunk = arrow_stream.CHUNK_HEAD.pack(len(bomb), 1 << 26) + bomb
    data = pandas_frames.DESCRIPTION_SIZE.pack(2) + b"{}" + chunk
    with pytest.raises(CodecError, match="chunks are damaged"):
        codec.decode("arrow", data)


# On a pod.


def test_values_are_pushed_and_pulled(remote):
    frame = FRAMES["category"].assign(when=TIMES)
    values = {"frame": frame, "series": frame["when"], "array": ARRAYS[1], "plain": PLAIN[6:15]}
    remote.push(**values)
    remote.run("import pandas as pd\nframe['when'] += pd.Timedelta('1h')\narray = array * 2\nplain.append(1)")
    pulled = remote.run("kinds = [type(v).__name__ for v in (frame, series, array, plain)]", pull=["kinds", "frame"])
    assert pulled.pulled["kinds"] == ["DataFrame", "Series", "ndarray", "list"]
    pd.testing.assert_frame_equal(
        pulled.pulled["frame"], frame.assign(when=TIMES + pd.Timedelta("1h")), check_freq=False
    )
    np.testing.assert_array_equal(remote.pull("array"), ARRAYS[1] * 2)
    assert remote.pull("plain") == [*PLAIN[6:15], 1]


def test_a_million_rows_with_progress(remote, shared_sshd):
    frame = pd.DataFrame({"x": np.arange(1_000_000), "y": np.random.default_rng(0).random(1_000_000)})
    steps = []
    remote.push_values({"frame": frame}, on_progress=lambda p: steps.append((p.done, p.total)))
    assert remote.run("len(frame)").text == "1000000"
    assert steps[-1][0] == steps[-1][1] > 8_000_000
    pulled = remote.pull_values(["frame"], on_progress=lambda p: steps.append((p.done, p.total)))["frame"]
    pd.testing.assert_frame_equal(pulled, frame)
    assert not list((shared_sshd.home / ".cache/yotta-agent/data").iterdir())


def test_a_transfer_is_resumed_after_a_broken_connection(sshd, make_remote):
    remote = make_remote(sshd, on_notice=lambda text: None)
    remote.run("1")
    array = np.random.default_rng(0).random(4_000_000)
    drops = []

    def drop(progress):
        if not drops and progress.done > 1_000_000:
            drops.append(progress.done)
            sshd.drop()

    remote.push_values({"array": array}, on_progress=drop)
    assert drops
    assert remote.run("float(array.sum())").text == repr(float(array.sum()))
    np.testing.assert_array_equal(remote.pull("array"), array)


def test_an_error_tells_why_a_value_cannot_be_moved(remote):
    with pytest.raises(InvalidRequest, match=r"^model cannot be pushed: a builtins.object .*Save it to a file"):
        remote.run("raise SystemExit", push={"model": object()})
    with pytest.raises(InvalidRequest, match="'not a name' is not the name of a variable"):
        remote.push_values({"not a name": 1})
    with pytest.raises(InvalidRequest, match=r"^nothing cannot be pulled: there is no variable of that name"):
        remote.pull("nothing")
    remote.run("class Model: pass\nmodel = Model()")
    with pytest.raises(
        InvalidRequest, match=r"^model cannot be pulled: a __main__.Model is not moved as data. Save it to a file"
    ):
        remote.pull("model")
    remote.run("large = bytes(1_000_000)")
    with pytest.raises(InvalidRequest, match=r"large cannot be pulled: it has 0.0 GB, and the limit is 0.0 GB"):
        remote.pull_values(["large"], max_bytes=1000)


def test_a_hostile_pod_sends_invalid_data(remote):
    replace_encoder = """
import sys
module = next(m for n, m in sys.modules.items() if n.startswith("_yotta_") and n.endswith(".pod"))
module.encode = lambda value: value
"""
    remote.push(first=1)
    remote.run(replace_encoder)
    try:
        for value in ["('npy', b'x' * 10)", "('arrow', b'x' * 1000000)", "('exec', b'1')", "('json', b'[' * 100000)"]:
            remote.run(f"invalid = {value}")
            with pytest.raises((RemoteUnavailable, InvalidRequest), match="invalid cannot be pulled"):
                remote.pull("invalid")
    finally:
        remote.restart()


def test_a_missing_package_is_named(tmp_path, make_remote):
    """A Python without any package, also without pip."""
    bare = tmp_path / "python"
    bare.write_text('#!/bin/sh\nexec /usr/bin/env -u PYTHONPATH python3 -S -I "$@"\n')
    bare.chmod(0o755)
    (tmp_path / "pod").mkdir()
    with run_sshd(tmp_path / "pod", {"YOTTA_PYTHON": str(bare)}) as server:
        with pytest.raises(RemoteUnavailable, match="lacks ipykernel, and installing is not allowed"):
            make_remote(server, install=False).run("1")
        with pytest.raises(RemoteUnavailable, match=r"lacks ipykernel, and its Python has no pip"):
            make_remote(server).run("1")


def test_an_interrupted_transfer_closes_its_session(remote):
    remote.connect()
    for _ in range(12):  # sshd allows 10 sessions on a connection.
        progress = Progress()
        future = submit(download(remote._connection, "/dev/zero", 1 << 40, progress))
        wait_until(lambda progress=progress: progress.done)
        future.cancel()
    assert remote.shell("echo works").stdout == "works\n"
