"""``%yotta cp``: files and folders to and from a pod."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from IPython.core.completer import provisionalcompleter

from yotta_jupyter import CopyInterrupted, InvalidRequest, PodNotFound
from yotta_jupyter.magics.commands import files
from yotta_jupyter.models import Pod
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
    """The path of a folder on the pod that does not exist yet."""
    return request.node.name


def file_paths(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if not path.is_dir())


DATA = ["a.sh", "sub dir/ü 'b'.txt"]


def test_a_folder_there_and_back(pod_shell: Any, folder: str, here: Path) -> None:
    value, output = pod_shell.run(f"x = %yotta cp data train:{folder}")
    assert value is None
    assert pod_shell.shell.user_ns["x"] is None
    assert output.startswith(f"Copied 2 files (14 B) to train:{pod_shell.home}/{folder} in ")
    assert file_paths(pod_shell.home / folder) == DATA
    assert (pod_shell.home / folder / "a.sh").stat().st_mode & 0o777 == 0o750
    pod_shell.run(f"%yotta cp train:{folder} back")
    assert file_paths(here / "back") == DATA
    assert (here / "back/a.sh").stat().st_mode & 0o777 == 0o750


def test_a_repeated_copy_sends_only_what_changed(pod_shell: Any, folder: str, here: Path) -> None:
    pod_shell.run(f"%yotta cp data train:{folder}")
    (here / "data/a.sh").write_text("#!/bin/bash\n")
    _, output = pod_shell.run(f"%yotta cp data train:{folder}")
    assert output.startswith("Copied 1 of 2 files (12 B of 16 B) to ")
    assert output.endswith(" s; the rest had arrived before.\n")
    assert file_paths(pod_shell.home / folder) == DATA


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


def test_a_copy_goes_into_an_existing_folder(pod_shell: Any, folder: str, here: Path) -> None:
    (pod_shell.home / folder).mkdir()
    (pod_shell.home / folder / "other").touch()
    (here / "mine").mkdir()
    (here / "mine/other").touch()
    pod_shell.run(f"%yotta cp data train:{folder}")
    pod_shell.run(f"%yotta cp data/a.sh train:{folder}")
    pod_shell.run(f"%yotta cp train:{folder}/data mine")
    pod_shell.run(f"%yotta cp train:{folder}/data/ mine")
    assert file_paths(pod_shell.home / folder) == ["a.sh", *(f"data/{name}" for name in DATA), "other"]
    assert file_paths(here / "mine") == ["a.sh", *(f"data/{name}" for name in DATA), "other", DATA[1]]


def test_a_different_file_is_replaced_although_it_is_newer(pod_shell: Any, folder: str, here: Path) -> None:
    pod_shell.run(f"%yotta cp data train:{folder}")
    (here / "data/a.sh").write_text("edited")
    pod_shell.run(f"%yotta cp train:{folder}/a.sh data/")
    assert (here / "data/a.sh").read_text() == "#!/bin/sh\n"


def test_names_are_those_of_the_line(pod_shell: Any, folder: str, here: Path, home: Path) -> None:
    (here / "a:b").write_text("colon")
    (home / "mine").write_text("home")
    pod_shell.shell.user_ns.update(pod=pod_shell.run("%yotta get train")[0], path=here / "data/a.sh", name="with space")
    pod_shell.run("%yotta use train")
    pod_shell.run(f"%yotta cp ./a:b :{folder}/")
    pod_shell.run(f"%yotta cp ~/mine $pod:~/{folder}/$name")
    pod_shell.run(f"%yotta cp -r $path {{pod.id[:8]}}:{pod_shell.home}/{folder}/'it'\"'\"'s'")
    assert file_paths(pod_shell.home / folder) == ["a:b", "it's", "with space"]
    pod_shell.run(f'%yotta cp "train:{folder}/with space" ~/')
    assert (home / "with space").read_text() == "home"


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("data data", "Neither path is on a pod. Write POD:PATH"),
        ("data train", "Neither path is on a pod. Did you mean train:?"),
        ("train/x data", "Neither path is on a pod. Did you mean train:x?"),
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
def test_what_cannot_be_copied_is_named_in_one_line(pod_shell: Any, here: Path, line: str, message: str) -> None:
    (pod_shell.home / "kinds/folder/a.sh").mkdir(parents=True, exist_ok=True)
    (pod_shell.home / "kinds/file").write_text("kept")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("socket")
        with pytest.raises(InvalidRequest) as caught:
            pod_shell.run(f"%yotta cp {line}")
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
    assert (pod_shell.home / "kinds/file").read_text() == "kept"
    assert (here / "data/a.sh").read_text() == "#!/bin/sh\n"
    assert not (here / "x").exists()


def test_a_pod_that_does_not_exist(pod_shell: Any) -> None:
    with pytest.raises(PodNotFound, match="Did you mean train"):
        pod_shell.run("%yotta cp data trian:data")


def test_sockets_and_pipes_of_a_folder_are_named(pod_shell: Any, folder: str, here: Path) -> None:
    os.mkfifo(here / "data/pipe")
    _, output = pod_shell.run(f"%yotta cp data train:{folder}")
    note = "Note: not copied, because they are no files, folders or links within the folder: pipe"
    assert output.splitlines()[1] == note


def test_ctrl_c_keeps_what_has_arrived(
    pod_shell: Any, folder: str, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
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
            pod_shell.run(f"%yotta cp large train:{folder}")
    assert not (pod_shell.home / folder).exists()
    _, output = pod_shell.run(f"%yotta cp large train:{folder}")
    assert "of 200.0 MB" in output
    assert (pod_shell.home / folder).read_bytes() == (here / "large").read_bytes()


def complete(pod_shell: Any, text: str) -> list[str]:
    with provisionalcompleter():
        return [completion.text for completion in pod_shell.shell.Completer.completions(text, len(text))]


def test_tab_completes_paths_here_and_folders_that_were_listed(pod_shell: Any, folder: str, home: Path) -> None:
    (home / "mine").touch()
    assert complete(pod_shell, "%yotta cp da") == ["data/"]
    assert complete(pod_shell, "%yotta cp data/") == ["data/a.sh", "'data/sub dir/"]
    assert complete(pod_shell, "%yotta cp 'data/sub dir/") == ["""'data/sub dir/ü '"'"'b'"'"'.txt'"""]
    assert complete(pod_shell, "%yotta cp ~/m") == ["~/mine"]
    assert complete(pod_shell, "%yotta cp tr") == ["train:", "train-1:"]
    assert complete(pod_shell, "%yotta cp data train") == ["train:", "train-1:"]
    assert complete(pod_shell, f"%yotta cp train:{folder}/") == [f"train:{folder}/"]
    pod_shell.run(f"%yotta cp data train:{folder}")
    (pod_shell.home / folder / "later").touch()
    assert complete(pod_shell, f"%yotta cp train:{folder[:-1]}") == [f"train:{folder}/"]
    assert complete(pod_shell, f"%yotta cp train:~/{folder}/") == [
        f"train:~/{folder}/a.sh",
        f"'train:~/{folder}/sub dir/",
    ]
    pod_shell.run("%yotta use train")
    assert complete(pod_shell, f"%yotta cp :{folder}/a") == [f":{folder}/a.sh"]
    pod_shell.run(f"%yotta sh -- ls -l {folder}")
    assert complete(pod_shell, f"%yotta cp train:{folder}/l") == [f"train:{folder}/later"]


def test_tab_completes_pods_of_a_cell_and_nothing_in_a_command(pod_shell: Any) -> None:
    assert complete(pod_shell, "%%yotta sh tra") == ["train", "train-1"]
    assert complete(pod_shell, "%yotta sh train -- tra") == ["tra"]


def test_a_copy_says_once_per_pod_where_a_pause_erases_it(pod_shell: Any, folder: str) -> None:
    pod_shell.shell.run_line_magic(
        "yotta", "create pytorch --gpu L4 --name kept --persistent-volume 9 --mount /data --wait"
    )
    _, output = pod_shell.run(f"%yotta cp data kept:~/data/{folder}")
    assert "Note" not in output
    _, output = pod_shell.run(f"%yotta cp data kept:{folder}")
    assert output.endswith("Note: a pause may erase this copy: only files in /data stay.\n")
    _, output = pod_shell.run(f"%yotta cp data kept:{folder}")
    assert "Note" not in output


@pytest.mark.parametrize(
    ("path", "stays"),
    [("/data", True), ("/data/x", True), ("/data/../x", False), ("/data2/x", False), ("/root/x", False)],
)
def test_a_path_outside_the_persistent_volume_is_noted(
    capsys: pytest.CaptureFixture[str], path: str, stays: bool
) -> None:
    pod = Pod(id="1234567890", status="RUNNING", persistent_volume_in_gb=50, persistent_mount_path="/data")
    files._warn_of_data_loss(SimpleNamespace(copy_warned_ids=set()), pod, path)  # type: ignore[arg-type]
    note = "Note: a pause may erase this copy: only files in /data stay.\n"
    assert capsys.readouterr().out == ("" if stays else note)
