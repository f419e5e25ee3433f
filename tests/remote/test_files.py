"""Copies of files and folders are complete, resumed, and stay within their destination."""

import hashlib
import json
import os
import random
import socket
import stat

import pytest

from yotta_jupyter.errors import InvalidRequest, RemoteUnavailable
from yotta_jupyter.remote.files.protocol import CopyError, CopyListener, FrameChannel, part_path
from yotta_jupyter.remote.files.receiver import receive


def make_folder(root):
    """Make a folder with unusual names, modes, links and sizes."""
    (root / "with space/übung/空").mkdir(parents=True)
    (root / "empty").mkdir(mode=0o750)
    (root / "with space/übung/空/a 'quoted' \"name\"\n.txt").write_text("text")
    (root / os.fsdecode(b"not-utf8-\xff")).write_bytes(b"\x00\xff")
    (root / "script.sh").write_text("#!/bin/sh\n")
    (root / "script.sh").chmod(0o755)
    (root / "private").write_text("x")
    (root / "private").chmod(0o600)
    (root / "nothing").touch()
    (root / "large").write_bytes(random.Random(0).randbytes(3_000_000))
    (root / "link").symlink_to("with space/übung")
    (root / "with space/up").symlink_to("../script.sh")
    os.utime(root / "script.sh", (1_700_000_000, 1_700_000_000.5))


def describe(root):
    """Return what a copy keeps of each path in a folder: kind, mode, content and time."""
    found = {}
    for path in sorted(root.rglob("*")):
        status = path.lstat()
        mode = stat.S_IMODE(status.st_mode)
        if path.is_symlink():
            description = ("link", os.readlink(path))
        elif path.is_dir():
            description = ("folder", mode)
        else:
            description = ("file", mode, path.read_bytes(), status.st_mtime_ns)
        found[str(path.relative_to(root))] = description
    return found


def test_a_folder_is_copied_to_the_pod_and_back(remote, shared_sshd, tmp_path):
    make_folder(tmp_path / "source")
    result = remote.put(tmp_path / "source", "copied folder")
    assert describe(shared_sshd.home / "copied folder") == describe(tmp_path / "source")
    assert (result.files, result.bytes, result.skipped) == (6, 3_000_017, [])
    back = remote.get("copied folder", tmp_path / "back")
    assert describe(tmp_path / "back") == describe(tmp_path / "source")
    assert back.path == str(tmp_path / "back")


def test_a_copy_that_is_repeated_sends_only_what_changed(remote, shared_sshd, tmp_path):
    make_folder(tmp_path / "source")
    remote.put(tmp_path / "source", "repeated")
    assert remote.put(tmp_path / "source", "repeated").sent == 0
    (tmp_path / "source/private").write_text("y")
    assert remote.put(tmp_path / "source", "repeated").sent == 1
    assert (shared_sshd.home / "repeated/private").read_text() == "y"
    assert not list((shared_sshd.home / "repeated").rglob("*.yotta-part"))


def test_a_file_goes_to_a_name_or_into_a_folder(remote, shared_sshd, tmp_path):
    source = tmp_path / "data.csv"
    source.write_text("a,b\n")
    remote.put(source, "new/name.csv")
    remote.put(source, "new")
    remote.put(source, "other/")
    remote.put(source, str(shared_sshd.home / "absolute.csv"))
    for path in ("new/name.csv", "new/data.csv", "other/data.csv", "absolute.csv"):
        assert (shared_sshd.home / path).read_text() == "a,b\n"
    remote.get("~/new/name.csv", tmp_path)
    assert (tmp_path / "name.csv").read_text() == "a,b\n"


def test_progress_reaches_the_end(remote, tmp_path):
    source = tmp_path / "large"
    source.write_bytes(bytes(20_000_000))
    for copy in (
        lambda p: remote.put(source, "large", on_progress=p),
        lambda p: remote.get("large", tmp_path / "b", on_progress=p),
    ):
        steps = []
        copy(lambda progress, steps=steps: steps.append((progress.done, progress.total)))
        assert steps == sorted(steps)
        assert steps[-1] == (20_000_000, 20_000_000)


@pytest.mark.parametrize("direction", ["put", "get"])
def test_a_large_file_is_resumed_after_broken_connections(sshd, make_remote, tmp_path, direction):
    remote = make_remote(sshd, on_notice=lambda text: None)
    data = random.Random(1).randbytes(40_000_000)
    drops = []

    def drop(progress):
        if len(drops) < 3 and progress.done > 10_000_000 * (len(drops) + 1):
            drops.append(progress.done)
            sshd.drop()

    if direction == "put":
        (tmp_path / "file").write_bytes(data)
        result = remote.put(tmp_path / "file", "file", on_progress=drop)
        arrived = sshd.home / "file"
    else:
        (sshd.home / "file").write_bytes(data)
        result = remote.get("file", tmp_path / "got", on_progress=drop)
        arrived = tmp_path / "got"
    assert drops
    assert hashlib.sha256(arrived.read_bytes()).digest() == hashlib.sha256(data).digest()
    assert result.sent < len(data)
    assert not list(arrived.parent.glob(".*yotta-part"))


def test_a_copy_is_resumed_after_ctrl_c(remote, shared_sshd, tmp_path):
    source = tmp_path / "file"
    source.write_bytes(random.Random(2).randbytes(30_000_000))

    def interrupt(progress):
        if progress.done > 10_000_000:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        remote.put(source, "interrupted", on_progress=interrupt)
    assert not (shared_sshd.home / "interrupted").exists()
    result = remote.put(source, "interrupted")
    assert 0 < result.sent < 25_000_000
    assert (shared_sshd.home / "interrupted").read_bytes() == source.read_bytes()


def test_a_part_of_another_file_is_not_used(remote, shared_sshd, tmp_path):
    source = tmp_path / "file"
    source.write_bytes(b"a" * 1000)
    part = shared_sshd.home / part_path("mixed")
    part.write_bytes(b"b" * 500)
    remote.put(source, "mixed")
    assert (shared_sshd.home / "mixed").read_bytes() == b"a" * 1000


def test_links_and_special_files(remote, shared_sshd, tmp_path):
    source = tmp_path / "source"
    (source / "sub").mkdir(parents=True)
    (tmp_path / "outside").write_text("content")
    (source / "to-file").symlink_to(tmp_path / "outside")
    (source / "to-folder").symlink_to(tmp_path)
    (source / "broken").symlink_to("missing")
    os.mkfifo(source / "sub/pipe")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(source / "socket"))
        result = remote.put(source, "linked")
        with pytest.raises(InvalidRequest, match="neither a file nor a folder"):
            remote.put(source / "socket", "x")
    assert sorted(result.skipped) == ["broken", "socket", "sub/pipe", "to-folder"]
    assert (shared_sshd.home / "linked/to-file").read_text() == "content"
    assert not (shared_sshd.home / "linked/to-file").is_symlink()
    with pytest.raises(InvalidRequest, match="neither a file nor a folder"):
        remote.get("/dev/null", tmp_path / "null")


def test_a_destination_of_another_kind_is_refused(remote, shared_sshd, tmp_path):
    source = tmp_path / "source"
    (source / "name").mkdir(parents=True)
    (source / "name/file").write_text("new")
    kind = shared_sshd.home / "kind"
    kind.mkdir()
    (kind / "name").write_text("kept")
    with pytest.raises(InvalidRequest, match=r"kind/name exists and is not a folder"):
        remote.put(source, "kind")
    with pytest.raises(InvalidRequest, match=r"kind/name exists and is not a folder"):
        remote.put(source, "kind/name")
    assert (kind / "name").read_text() == "kept"
    (kind / "name").unlink()
    (kind / "name/file").mkdir(parents=True)
    with pytest.raises(InvalidRequest, match="name/file exists and is not a file"):
        remote.put(source, "kind")
    (tmp_path / "other").mkdir()
    (tmp_path / "other/source").write_text("x")
    with pytest.raises(InvalidRequest, match="source exists and is not a folder"):
        remote.get(str(source), tmp_path / "other/source")


def test_paths_that_do_not_exist(remote, tmp_path):
    with pytest.raises(InvalidRequest, match="missing: No such file or directory"):
        remote.put(tmp_path / "missing", "x")
    with pytest.raises(InvalidRequest, match="missing: No such file or directory"):
        remote.get("missing", tmp_path / "x")
    with pytest.raises(InvalidRequest, match="empty"):
        remote.get("", tmp_path / "x")
    assert not (tmp_path / "x").exists()


def test_a_full_disk_is_named(remote, shared_sshd, tmp_path):
    if os.getuid() != 0:
        pytest.skip("needs root to mount a small file system")
    disk = shared_sshd.home / "disk"
    disk.mkdir()
    if os.system(f"mount -t tmpfs -o size=1m none {disk} 2>/dev/null"):
        pytest.skip("needs the right to mount")
    try:
        source = tmp_path / "large"
        source.write_bytes(bytes(5_000_000))
        with pytest.raises(RemoteUnavailable, match="No space left on device"):
            remote.put(source, "disk/large")
        assert not list(disk.iterdir())
    finally:
        os.system(f"umount {disk}")


def test_a_file_that_changes_while_it_is_copied(remote, tmp_path):
    source = tmp_path / "growing"
    source.write_bytes(bytes(5_000_000))

    def grow(progress):
        with source.open("ab") as file:
            file.write(b"x")

    with pytest.raises(InvalidRequest, match="changed while it was copied"):
        remote.put(source, "growing", on_progress=grow)


# A hostile pod.


class ScriptedChannel(FrameChannel):
    """Receives prepared frames."""

    def __init__(self, *frames):
        self.frames = list(frames)

    def send(self, head, body=b""):
        pass

    def flush(self):
        pass

    def receive(self):
        return self.frames.pop(0)


def manifest_frame(*entries):
    return {"type": "manifest", "name": "name"}, json.dumps(entries).encode()


FOLDER = {"type": "dir", "path": "", "mode": 0o755}
FILE = {"type": "file", "path": "a", "size": 1, "mode": 0o644, "mtime": 0}
HASH = hashlib.sha256(b"x").hexdigest()


@pytest.mark.parametrize(
    "entries",
    [
        [FOLDER, {**FILE, "path": "../a"}],
        [FOLDER, {**FILE, "path": "/etc/a"}],
        [FOLDER, {**FILE, "path": "a/../../b"}],
        [FOLDER, {**FILE, "path": "."}],
        [FOLDER, {**FILE, "path": "a\0b"}],
        [FOLDER, {**FILE, "path": "link/a"}, {"type": "symlink", "path": "link", "target": ".."}],
        [FOLDER, {"type": "symlink", "path": "l", "target": "/etc"}],
        [FOLDER, {"type": "symlink", "path": "l", "target": "../x"}],
        [FOLDER, {"type": "symlink", "path": "l", "target": "a/../../x"}],
        [{"type": "symlink", "path": "", "target": "x"}],
        [FOLDER, FILE, FILE],
        [FOLDER, {"type": "fifo", "path": "p"}],
        [FOLDER, {**FILE, "size": -1}],
        [FOLDER, {**FILE, "size": "1"}],
        [FILE],
        [],
        ["x"],
        {},
    ],
)
def test_a_manifest_that_leaves_the_destination_is_refused(tmp_path, entries):
    link = ScriptedChannel(({"type": "manifest", "name": ".."}, json.dumps(entries).encode()))
    with pytest.raises((CopyError, AttributeError)):
        receive(link, str(tmp_path / "in"), CopyListener())
    assert not (tmp_path / "a").exists()


@pytest.mark.parametrize("name", ["..", "a/b", "", "/etc/x"])
def test_a_file_name_that_leaves_the_destination_is_refused(tmp_path, name):
    head, body = manifest_frame({**FILE, "path": ""})
    with pytest.raises(CopyError, match="without a name"):
        receive(ScriptedChannel(({**head, "name": name}, body)), str(tmp_path) + "/", CopyListener())


@pytest.mark.parametrize(
    "frames",
    [
        [({"type": "data", "file": 1, "offset": 0, "sha256": HASH}, b"y")],
        [({"type": "data", "file": 1, "offset": 0}, b"xx")],
        [({"type": "data", "file": 1, "offset": 5, "sha256": HASH}, b"x")],
        [({"type": "data", "file": 7, "offset": 0, "sha256": HASH}, b"x")],
        [({"type": "data", "file": 0, "offset": 0, "sha256": HASH}, b"x")],
        [({"type": "unchanged", "file": 1}, b"")],
        [({"type": "end"}, b"")],
    ],
)
def test_content_that_does_not_match_the_manifest_is_refused(tmp_path, frames):
    with pytest.raises(CopyError):
        receive(ScriptedChannel(manifest_frame(FOLDER, FILE), *frames), str(tmp_path / "in"), CopyListener())
    assert not (tmp_path / "in/a").exists()


def test_a_link_in_the_destination_is_not_followed(tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "outside").mkdir()
    (tmp_path / "in/sub").symlink_to(tmp_path / "outside")
    entries = [FOLDER, {"type": "dir", "path": "sub", "mode": 0o755}, {**FILE, "path": "sub/a"}]
    with pytest.raises(CopyError, match="sub exists and is not a folder"):
        receive(ScriptedChannel(manifest_frame(*entries)), str(tmp_path / "in"), CopyListener())
    assert not list((tmp_path / "outside").iterdir())
