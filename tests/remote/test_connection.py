"""SSH connections: keys, users, host keys, and connections that die."""

import asyncio
import os
import re
import signal
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import asyncssh
import pytest

from tests.remote.conftest import endpoint_of_server
from tests.remote.sshd import run_sshd, wait_until
from yotta_jupyter.api import PodsClient
from yotta_jupyter.errors import (
    ConnectInterrupted,
    InvalidPodState,
    PodUnreachable,
    RemoteError,
    RemoteUnavailable,
    ServerError,
)
from yotta_jupyter.hints import describe
from yotta_jupyter.models import ExposedPort, Pod
from yotta_jupyter.remote import Endpoint, connection, endpoint_of, login
from yotta_jupyter.remote.host_keys import HostKeys
from yotta_jupyter.remote.loop import background_loop


def press_ctrl_c():
    os.kill(os.getpid(), signal.SIGINT)


def test_the_second_user_is_tried_and_remembered(shared_sshd, make_remote):
    remote = make_remote(shared_sshd, endpoint_of_server(shared_sshd, users=("nobody-here", shared_sshd.user)))
    assert remote.shell("echo hello").stdout == "hello\n"
    assert remote.user == shared_sshd.user


def test_a_key_that_is_not_accepted_names_keys_and_users(shared_sshd, make_remote, tmp_path):
    key = tmp_path / "other"
    asyncssh.generate_private_key("ssh-ed25519").write_private_key(key)
    remote = make_remote(shared_sshd, endpoint_of_server(shared_sshd, key_file=key, users=("root", "ubuntu")))
    with pytest.raises(RemoteUnavailable, match=r"accepts none of the keys \(.*other\).*\(root, ubuntu\)"):
        remote.connect()


def test_without_any_key_the_default_one_is_created_and_named(shared_sshd, make_remote):
    with pytest.raises(RemoteUnavailable, match=r"accepts none of the keys \(~/.yotta/ssh/id_ed25519\)"):
        make_remote(shared_sshd, endpoint_of_server(shared_sshd, key_file=None)).connect()


@pytest.mark.parametrize("text", [None, "no key"])
def test_a_key_file_that_is_none_is_refused(shared_sshd, make_remote, tmp_path, text):
    path = tmp_path / "key"
    if text:
        path.write_text(text)
    with pytest.raises(RemoteUnavailable, match=r"no key file|not a private key"):
        make_remote(shared_sshd, endpoint_of_server(shared_sshd, key_file=path)).connect()


@pytest.mark.parametrize("place", [".yotta/ssh/id_ed25519", ".ssh/id_ed25519", ".ssh/special"])
def test_keys_are_found_in_their_places(shared_sshd, make_remote, home, place):
    path = home / place
    path.parent.mkdir(parents=True)
    path.write_bytes(shared_sshd.key_file.read_bytes())
    (home / ".ssh").mkdir(exist_ok=True)
    (home / ".ssh/config").write_text("Host 127.0.0.1\n  IdentityFile ~/.ssh/special\n  Port 1\n  User wrong\n")
    make_remote(shared_sshd, endpoint_of_server(shared_sshd, key_file=None)).connect()


def test_more_keys_than_a_server_accepts_at_once(shared_sshd, make_remote, home):
    (home / ".ssh").mkdir()
    names = [f"key{number}" for number in range(9)]
    for name in names[:-1]:
        asyncssh.generate_private_key("ssh-ed25519").write_private_key(home / ".ssh" / name)
    (home / ".ssh/key8").write_bytes(shared_sshd.key_file.read_bytes())
    (home / ".ssh/config").write_text("".join(f"IdentityFile ~/.ssh/{name}\n" for name in names))
    make_remote(shared_sshd, endpoint_of_server(shared_sshd, key_file=None)).connect()


def test_a_key_of_the_ssh_agent(shared_sshd, make_remote, monkeypatch, tmp_path):
    address = tmp_path / "agent"
    agent = subprocess.Popen(["ssh-agent", "-D", "-a", str(address)], stdout=subprocess.DEVNULL)
    try:
        wait_until(address.exists)
        monkeypatch.setenv("SSH_AUTH_SOCK", str(address))
        subprocess.run(["ssh-add", "-q", str(shared_sshd.key_file)], check=True)
        make_remote(shared_sshd, endpoint_of_server(shared_sshd, key_file=None)).connect()
    finally:
        agent.terminate()
        agent.wait()


@pytest.mark.filterwarnings("ignore:Warning. bcrypt")
def test_a_key_with_a_passphrase_is_unlocked(shared_sshd, make_remote, tmp_path):
    path = tmp_path / "locked"
    asyncssh.read_private_key(shared_sshd.key_file).write_private_key(path, passphrase="open sesame", rounds=4)
    endpoint = endpoint_of_server(shared_sshd, key_file=path)
    remote = make_remote(shared_sshd, endpoint)
    with pytest.raises(RemoteUnavailable, match="needs a passphrase") as caught:
        remote.connect()
    assert caught.value.locked_keys == (str(path),)
    assert not remote.unlock(path, "wrong")
    assert remote.unlock(path, "open sesame")
    remote.connect()


def test_the_agent_is_not_forwarded(shared_sshd, make_remote, home, monkeypatch, tmp_path):
    (home / ".ssh").mkdir()
    (home / ".ssh/config").write_text("ForwardAgent yes\n")
    agent = subprocess.Popen(["ssh-agent", "-D", "-a", tmp_path / "agent"], stdout=subprocess.DEVNULL)
    try:
        wait_until((tmp_path / "agent").exists)
        monkeypatch.setenv("SSH_AUTH_SOCK", str(tmp_path / "agent"))
        assert make_remote(shared_sshd).shell("echo [$SSH_AUTH_SOCK]").stdout == "[]\n"
    finally:
        agent.terminate()
        agent.wait()


def test_a_jump_host_of_the_ssh_config(shared_sshd, make_remote, home):
    (home / ".ssh").mkdir()
    (home / ".ssh/key").write_bytes(shared_sshd.key_file.read_bytes())
    host_key = asyncssh.read_private_key(shared_sshd.folder / "host_key").export_public_key().decode()
    (home / ".ssh/known_hosts").write_text(f"[localhost]:{shared_sshd.port} {host_key}")
    jump = f"{shared_sshd.user}@localhost:{shared_sshd.port}"
    (home / ".ssh/config").write_text(f"IdentityFile ~/.ssh/key\nHost 127.0.0.1\n  ProxyJump {jump}\n")
    remote = make_remote(shared_sshd, endpoint_of_server(shared_sshd, key_file=None))
    assert remote.shell("echo $SSH_CLIENT | cut -d' ' -f1").returncode == 0
    assert len(shared_sshd.sessions()) >= 2


def test_the_host_key_is_pinned_by_pod_and_a_changed_one_is_refused(sshd, make_remote):
    make_remote(sshd).connect()
    file = sshd.folder / "known_hosts"
    assert file.read_text().startswith("yotta-pod-1001 ssh-ed25519 ")
    assert file.stat().st_mode & 0o777 == 0o600
    make_remote(sshd).connect()
    sshd.stop()
    sshd.new_host_key()
    sshd.start()
    with pytest.raises(RemoteUnavailable, match="another host key than before") as caught:
        make_remote(sshd).connect()
    assert "yotta-pod-1001" in caught.value.advice
    make_remote(sshd, endpoint_of_server(sshd, pod_id="1002")).connect()
    assert len(file.read_text().splitlines()) == 2


class ResumedBackend:
    """A backend with one pod whose SSH server is `sshd`."""

    def __init__(self, sshd):
        self.port = ExposedPort(22, sshd.port, "SSH", "127.0.0.1", True, f"ssh {sshd.user}@127.0.0.1")

    def get(self, pod_id):
        return Pod(id=pod_id, status="RUNNING", expose=[self.port])

    def resume(self, pod_id):
        pass


def test_a_changed_host_key_is_accepted_once_after_a_resume(sshd, monkeypatch):
    monkeypatch.setattr("yotta_jupyter.remote.endpoint.is_loopback", lambda host: False)  # As in the cloud.

    def start_again():
        sshd.stop()
        sshd.new_host_key()
        sshd.start()

    pods = PodsClient(ResumedBackend(sshd), ssh_key=str(sshd.key_file))
    notices = []
    with pods.remote("1001") as existing, pods.remote("1001") as other:
        existing.on_notice = notices.append
        existing.connect()
        pods.resume("1001")
        start_again()
        assert existing.shell("echo 1").stdout == "1\n"
        assert [text for text in notices if "host key" in text] == [
            "Pod 1001 has a new host key since it was resumed; it is pinned now."
        ]
        other.connect()
        start_again()
        for remote in (existing, other):
            with pytest.raises(RemoteUnavailable, match="another host key than before"):
                remote.shell("echo 2")
        pods.resume("1001")
        with pods.remote("1001") as new:
            new.connect()
            pods.resume("1001")  # The key stays the same this time.
            sshd.drop()
            assert new.shell("echo 3").returncode == 0
            start_again()
            with pytest.raises(RemoteUnavailable, match="another host key than before"):
                new.shell("echo 4")


@pytest.mark.parametrize(("name", "reason"), [("file/known_hosts", "Not a directory"), ("long" * 80, "File name too")])
def test_a_file_of_host_keys_that_cannot_be_used_is_an_error(shared_sshd, make_remote, tmp_path, name, reason):
    (tmp_path / "file").write_text("")
    with pytest.raises(RemoteUnavailable, match=f"file of SSH host keys, .* cannot be used: {reason}"):
        make_remote(shared_sshd, host_keys=HostKeys(tmp_path / name)).connect()


def test_a_changed_key_type_is_a_changed_key(sshd, make_remote):
    key = asyncssh.generate_private_key("ecdsa-sha2-nistp256").export_public_key().decode()
    HostKeys(sshd.folder / "known_hosts").pin("1001", key)
    with pytest.raises(RemoteUnavailable, match="another host key than before"):
        make_remote(sshd).connect()


def test_a_pod_that_does_not_answer_is_reported_until_the_end(make_remote, shared_sshd, monkeypatch):
    monkeypatch.setattr(connection, "CONNECT_TIMEOUT", 0.5)
    monkeypatch.setattr(connection, "STATUS_DELAY", 0.1)
    statuses = []
    remote = make_remote(shared_sshd, endpoint_of_server(shared_sshd, port=1), on_status=statuses.append)
    with pytest.raises(PodUnreachable, match=r"does not answer by SSH at 127.0.0.1:1: connection refused\."):
        remote.connect()
    assert re.fullmatch(
        r"Pod 1001 does not answer on its SSH port, \d+ s: connection refused; "
        r"trying again until \d\d:\d\d:\d\d; Ctrl-C ends the wait",
        statuses[0],
    )


def parse_deadline(status):
    return datetime.strptime(re.search(r"until (\S+);", status)[1], "%H:%M:%S")


@pytest.mark.parametrize(
    "call",
    [
        lambda remote: remote.run("1"),
        lambda remote: remote.runs(),
        lambda remote: remote.shutdown(),
        lambda remote: remote.push(x=1),
        lambda remote: remote.pull("x"),
        lambda remote: remote.put(__file__, "copy"),
        lambda remote: remote.get("copy", "copy"),
        lambda remote: remote.forward(80),
        lambda remote: remote.start_jupyter(),
    ],
)
def test_ctrl_c_ends_the_attempts_of_each_call(make_remote, shared_sshd, monkeypatch, call):
    """Each call reports its attempts. After Ctrl-C, a later call has its own deadline."""

    def interrupt(status):
        statuses.append(status)
        press_ctrl_c()

    statuses = []
    monkeypatch.setattr(connection, "STATUS_DELAY", 0.05)
    remote = make_remote(shared_sshd, endpoint_of_server(shared_sshd, port=1), on_status=interrupt)
    for timeout in (1000.0, 5000.0):
        monkeypatch.setattr(connection, "CONNECT_TIMEOUT", timeout)
        with pytest.raises((ConnectInterrupted, RemoteError), match=r"while connecting|interrupted before it was sent"):
            call(remote)
    first, second = map(parse_deadline, statuses)
    assert first != second


def test_callers_that_wait_at_once_are_told_the_earliest_deadline(make_remote, shared_sshd, monkeypatch):
    statuses = []
    monkeypatch.setattr(connection, "STATUS_DELAY", 0.05)
    monkeypatch.setattr(connection, "_STATUS_INTERVAL", 0.05)
    remote = make_remote(
        shared_sshd,
        endpoint_of_server(shared_sshd, port=1),
        on_status=lambda status: statuses.append((threading.get_ident(), parse_deadline(status))),
    )
    with ThreadPoolExecutor(2) as executor:
        monkeypatch.setattr(connection, "CONNECT_TIMEOUT", 1000.0)
        calls = [executor.submit(remote.connect)]
        wait_until(lambda: statuses)
        first_thread, deadline = statuses[0]
        monkeypatch.setattr(connection, "CONNECT_TIMEOUT", 5000.0)
        calls.append(executor.submit(remote.connect))
        wait_until(lambda: sum(thread != first_thread for thread, _ in statuses) > 2)
        remote.close()
        assert all(isinstance(call.exception(), RemoteUnavailable) for call in calls)
    assert all(later - deadline < timedelta(minutes=1) for _, later in statuses)


def test_ctrl_c_after_the_login_leaves_no_connection(sshd, make_remote, monkeypatch):
    async def wait_for_ever(self, *arguments, **options):
        press_ctrl_c()
        await asyncio.Event().wait()

    monkeypatch.setattr(asyncssh.SSHClientConnection, "create_process", wait_for_ever)
    with pytest.raises(ConnectInterrupted):
        make_remote(sshd).connect()
    wait_until(lambda: not sshd.sessions())


def test_callers_share_the_attempts_and_wait_as_long_as_each_allows(sshd, make_remote, monkeypatch):
    """A cell that was running waits longer than a new connection, and gets its result when the server is back."""
    monkeypatch.setattr(connection, "CONNECT_TIMEOUT", 0.2)
    remote = make_remote(sshd)
    remote.run("import os, time")
    go = sshd.folder / "go"
    notices = []
    remote.on_notice = notices.append
    with ThreadPoolExecutor(1) as executor:
        result = executor.submit(remote.run, f"while not os.path.exists({str(go)!r}): time.sleep(0.01)\n'end'")
        wait_until(lambda: remote.running_title)
        sshd.stop()
        wait_until(lambda: notices)
        with pytest.raises(PodUnreachable):
            remote.connect()
        go.touch()
        sshd.start()
        assert result.result().text == "'end'"
    assert notices == ["The connection to pod 1001 was lost; connecting again.", "Connected to pod 1001 again."]


def test_a_connection_is_closed_within_15_seconds_of_silence():
    assert login.KEEPALIVE_INTERVAL * (login.KEEPALIVE_COUNT + 1) <= 15


def test_a_frozen_connection_is_replaced(sshd, make_remote, monkeypatch):
    monkeypatch.setattr(login, "KEEPALIVE_INTERVAL", 0.3)
    notices = []
    remote = make_remote(sshd, on_notice=notices.append)
    assert remote.shell("echo 1").stdout == "1\n"
    frozen = sshd.sessions()
    sshd.signal_sessions(signal.SIGSTOP)
    wait_until(lambda: not remote.is_connected)
    assert remote.shell("echo 2").stdout == "2\n"
    assert notices == []
    for process in frozen:
        process.kill()


def test_a_pod_that_was_paused_is_an_error_at_once(sshd, make_remote):
    def lookup():
        raise InvalidPodState(None, None, "Pod train (1001) is PAUSED.", pod_id="1001", pod_status="PAUSED")

    remote = make_remote(sshd, lookup=lookup)
    remote.run("1")
    request_id = remote.submit("import time; time.sleep(60)")
    sshd.stop()
    started = time.monotonic()
    with pytest.raises(InvalidPodState, match="PAUSED"):
        remote.attach(request_id)
    assert time.monotonic() - started < 5


STARTING = InvalidPodState(
    None, None, "Pod 1001 is INITIALIZE.", pod_id="1001", pod_status="INITIALIZE", ssh_problem="not ready"
)


def test_a_pod_that_starts_again_is_waited_for(sshd, make_remote, monkeypatch):
    def lookup():
        """Say that the pod is starting, then that it runs."""
        if len(lookups) < 2:
            lookups.append("INITIALIZE")
            raise STARTING
        if len(lookups) == 2:
            lookups.append("the API fails")
            raise ServerError(None, 502, "Bad gateway.")
        return endpoint_of_server(sshd)

    lookups, notices = [], []
    remote = make_remote(sshd, lookup=lookup, on_notice=notices.append)
    remote.connect()
    sshd.drop()
    wait_until(lambda: not remote.is_connected)
    monkeypatch.setattr(connection, "CONNECT_TIMEOUT", 0.2)  # The third lookup is later than that.
    assert remote.shell("echo 1").returncode == 0
    assert notices == ["Pod 1001 is INITIALIZE and not reachable yet; waiting for it."]


def test_a_pod_that_is_still_starting_is_not_called_unreachable(shared_sshd, make_remote, monkeypatch):
    def lookup():
        raise STARTING

    monkeypatch.setattr(connection, "EXTENDED_TIMEOUT", 0.5)
    remote = make_remote(shared_sshd, endpoint_of_server(shared_sshd, port=1), lookup=lookup)
    with pytest.raises(InvalidPodState) as caught:
        remote.connect()
    assert describe(caught.value) == "Pod 1001 is INITIALIZE. Wait with: %yotta wait 1001 --until ssh"


def test_a_new_address_is_looked_up(sshd, make_remote, tmp_path):
    remote = make_remote(sshd, lookup=lambda: endpoint_of_server(sshd))
    assert remote.shell("echo 1").returncode == 0
    sshd.stop()
    sshd.port += 1
    sshd.start()
    assert remote.shell("echo 2").stdout == "2\n"


def test_a_pod_has_an_endpoint(record):
    port = ExposedPort(22, 32002, "SSH", "34.19.26.12", True, "ssh user@34.19.26.12 -p 32002 -i <private key file>")
    pod = Pod(id="7", pod_name="train", status="RUNNING", expose=[port], ssh_cmd="ssh ubuntu@34.19.26.12 -p 32002")
    assert endpoint_of(pod, "key") == Endpoint("7", "34.19.26.12", 32002, ("user", "ubuntu", "root"), "key", "train")
    with pytest.raises(
        InvalidPodState, match=r"Pod train \(7\) is PAUSED and not reachable by SSH\. Resume it"
    ) as caught:
        endpoint_of(Pod(id="7", pod_name="train", status="PAUSED", expose=[port]))
    assert (caught.value.pod_id, caught.value.pod_status, caught.value.ssh_problem) == ("7", "PAUSED", "not ready")
    with pytest.raises(InvalidPodState, match="exposes no SSH port"):
        endpoint_of(Pod(id="7", status="RUNNING"))


@pytest.mark.parametrize("extra", ["AllowStreamLocalForwarding no", "MaxSessions 10"])
def test_cells_run_where_unix_sockets_are_not_forwarded(tmp_path, make_remote, extra):
    with run_sshd(tmp_path, extra=extra) as server:
        assert make_remote(server).run("6 * 7").text == "42"


def test_only_the_loss_of_an_abandoned_connection_is_silent(caplog):
    def fail(error):
        raise error

    loop = background_loop()
    for error in (ConnectionResetError("lost"), asyncssh.ConnectionLost("lost"), ValueError("a mistake")):
        loop.call_soon_threadsafe(fail, error)
    wait_until(lambda: caplog.records)
    assert [str(record.exc_info[1]) for record in caplog.records] == ["a mistake"]
