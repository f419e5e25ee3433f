"""Nothing is lost and nothing runs twice when a connection, a client, or a part of the pod dies."""

import contextlib
import shutil
import signal
import subprocess
import sys
import threading
import time

import psutil
import pytest

from tests.remote.conftest import Outputs
from tests.remote.sshd import wait_until
from yotta_jupyter.errors import RemoteError, RemoteUnavailable
from yotta_jupyter.remote import login

COUNT = "import time\nfor i in range({count}):\n    print(i, flush=True)\n    time.sleep({delay})\n'end'"
# Prints 1, the number of characters that were written.
APPEND_X = "with open({path!r}, 'a') as file: print(file.write('x'))"


def run_in_thread(remote, code):
    """Run code on a thread; return the thread, its outputs, and a list that gets the result."""
    outputs, results = Outputs(), []

    def work():
        try:
            results.append(remote.run(code, on_output=outputs))
        except Exception as error:
            results.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    return thread, outputs, results


def kill(processes):
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()


def expected_lines(count):
    """Return the lines that `COUNT` prints."""
    return [str(number) for number in range(count)]


def test_each_line_arrives_once_when_the_connection_is_killed_again_and_again(sshd, make_remote):
    notices = []
    remote = make_remote(sshd, on_notice=notices.append)
    thread, outputs, results = run_in_thread(remote, COUNT.format(count=120, delay=0.02))
    for line in (10, 40, 70):
        wait_until(lambda line=line: len(outputs.lines) > line)
        sshd.drop()
    thread.join()
    assert outputs.lines == expected_lines(120)
    assert results[0].stdout.split() == expected_lines(120)
    assert results[0].text == "'end'"
    assert notices.count("Connected to pod 1001 again.") == 3


def test_each_line_arrives_once_through_a_half_open_connection(sshd, make_remote):
    """The connection is frozen for longer than the keepalive lasts, with its real settings, and then killed."""
    remote = make_remote(sshd)
    thread, outputs, results = run_in_thread(remote, COUNT.format(count=140, delay=0.1))
    wait_until(lambda: len(outputs.lines) > 10)
    frozen = sshd.sessions()
    sshd.signal_sessions(signal.SIGSTOP)
    count = len(outputs.lines)
    keepalive_seconds = login.KEEPALIVE_INTERVAL * (login.KEEPALIVE_COUNT + 1)
    wait_until(lambda: len(outputs.lines) > count + 10, keepalive_seconds + 8)
    kill(frozen)
    thread.join()
    assert outputs.lines == expected_lines(140)
    assert results[0].text == "'end'"


def test_each_line_arrives_once_when_the_server_is_restarted(sshd, make_remote):
    remote = make_remote(sshd)
    thread, outputs, results = run_in_thread(remote, COUNT.format(count=60, delay=0.02))
    wait_until(lambda: len(outputs.lines) > 10)
    sshd.stop()
    time.sleep(1)
    sshd.start()
    thread.join()
    assert outputs.lines == expected_lines(60)
    assert results[0].text == "'end'"


def test_much_output_survives_broken_connections(sshd, make_remote):
    remote = make_remote(sshd)
    remote.run("1")
    thread, outputs, results = run_in_thread(remote, "for i in range(60_000): print(i, 'x' * 90)")
    for _ in range(4):
        time.sleep(0.15)
        sshd.drop()
    thread.join()
    assert [int(line.split()[0]) for line in outputs.lines] == list(range(60_000))
    assert results[0].stdout == outputs.text


CLIENT = """
import sys
from yotta_jupyter.remote import Endpoint, Remote
from yotta_jupyter.remote.host_keys import HostKeys
from pathlib import Path
port, user, key_file, known_hosts = sys.argv[1:]
remote = Remote(Endpoint("1001", "127.0.0.1", int(port), (user,), key_file), host_keys=HostKeys(Path(known_hosts)))
remote.run({code!r})
"""


def test_a_new_client_gets_everything_when_the_first_one_was_killed(sshd, make_remote, outputs):
    code = COUNT.format(count=60, delay=0.05)
    arguments = [str(sshd.port), sshd.user, str(sshd.key_file), str(sshd.folder / "known_hosts")]
    client = subprocess.Popen([sys.executable, "-c", CLIENT.format(code=code), *arguments], stdout=subprocess.PIPE)
    assert client.stdout.readline() == b"0\n"
    client.kill()
    client.wait()
    client.stdout.close()
    remote = make_remote(sshd)
    assert [run.state for run in remote.runs()] == ["running"]
    assert remote.attach(on_output=outputs).text == "'end'"
    assert outputs.lines == expected_lines(60)


@pytest.mark.parametrize("delay", [0, 0.001, 0.003, 0.01])
def test_a_request_sent_while_the_connection_breaks_runs_once(sshd, make_remote, tmp_path, delay):
    remote = make_remote(sshd)
    remote.run("1")
    path = tmp_path / "marks"
    for number in range(5):
        thread, _, results = run_in_thread(remote, APPEND_X.format(path=str(path)))
        time.sleep(delay)
        sshd.drop()
        thread.join()
        assert path.read_text() == "x" * (number + 1)
        assert results[0].stdout == "1\n"


def test_a_request_of_a_frozen_connection_runs_once(sshd, make_remote, tmp_path, monkeypatch):
    monkeypatch.setattr(login, "KEEPALIVE_INTERVAL", 0.3)
    remote = make_remote(sshd)
    remote.run("1")
    frozen = sshd.sessions()
    sshd.signal_sessions(signal.SIGSTOP)
    path = tmp_path / "marks"
    remote.run(APPEND_X.format(path=str(path)))
    assert path.read_text() == "x"
    sshd.signal_sessions(signal.SIGCONT)  # What was sent on the old connection arrives late.
    time.sleep(0.3)
    kill(frozen)
    assert remote.run("'next'").text == "'next'"
    assert path.read_text() == "x"


def test_input_is_answered_across_a_broken_connection(sshd, make_remote):
    remote = make_remote(sshd)

    def reply(prompt, password):
        sshd.drop()
        return "value"

    assert remote.run("input('? ')", on_input=reply).text == "'value'"


def start_pod_again(server):
    """Do as a pause and a resume: end all processes and lose the agent's log."""
    server.stop()
    server.kill_processes()
    shutil.rmtree(server.home / ".cache")
    server.start()


def agent_processes(server):
    found = []
    for process in server.processes():
        with contextlib.suppress(psutil.NoSuchProcess):  # It has ended meanwhile.
            if "serve" in process.cmdline():
                found.append(process)
    return found


def agent_folder(process):
    """Return the last argument of an agent's process."""
    return process.cmdline()[-1]


def test_a_new_agent_finds_the_running_kernel(sshd, make_remote):
    remote = make_remote(sshd, on_notice=lambda text: None)
    remote.run("kept = 'state'")
    thread, outputs, results = run_in_thread(remote, COUNT.format(count=60, delay=0.05))
    wait_until(lambda: len(outputs.lines) > 5)
    agent_processes(sshd)[0].kill()
    thread.join()
    result = results[0]
    assert result.text == "'end'"
    assert outputs.lines[-1] == "59"
    assert len(outputs.lines) == len(set(outputs.lines))
    assert "agent on the pod was restarted" in result.lost[0]
    assert remote.run("kept").text == "'state'"


def test_a_run_that_ends_without_an_agent_is_reported(sshd, make_remote):
    remote = make_remote(sshd, on_notice=lambda text: None)
    remote.run("1")
    request_id = remote.submit("import time; time.sleep(0.5)")
    agent_processes(sshd)[0].kill()
    sshd.drop()
    time.sleep(1)
    with pytest.raises(RemoteError, match=r"OutcomeUnknown.*agent on the pod was restarted"):
        remote.attach(request_id)


def test_a_pod_that_was_started_again_says_that_the_cell_is_gone(sshd, make_remote):
    remote = make_remote(sshd)
    thread, outputs, results = run_in_thread(remote, COUNT.format(count=600, delay=0.05))
    wait_until(lambda: len(outputs.lines) > 3)
    start_pod_again(sshd)
    thread.join()
    assert isinstance(results[0], RemoteUnavailable)
    assert "was started again while the cell ran" in str(results[0])
    assert remote.run("'new'").text == "'new'"


def test_a_prompt_ends_when_the_pod_was_started_again(sshd, make_remote):
    notices = []
    remote = make_remote(sshd, on_notice=notices.append)

    def restart_and_wait(prompt, password):
        start_pod_again(sshd)
        threading.Event().wait(20)
        pytest.fail("the prompt did not end")

    with pytest.raises(RemoteUnavailable, match="was started again while the cell ran"):
        remote.run("input('? ')", on_input=restart_and_wait)
    assert "This prompt was answered elsewhere, or its cell has ended." in notices


def test_nothing_stays_on_the_pod_after_a_shutdown(sshd, make_remote):
    remote = make_remote(sshd)
    remote.run("1")
    remote.shutdown()
    wait_until(lambda: not agent_processes(sshd))
    assert not list((sshd.folder / "tmp").iterdir())
    assert not (sshd.home / ".cache/yotta-agent").exists()
    assert remote.run("2").text == "2"


def test_the_agent_ends_when_its_home_is_deleted(sshd, make_remote):
    make_remote(sshd).run("1")

    def delete_home():
        shutil.rmtree(sshd.home, ignore_errors=True)  # Fails if the kernel adds a file at the same time.
        return not sshd.home.exists()

    wait_until(delete_home)
    wait_until(lambda: not agent_processes(sshd))
    wait_until(lambda: not list((sshd.folder / "tmp").iterdir()))


def test_a_run_after_an_idle_connection_broke_connects_again(sshd, make_remote):
    remote = make_remote(sshd)
    remote.run("x = 1")
    sshd.drop()
    wait_until(lambda: not remote.is_connected)
    assert remote.run("x").text == "1"


def test_a_home_that_cannot_be_written(sshd, make_remote):
    (sshd.home / ".cache").write_text("a file in place of the folder")
    try:
        assert make_remote(sshd).run("1").text == "1"
    finally:
        for process in agent_processes(sshd):
            shutil.rmtree(agent_folder(process), ignore_errors=True)
