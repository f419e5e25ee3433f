"""The agent's log: sequence numbers, limits, a full disk, a restart."""

import errno
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from yotta_jupyter.errors import RemoteUnavailable
from yotta_jupyter.remote import agent
from yotta_jupyter.remote.files import channel
from yotta_jupyter.remote.values import transfer


def read_body(log, sequence):
    segment, offset = log.find(sequence)
    head_size, body_size = agent.LENGTHS.unpack(os.pread(segment.fd, 8, offset))
    return os.pread(segment.fd, body_size, offset + 8 + head_size)


def test_entries_are_found_by_their_number_also_by_a_new_agent(tmp_path):
    log = agent.MessageLog(str(tmp_path / "record"))
    for number in range(100):
        assert log.append({"type": "x"}, b"%d" % number) == number
    assert read_body(log, 42) == b"42"
    with open(log.segments[-1].path, "ab") as file:
        file.write(b"\x00\x00\x00\x10half a frame")
    second = agent.MessageLog(str(tmp_path / "record"))
    assert [head["seq"] for head in second.load()] == list(range(100))
    assert second.append({"type": "x"}, b"next") == 100
    assert read_body(second, 99) == b"99"
    assert read_body(second, 100) == b"next"


def test_old_requests_are_deleted_first_and_then_the_oldest_of_all(tmp_path, monkeypatch):
    monkeypatch.setattr(agent, "SEGMENT_SIZE", 1000)
    monkeypatch.setattr(agent, "SOFT_LIMIT", 5000)
    log = agent.MessageLog(str(tmp_path / "record"))
    log.hard_limit = 20_000
    for _ in range(100):
        log.append({}, b"x" * 100)
    log.last_request_start = log.next
    first = log.first
    for _ in range(100):
        log.append({}, b"x" * 100)
    assert first < log.first <= log.last_request_start
    assert sum(len(path.read_bytes()) for path in (tmp_path / "record").iterdir()) <= 20_000
    for _ in range(1000):
        log.append({}, b"x" * 100)
    assert log.first > log.last_request_start
    assert sum(len(path.read_bytes()) for path in (tmp_path / "record").iterdir()) <= 21_000


def test_on_a_full_disk_the_log_continues_in_memory(tmp_path, monkeypatch):
    monkeypatch.setattr(agent, "SEGMENT_SIZE", 1000)
    monkeypatch.setattr(agent, "MEMORY_LIMIT", 10_000)
    log = agent.MessageLog(str(tmp_path / "record"))
    log.append({}, b"on disk")
    write = os.write

    def full(descriptor, data):
        if descriptor == log.segments[0].fd:
            write(descriptor, bytes(data[:5]))
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(descriptor, data)

    monkeypatch.setattr(os, "write", full)
    log.append({}, b"in memory")
    assert read_body(log, 0) == b"on disk"
    assert read_body(log, 1) == b"in memory"


def test_output_beyond_the_limit_is_reported(remote, monkeypatch):
    """A client that follows the log from a deleted entry learns how much is missing."""
    assert remote.runs() == []
    remote.run("for i in range(3): print(i)")
    run = replace(remote.runs()[-1], first=-500)
    monkeypatch.setattr(type(remote), "runs", lambda self: [run])
    result = remote.attach(on_output=lambda m: None)
    assert result.stdout == "0\n1\n2\n"
    assert "no longer on the pod" in result.lost[0]


def test_a_kernel_that_does_not_start_says_why(sshd, make_remote):
    packages = sshd.home / "packages"
    packages.mkdir()
    (packages / "ipykernel_launcher.py").write_text("raise SystemExit('a reason of its own')")
    sshd.stop()
    sshd._environment["PYTHONPATH"] = str(packages)
    sshd.start()
    remote = make_remote(sshd)
    with pytest.raises(RemoteUnavailable, match="kernel on the pod does not start: a reason of its own"):
        remote.run("1")
    (packages / "ipykernel_launcher.py").unlink()
    assert remote.run("1").text == "1"


def test_modules_that_run_on_the_pod_are_python_3_9_and_import_no_others_of_ours():
    import ast

    folder = Path(agent.__file__).parent
    modules = [folder / name for name in ("agent.py", "pod_importer.py", "pod_jupyter.py")]
    modules += [folder / "values" / f"{name}.py" for name in transfer.POD_MODULES]
    modules += [folder / "files" / f"{name}.py" for name in channel.POD_MODULES]
    for module in modules:
        source = module.read_text()
        ast.parse(source, feature_version=(3, 9))
        assert "from .." not in source
    heavy = "{'asyncssh', 'pyarrow', 'numpy', 'pandas', 'zmq'}"
    code = f"import sys, yotta_jupyter.remote; print(sorted({heavy} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
