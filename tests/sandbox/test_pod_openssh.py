"""SSH to a pod with the OpenSSH client: ssh, scp and sftp."""

import os
import socket
import subprocess

import pytest

from .helpers import Ssh, create_running_pod, ssh_port_of

NO_INPUT = {"stdin": subprocess.DEVNULL}


def test_command_and_exit_status(ssh, port):
    result = ssh.run(port, "cat; echo error >&2; exit 7", input="in\n")
    assert (result.stdout, result.stderr, result.returncode) == ("in\n", "error\n", 7)
    assert ssh.run(port, "kill -TERM $$", **NO_INPUT).returncode == 255


def test_terminal(ssh, port):
    result = ssh.run(port, "-tt", "tty && test -t 0 -a -t 1 -a -t 2", **NO_INPUT)
    assert result.returncode == 0
    assert result.stdout.startswith("/dev/")


def test_other_key_and_password_are_denied(ssh, port, tmp_path):
    results = [
        Ssh(tmp_path).run(port, "true"),
        ssh.run(port, "-o", "PreferredAuthentications=password,keyboard-interactive", "true"),
    ]
    for result in results:
        assert (result.returncode, result.stdout) == (255, "")
        assert "Permission denied (publickey)" in result.stderr


@pytest.mark.parametrize("protocol", ["-s", "-O"], ids=["sftp", "legacy"])
def test_scp(ssh, port, tmp_path, protocol):
    source = tmp_path / "ä b"
    source.mkdir()
    (source / "data").write_bytes(os.urandom(3_000_000))
    (source / "script").write_text("#!/bin/sh\n")
    (source / "script").chmod(0o750)

    def scp(*arguments):
        command = ssh.command("scp", port, protocol, "-rp", *map(str, arguments))
        subprocess.run(command, capture_output=True, timeout=60, check=True)

    scp(source, "root@127.0.0.1:workspace/copy")
    assert ssh.run(port, "stat -c %a workspace/copy/script").stdout == "750\n"
    scp("root@127.0.0.1:workspace/copy", tmp_path / "back")
    assert (tmp_path / "back" / "data").read_bytes() == (source / "data").read_bytes()


def test_sftp(ssh, port, tmp_path):
    (tmp_path / "data").write_bytes(b"hello")
    batch = f"pwd\nput {tmp_path}/data workspace/a\nget workspace/a {tmp_path}/back\nls workspace\nrm workspace/a\n"
    command = ssh.command("sftp", port, "-b", "-", "root@127.0.0.1")
    result = subprocess.run(command, input=batch, capture_output=True, text=True, timeout=60, check=True)
    assert "/home" in result.stdout
    assert (tmp_path / "back").read_bytes() == b"hello"


def test_forward_of_a_local_port(ssh, port, wait_until):
    with socket.create_server(("127.0.0.1", 0)) as unused:
        local_port = unused.getsockname()[1]
    with socket.create_server(("127.0.0.1", 0)) as target:
        forward = f"127.0.0.1:{local_port}:127.0.0.1:{target.getsockname()[1]}"
        command = ssh.command("ssh", port, "-N", "-L", forward, "-o", "ExitOnForwardFailure=yes", "root@127.0.0.1")
        with subprocess.Popen(command, **NO_INPUT) as process:
            connection = socket.socket()
            wait_until(lambda: connection.connect_ex(("127.0.0.1", local_port)) == 0)
            accepted, _ = target.accept()
            with accepted, connection:
                connection.sendall(b"hello")
                assert accepted.recv(5) == b"hello"
            process.terminate()


def test_too_many_servers_are_refused_with_a_reason(ssh, serve_pods):
    api = serve_pods(pods=0)
    pods = [create_running_pod(api) for _ in range(17)]
    for pod_id in pods[:16]:
        assert ssh.run(ssh_port_of(api, pod_id), "true").returncode == 0
    port = ssh_port_of(api, pods[16])
    result = ssh.run(port, "true")
    assert result.returncode == 255
    assert "at most 16 pods at once. Pause or delete one of the others, then try again." in result.stderr
    with pytest.raises(LookupError, match="at most 16 pods at once"):
        api.sandbox.freeze(pods[16])
    api.request("DELETE", pods[3])
    assert ssh.run(port, "true").returncode == 0


def test_pods_without_a_port_of_their_own_are_refused_with_a_reason(ssh, serve_pods):
    api = serve_pods(pods=120)
    sample_ports = {port["proxyPort"] for pod in api.list() for port in pod["expose"] if port["host"] == "127.0.0.1"}
    assert len(sample_ports) == 33  # Those of the first 32 pods, and the one that refuses.
    # Pods that are created later have ports of their own.
    assert ssh.run(ssh_port_of(api, create_running_pod(api)), "true").returncode == 0
    for _ in range(31):
        create_running_pod(api)
    port = ssh_port_of(api, create_running_pod(api))
    assert port in sample_ports
    result = ssh.run(port, "true")
    assert result.returncode == 255
    assert "no port left for this pod. Delete other pods, then pause and resume this one" in result.stderr
