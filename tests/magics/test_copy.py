"""``%yotta cp``: files and folders to and from a pod."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from IPython.core.completer import provisionalcompleter

from yotta_jupyter import CopyInterrupted, InvalidRequest, PodNotFound
from yotta_jupyter.magics.commands import files
from yotta_jupyter.magics.progress import _format_transfer
from yotta_jupyter.remote.progress import Progress


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory, with a folder ``data``."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data/sub dir").mkdir(parents=True)
    (tmp_path / "data/a.sh").write_text("#!/bin/sh\n")
    (tmp_path / "data/a.sh").chmod(0o750)
    (tmp_path / "data/sub dir/ü 'b'.txt").write_text("text")
    return tmp_path


@pytest.fixture
def folder(request: pytest.FixtureRequest) -> str:
    """A name for a folder on the pod that does not exist yet."""
    return request.node.name


def names(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if not path.is_dir())


DATA = ["a.sh", "sub dir/ü 'b'.txt"]


def test_a_folder_there_and_back(pod: Any, folder: str, here: Path) -> None:
    value, output = pod.run(f"x = %yotta cp data train:{folder}")
    assert value is None
    assert pod.shell.user_ns["x"] is None
    assert output.startswith(f"Copied 2 files (14 B) to train:{pod.home}/{folder} in ")
    assert names(pod.home / folder) == DATA
    assert (pod.home / folder / "a.sh").stat().st_mode & 0o777 == 0o750
    pod.run(f"%yotta cp train:{folder} back")
    assert names(here / "back") == DATA
    assert (here / "back/a.sh").stat().st_mode & 0o777 == 0o750


def test_a_repeated_copy_sends_only_what_changed(pod: Any, folder: str, here: Path) -> None:
    pod.run(f"%yotta cp data train:{folder}")
    (here / "data/a.sh").write_text("#!/bin/bash\n")
    _, output = pod.run(f"%yotta cp data train:{folder}")
    assert output.startswith("Copied 1 of 2 files (12 B of 16 B) to ")
    assert output.endswith(" s; the rest had arrived before.\n")
    assert names(pod.home / folder) == DATA


@pytest.mark.parametrize(
    ("source", "target", "expected"),
    [
        ("data", "new", "new"),
        ("data", "new/", "new/data"),
        ("data", "full", "full/data"),
        ("data", "full/data", "full/data"),
        ("data/", "full", "full"),
        ("data/", "full/", "full/"),
        ("data", "copy", "copy"),
        ("data", "unfinished", "unfinished"),
        ("data", "empty", "empty/data"),
        ("empty/../data", ".", "data"),
        (".", "full", "full"),
        ("data/a.sh", "full", "full"),
        ("data/a.sh", "new/", "new/"),
    ],
)
def test_where_a_folder_goes(here: Path, source: str, target: str, expected: str) -> None:
    (here / "full").mkdir()
    (here / "full/other").touch()
    (here / "empty").mkdir()
    (here / "copy/sub dir").mkdir(parents=True)
    (here / "copy/a.sh").touch()
    (here / "unfinished/sub dir").mkdir(parents=True)
    (here / "unfinished/.1f.yotta-part").touch()
    assert files._choose_target(source, target, files._list_local, files._list_local) == expected


def test_a_copy_goes_into_an_existing_folder(pod: Any, folder: str, here: Path) -> None:
    (pod.home / folder).mkdir()
    (pod.home / folder / "other").touch()
    (here / "mine").mkdir()
    (here / "mine/other").touch()
    pod.run(f"%yotta cp data train:{folder}")
    pod.run(f"%yotta cp data/a.sh train:{folder}")
    pod.run(f"%yotta cp train:{folder}/data mine")
    pod.run(f"%yotta cp train:{folder}/data/ mine")
    assert names(pod.home / folder) == ["a.sh", *(f"data/{name}" for name in DATA), "other"]
    assert names(here / "mine") == ["a.sh", *(f"data/{name}" for name in DATA), "other", DATA[1]]


def test_a_different_file_is_replaced_although_it_is_newer(pod: Any, folder: str, here: Path) -> None:
    pod.run(f"%yotta cp data train:{folder}")
    (here / "data/a.sh").write_text("edited")
    pod.run(f"%yotta cp train:{folder}/a.sh data/")
    assert (here / "data/a.sh").read_text() == "#!/bin/sh\n"


def test_names_are_those_of_the_line(pod: Any, folder: str, here: Path, home: Path) -> None:
    (here / "a:b").write_text("colon")
    (home / "mine").write_text("home")
    pod.shell.user_ns.update(pod=pod.run("%yotta get train")[0], path=here / "data/a.sh", name="with space")
    pod.run("%yotta use train")
    pod.run(f"%yotta cp ./a:b :{folder}/")
    pod.run(f"%yotta cp ~/mine $pod:~/{folder}/$name")
    pod.run(f"%yotta cp -r $path {{pod.id[:8]}}:{pod.home}/{folder}/'it'\"'\"'s'")
    assert names(pod.home / folder) == ["a:b", "it's", "with space"]
    pod.run(f'%yotta cp "train:{folder}/with space" ~/')
    assert (home / "with space").read_text() == "home"


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("data data", "Neither path is on a pod. Write POD:PATH"),
        ("train:a train:b", "Both paths are on a pod"),
        ("'C:\\data' data", "Neither path is on a pod"),
        ("missing train:x", "missing: No such file or directory"),
        ("train:missing x", "home/missing: No such file or directory"),
        ("*.csv train:x", "cp has no wildcards"),
        ("train:*.csv x", "cp has no wildcards"),
        ("socket train:x", "socket is neither a file nor a folder"),
        ("train:/dev/null x", "/dev/null is neither a file nor a folder"),
        ("data train:kinds/file", "kinds/file exists and is not a folder"),
        ("data/a.sh train:kinds/file/", "kinds/file exists and is not a folder"),
        ("data/a.sh train:kinds/folder", "kinds/folder/a.sh exists and is a folder"),
        ("train:kinds/file data/a.sh/", "data/a.sh exists and is not a folder"),
        ("train:kinds data/a.sh", "data/a.sh exists and is not a folder"),
        ("train:kinds/file /proc/x/", "/proc/x/: No such file or directory"),
        ("~no-such-user/x train:x", "~no-such-user/x: No such file or directory"),
    ],
)
def test_what_cannot_be_copied_is_named_in_one_line(pod: Any, here: Path, line: str, message: str) -> None:
    (pod.home / "kinds/folder/a.sh").mkdir(parents=True, exist_ok=True)
    (pod.home / "kinds/file").write_text("kept")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("socket")
        with pytest.raises(InvalidRequest) as caught:
            pod.run(f"%yotta cp {line}")
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
    assert (pod.home / "kinds/file").read_text() == "kept"
    assert (here / "data/a.sh").read_text() == "#!/bin/sh\n"
    assert not (here / "x").exists()


def test_a_pod_that_does_not_exist(pod: Any) -> None:
    with pytest.raises(PodNotFound, match="Did you mean train"):
        pod.run("%yotta cp data trian:data")


def test_sockets_and_pipes_of_a_folder_are_named(pod: Any, folder: str, here: Path) -> None:
    os.mkfifo(here / "data/pipe")
    _, output = pod.run(f"%yotta cp data train:{folder}")
    note = "Note: not copied, because they are no files, folders or links within the folder: pipe"
    assert output.splitlines()[1] == note


def test_ctrl_c_keeps_what_has_arrived(pod: Any, folder: str, here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (here / "large").write_bytes(bytes(200_000_000))

    @contextmanager
    def interrupted(shell: Any) -> Iterator[Callable[[Progress], None]]:
        def report(progress: Progress) -> None:
            if progress.done:
                raise KeyboardInterrupt

        yield report

    with monkeypatch.context() as patch:
        patch.setattr(files, "transfer_progress", interrupted)
        with pytest.raises(CopyInterrupted, match="sends only the rest"):
            pod.run(f"%yotta cp large train:{folder}")
    assert not (pod.home / folder).exists()
    _, output = pod.run(f"%yotta cp large train:{folder}")
    assert "of 200.0 MB" in output
    assert (pod.home / folder).read_bytes() == (here / "large").read_bytes()


def test_the_columns_of_the_progress_keep_their_width() -> None:
    total = 1_500_000_000
    lines = [
        _format_transfer(Progress("data", done, total, f"sub/{number}", number, 1000), rate)
        for done, number, rate in ((0, 1, 500.0), (9_990_000, 99, 999_900.0), (total - 1, 1000, 3e9))
    ]
    assert [line.index(", file ") for line in lines] == [lines[0].index(", file ")] * 3
    assert lines[1] == (
        "data: [------------------------]   1%  10.0 MB of 1.5 GB 999.9 kB/s    24:50 left, file   99 of 1000: sub/99"
    )
    assert _format_transfer(Progress("data", 5, 5), 1.0) == f"data: [{'#' * 24}] 100%      5 B of 5 B      1 B/s"


def complete(pod: Any, text: str) -> list[str]:
    with provisionalcompleter():
        return [completion.text for completion in pod.shell.Completer.completions(text, len(text))]


def test_tab_completes_paths_here_and_folders_that_were_listed(pod: Any, folder: str, home: Path) -> None:
    (home / "mine").touch()
    assert complete(pod, "%yotta cp da") == ["data/"]
    assert complete(pod, "%yotta cp data/") == ["data/a.sh", "'data/sub dir/"]
    assert complete(pod, "%yotta cp 'data/sub dir/") == ["""'data/sub dir/ü '"'"'b'"'"'.txt'"""]
    assert complete(pod, "%yotta cp ~/m") == ["~/mine"]
    assert complete(pod, "%yotta cp tr") == ["train:", "train-1:"]
    assert complete(pod, "%yotta cp data train") == ["train:", "train-1:"]
    assert complete(pod, f"%yotta cp train:{folder}/") == [f"train:{folder}/"]
    pod.run(f"%yotta cp data train:{folder}")
    (pod.home / folder / "later").touch()
    assert complete(pod, f"%yotta cp train:{folder[:-1]}") == [f"train:{folder}/"]
    assert complete(pod, f"%yotta cp train:~/{folder}/") == [f"train:~/{folder}/a.sh", f"'train:~/{folder}/sub dir/"]
    pod.run("%yotta use train")
    assert complete(pod, f"%yotta cp :{folder}/a") == [f":{folder}/a.sh"]
    pod.run(f"%yotta sh -- ls -l {folder}")
    assert complete(pod, f"%yotta cp train:{folder}/l") == [f"train:{folder}/later"]


def test_tab_completes_pods_of_a_cell_and_nothing_in_a_command(pod: Any) -> None:
    assert complete(pod, "%%yotta sh tra") == ["train", "train-1"]
    assert complete(pod, "%yotta sh train -- tra") == ["tra"]
