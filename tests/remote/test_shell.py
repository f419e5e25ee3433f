"""Shell commands on a pod."""

import os
import signal
import subprocess
import threading

import pytest

from tests.remote.sshd import run_sshd, wait_until
from yotta_jupyter.errors import RemoteUnavailable


def test_output_and_status(remote):
    result = remote.shell("echo out; echo err >&2; exit 3")
    assert (result.returncode, result.stdout, result.stderr) == (3, "out\n", "err\n")
    with pytest.raises(subprocess.CalledProcessError):
        result.check_returncode()


def test_a_script_with_quotes_and_several_lines(remote):
    script = "for i in 1 2; do\n  echo \"it's $i\"\ndone\n[[ é == é ]] && printf '\\377'"
    assert remote.shell(script).stdout == "it's 1\nit's 2\n\ufffd"


def test_text_is_streamed_on_the_calling_thread(remote, shared_sshd):
    pieces = []
    continue_file = shared_sshd.home / "continue"

    def on_text(stream, text):
        pieces.append((stream, text, threading.current_thread()))
        continue_file.touch()

    remote.shell("echo first; until [ -e ~/continue ]; do sleep 0.01; done; echo second >&2", on_text=on_text)
    main_thread = threading.main_thread()
    assert pieces == [("stdout", "first\n", main_thread), ("stderr", "second\n", main_thread)]


def test_large_output(remote):
    assert len(remote.shell("head -c 20000000 /dev/zero | tr '\\0' x").stdout) == 20_000_000


def test_a_command_has_no_input(remote):
    assert remote.shell("cat").stdout == ""


def test_ctrl_c_reaches_the_process_group(remote, shared_sshd):
    def on_text(stream, text):
        os.kill(os.getpid(), signal.SIGINT)

    result = remote.shell("echo started; sleep 876 | cat; echo after", on_text=on_text)
    assert (result.returncode, result.stdout) == (-2, "started\n")
    script = "trap 'echo caught; trap : INT' INT; echo started; while :; do sleep 0.05; done"
    result = remote.shell(script, on_text=on_text)
    assert (result.returncode, result.stdout) == (-9, "started\ncaught\n")
    wait_until(lambda: not any("876" in p.cmdline() for p in shared_sshd.processes() if p.is_running()))


def test_a_lost_connection_is_an_error(sshd, make_remote):
    remote = make_remote(sshd, on_notice=lambda text: None)
    with pytest.raises(RemoteUnavailable, match="lost while a command ran"):
        remote.shell("echo started; sleep 5", on_text=lambda *_: sshd.drop())
    assert remote.shell("echo again").stdout == "again\n"


def test_without_python_shell_commands_work_and_cells_say_why(tmp_path, make_remote):
    with run_sshd(tmp_path, {"YOTTA_PYTHON": "/nonexistent/python"}) as server:
        remote = make_remote(server)
        assert remote.shell("echo $((6 * 7))").stdout == "42\n"
        with pytest.raises(RemoteUnavailable, match=r"has no Python.*Shell commands still work"):
            remote.run("1")
        with pytest.raises(RemoteUnavailable, match="has no Python"):
            remote.put(__file__, "x.py")


def test_a_python_that_is_too_old_is_named(tmp_path, make_remote):
    old = tmp_path / "old"
    old.write_text("#!/bin/sh\nexit 1\n")
    old.chmod(0o755)
    (tmp_path / "pod").mkdir()
    with (
        run_sshd(tmp_path / "pod", {"YOTTA_PYTHON": str(old)}) as server,
        pytest.raises(RemoteUnavailable, match=r"no Python of version 3\.9"),
    ):
        make_remote(server).run("1")


def test_shell_and_kernel_have_the_variables_of_the_container(tmp_path, make_remote):
    with run_sshd(tmp_path) as server:
        (tmp_path / "environ").write_bytes(b"FOO=a 'b'\nc\0HOME=/nonexistent\0PYTHONPATH=/nonexistent\0no-name%%=1\0")
        remote = make_remote(server)
        expected = f"a 'b'\nc\n{server.home}\n"
        assert remote.shell('echo "$FOO"; echo "$HOME"').stdout == expected
        assert remote.run("import os; print(os.environ['FOO']); print(os.environ['HOME'])").stdout == expected
        assert remote.run("'PYTHONPATH' in os.environ").text == "False"  # It is for the Python of the image.
