"""Unusual pods and requests: an error is one line that names the cause, and the kernel survives it."""

import glob
import os
import pwd
import shutil
import subprocess
import sys
import venv

import asyncssh
import psutil
import pytest

from tests.remote.conftest import endpoint_of_server
from tests.remote.sshd import Sshd, run_sshd
from yotta_jupyter.errors import InvalidRequest, RemoteError, RemoteUnavailable


def find_python(version):
    """Return a Python of a version that is installed here, or None."""
    root = os.environ.get("PYENV_ROOT") or os.path.join(pwd.getpwuid(os.getuid()).pw_dir, ".pyenv")
    for path in [shutil.which(f"python{version}"), *glob.glob(f"{root}/versions/{version}.*/bin/python")]:
        if path and subprocess.run([path, "-c", "1"], capture_output=True).returncode == 0:
            return path
    return None


@pytest.fixture
def make_small_home(tmp_path_factory):
    """Return a function that starts a server whose home is a file system with the given mount options."""
    servers = []

    def make(options, *, fill=False):
        server = Sshd(tmp_path_factory.mktemp("pod"))
        if os.getuid() != 0 or os.system(f"mount -t tmpfs -o {options} none {server.home} 2>/dev/null"):
            pytest.skip("needs the right to mount a small file system")
        servers.append(server)
        if fill:
            os.system(f"dd if=/dev/zero of={server.home}/fill bs=64k 2>/dev/null")
        server.start()
        return server

    yield make
    for server in servers:
        server.stop()
        server.kill_processes()
        os.system(f"umount -l {server.home}")


def test_every_user_and_key_that_was_tried_is_named(shared_sshd, make_remote, home):
    (home / ".ssh").mkdir()
    for name in ("id_ed25519", "id_ecdsa", "special"):
        asyncssh.generate_private_key("ssh-ed25519").write_private_key(home / ".ssh" / name)
    (home / ".ssh/config").write_text("IdentityFile ~/.ssh/special\n")
    endpoint = endpoint_of_server(shared_sshd, key_file=None, users=("user", "root", "ubuntu"))
    with pytest.raises(RemoteUnavailable) as caught:
        make_remote(shared_sshd, endpoint).connect()
    assert str(caught.value) == (
        "Pod 1001 accepts none of the keys (~/.yotta/ssh/id_ed25519, ~/.ssh/special, ~/.ssh/id_ed25519,"
        " ~/.ssh/id_ecdsa) for any of the users"
        " (user, root, ubuntu). Give the key file that the pod was created with."
    )


@pytest.mark.parametrize("version", ["2.7", "3.8"])
def test_a_real_python_that_is_too_old_is_named(tmp_path, make_remote, version):
    python = find_python(version) or pytest.skip(f"needs Python {version}")
    with run_sshd(tmp_path, {"YOTTA_PYTHON": python}) as server:
        remote = make_remote(server)
        with pytest.raises(RemoteUnavailable, match=r"has no Python of version 3\.9 or later\. Shell commands"):
            remote.run("1")
        with pytest.raises(RemoteUnavailable, match=r"has no Python of version 3\.9"):
            remote.put(__file__, "x")
        assert remote.shell("echo works").stdout == "works\n"


def test_missing_packages_are_installed(tmp_path, make_remote, outputs):
    """With the oldest supported Python if it is installed. Needs a package index."""
    import pandas as pd

    oldest = find_python("3.9")
    python = tmp_path / "venv/bin/python"
    subprocess.run([oldest or sys.executable, "-m", "venv", tmp_path / "venv"], check=True)
    (tmp_path / "pod").mkdir()
    notices = []
    with run_sshd(tmp_path / "pod", {"YOTTA_PYTHON": str(python)}) as server:
        with pytest.raises(RemoteUnavailable, match="lacks ipykernel, and installing is not allowed"):
            make_remote(server, install=False).run("1")
        remote = make_remote(server, on_notice=notices.append)
        try:
            remote.run("import sys; print(sys.version_info[:2])", on_output=outputs)
        except RemoteUnavailable as error:
            if "No matching distribution" in str(error):
                pytest.skip("needs a package index")
            raise
        assert outputs.text == f"{(3, 9) if oldest else sys.version_info[:2]}\n"
        assert notices == ["Installing ipykernel on the pod with pip."]
        frame = pd.DataFrame({"number": [1, 2], "text": ["a", None], "kind": pd.Categorical(["x", "y"])})
        remote.push(frame=frame)
        pulled = remote.pull("frame")
        assert pulled["number"].tolist() == [1, 2]
        assert pulled["kind"].tolist() == ["x", "y"]
        assert pulled["text"].isna().tolist() == [False, True]
        assert remote.put(__file__, "copied.py").files == 1


def test_a_package_that_cannot_be_installed_says_why(tmp_path, make_remote):
    venv.create(tmp_path / "venv", with_pip=True)
    (tmp_path / "pod").mkdir()
    environment = {"YOTTA_PYTHON": str(tmp_path / "venv/bin/python"), "PIP_NO_INDEX": "1"}
    with (
        run_sshd(tmp_path / "pod", environment) as server,
        pytest.raises(RemoteUnavailable, match=r"Installing a package on pod 1001 failed: No matching distribution"),
    ):
        make_remote(server, on_notice=lambda text: None).run("1")


def test_no_output_and_no_variable_is_lost_on_a_full_disk(make_small_home, make_remote):
    server = make_small_home("size=4m")
    remote = make_remote(server, on_notice=lambda text: None)
    remote.run("kept = 1")
    server.home.joinpath("fill").write_bytes(b"")
    remote.shell("dd if=/dev/zero of=$HOME/fill bs=4k")
    text = remote.run("for _ in range(20_000): print('x' * 99)", on_output=lambda m: None).stdout
    assert text.count("x" * 99) == 20_000  # IPython reports that it cannot write its history.
    with pytest.raises(RemoteUnavailable, match=r"Writing .* on the pod failed: No space left on device"):
        remote.push(value="x" * 3_000_000)
    with pytest.raises(RemoteUnavailable, match="copied: No space left on device"):
        remote.put(sys.executable, "copied")
    server.drop()
    assert remote.run("kept").text == "1"
    with make_remote(server) as other:
        assert other.run("kept").text == "1"


@pytest.mark.parametrize(("options", "fill"), [("size=1m", True), ("size=1m,ro", False)], ids=["full", "read-only"])
def test_another_folder_is_used_if_the_home_is_not_writable(make_small_home, make_remote, options, fill):
    remote = make_remote(make_small_home(options, fill=fill))
    try:
        assert remote.run("6 * 7").text == "42"
        remote.push(value="x" * 1_000_000)
        assert remote.pull("value") == "x" * 1_000_000
    finally:
        remote.shutdown()


def test_a_killed_kernel_is_replaced(remote, outputs):
    remote.run("kept = 1")
    code = "import os, signal, time\nprint('before', flush=True); time.sleep(0.5)\nos.kill(os.getpid(), signal.SIGKILL)"
    with pytest.raises(
        RemoteError, match=r"KernelDied: .*killed by SIGKILL, as when memory is exhausted\. A new kernel"
    ):
        remote.run(code, on_output=outputs)
    assert outputs.text == "before\n"
    assert remote.run("'kept' in globals()").text == "False"


def test_a_cell_of_10_mb_runs_and_one_of_100_mb_is_refused(remote):
    assert remote.run("text = '''" + "x" * 10_000_000 + "'''\nlen(text)").text == "10000000"
    with pytest.raises(InvalidRequest, match=r"^The code has 100 MB, and the limit is 67 MB\. Move data with push"):
        remote.run("#" + "x" * 100_000_000)
    assert remote.run("len(text)").text == "10000000"


def test_output_beyond_the_limit_of_the_record_is_reported(make_small_home, make_remote):
    server = make_small_home("size=120m")  # The record holds 64 MB.
    notices, sizes = [], []
    remote = make_remote(server, on_notice=notices.append)
    process = psutil.Process()

    def on_output(message):
        sizes.append(process.memory_info().rss)

    remote.run("1")
    result = remote.run("for _ in range(240_000): print('x' * 499)", on_output=on_output)
    assert result.truncated
    assert len(result.stdout) < 70_000_000
    assert max(sizes) - sizes[0] < 350_000_000
    record = server.home / ".cache/yotta-agent/record"
    assert sum(path.stat().st_size for path in record.iterdir()) < 80_000_000
    if not result.lost:  # This side kept up; later only the end is there.
        attached = remote.attach(on_output=lambda m: None)
        assert "messages of the output are no longer on the pod" in attached.lost[0]
    assert "no longer on the pod" in notices[0]
    assert remote.run("'alive'").text == "'alive'"


def test_very_large_outputs(remote, outputs):
    remote.run("print('x' * 300_000_000)", on_output=lambda message: None)
    assert remote.run("print('x' * 5_000_000)", on_output=outputs).stdout == outputs.text == "x" * 5_000_000 + "\n"
    assert len(outputs.messages) > 4
    result = remote.run("display({'text/plain': 'x' * 150_000_000}, raw=True)")
    assert result.stderr == "[An output of 150 MB is not shown: the limit is 134 MB.]\n"
    assert remote.run("'alive'").text == "'alive'"


def test_output_that_is_not_utf8(remote, outputs):
    def has_arrived(prompt, password):
        return "yes" if outputs.text else ""

    # The kernel reads what is written to the descriptor on another thread.
    code = "import os\nos.write(1, b'one \\xff\\n')\nwhile not input(): pass\nprint('two \\udcff')"
    result = remote.run(code, on_output=outputs, on_input=has_arrived)
    assert result.stdout == outputs.text == "one \ufffd\ntwo \ufffd\n"
    with pytest.raises(RemoteError, match="ValueError: three"):
        remote.run("raise ValueError('three \\udcff')")
    assert remote.run("'alive'").text == "'alive'"
    assert remote.shell("printf 'three \\377\\n'").stdout == "three \ufffd\n"


@pytest.mark.parametrize("make", ["np.zeros(10_000_000_000, 'u1')", "pd.Series(np.zeros(1_250_000_000), copy=False)"])
def test_a_value_of_10_gb_is_refused_before_it_is_encoded(remote, make):
    remote.run(f"import numpy as np, pandas as pd\nlarge = {make}")
    with pytest.raises(InvalidRequest) as caught:
        remote.run("1", pull=["large"])
    assert str(caught.value) == (
        "large cannot be pulled: it has 10.0 GB, and the limit is 4.3 GB."
        " Save it to a file and copy that with put or get."
    )
    assert remote.run("del large; 'alive'").text == "'alive'"


@pytest.mark.parametrize("name", ["missing", "pipe", "/dev/zero"])
def test_missing_paths_and_special_files_cannot_be_copied(remote, shared_sshd, tmp_path, name):
    path = shared_sshd.home / name
    if name == "pipe":
        os.mkfifo(path)
    reason = "No such file or directory" if name == "missing" else "is neither a file nor a folder"
    with pytest.raises(InvalidRequest, match=f"^The copy failed(?: on the pod)?: {path}:? {reason}"):
        remote.get(str(path), tmp_path / "copy")
    with pytest.raises(InvalidRequest, match=f"^The copy failed(?: on the pod)?: {path}:? {reason}"):
        remote.put(path, "copy")
    assert not (tmp_path / "copy").exists()
    if name != "missing":
        for copy in (remote.put, remote.get):
            with pytest.raises(InvalidRequest, match=f"{path} exists and is not a file"):
                copy(__file__, str(path))
