"""SSH to a pod, with asyncssh: logins, commands, terminals, signals, files and forwards."""

import asyncio
import os
import socket
import stat

import asyncssh
import pytest

from .helpers import create_running_pod, ssh_port_of


@pytest.fixture
def run(ssh, port):
    """Connect to a pod, call an async function with the connection, and return its result."""

    async def connect_and_call(function, options):
        async with ssh.connect(port, **options) as connection:
            return await function(connection)

    return lambda function, **options: asyncio.run(asyncio.wait_for(connect_and_call(function, options), 60))


def test_healthy_means_reachable_at_once(ssh, serve_pods, wait_until):
    api = serve_pods(pods=0, speed=200)
    pod_id = api.create_pod()
    wait_until(lambda: api.get(pod_id)["expose"][0]["healthy"])
    assert ssh.run(ssh_port_of(api, pod_id), "echo hello").stdout == "hello\n"


def test_sample_pods_run_code(ssh, serve_pods):
    api = serve_pods()
    running = [pod["id"] for pod in api.list() if pod["status"] == "RUNNING"]
    homes = {ssh.run(ssh_port_of(api, pod_id), "pwd").stdout for pod_id in running}
    assert len(homes) == len(running) == 2


@pytest.mark.parametrize("user", ["root", "ubuntu", "user"])
def test_users_log_in(run, user):
    async def whoami(connection):
        return (await connection.run('echo "$USER $LOGNAME"')).stdout

    assert run(whoami, username=user) == f"{user} {user}\n"


@pytest.mark.parametrize(
    "options",
    [
        {"client_keys": [asyncssh.generate_private_key("ssh-ed25519")]},
        {"client_keys": None, "password": "ubuntu"},
        {"client_keys": None, "password": "ubuntu", "username": "ubuntu"},
        {"username": "admin"},
    ],
    ids=["other key", "password", "password of the image", "other user"],
)
def test_login_is_denied(run, options):
    with pytest.raises(asyncssh.PermissionDenied):
        run(lambda connection: connection.run("true"), **options)


def test_public_key_of_the_pod_replaces_that_of_the_account(ssh, pod_api):
    keys = [asyncssh.generate_private_key(name) for name in ("ssh-ed25519", "ecdsa-sha2-nistp256")]
    lines = [key.export_public_key().decode() for key in keys]
    variables = [{"key": "PUBLIC_KEY", "value": "# made up\n" + "\n".join(lines)}]
    port = ssh_port_of(pod_api, create_running_pod(pod_api, environmentVars=variables))

    async def log_in(key):
        async with ssh.connect(port, client_keys=[key]) as connection:
            return (await connection.run("cat .ssh/authorized_keys")).stdout

    for key in keys:
        assert lines[0].strip() in asyncio.run(log_in(key))
    with pytest.raises(asyncssh.PermissionDenied):
        asyncio.run(log_in(str(ssh.key_file)))


def test_default_key_may_be_created_after_the_first_login_attempt(ssh, serve_pods, monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    api = serve_pods(pods=0, public_keys=None)
    port = ssh_port_of(api, create_running_pod(api))
    assert "Permission denied (publickey)" in ssh.run(port, "true").stderr
    (tmp_path / ".yotta" / "ssh").mkdir(parents=True)
    (tmp_path / ".yotta" / "ssh" / "id_ed25519.pub").write_text(ssh.public_key + "\n")
    assert ssh.run(port, "echo hello").stdout == "hello\n"


def test_key_added_on_the_pod_is_accepted(run, ssh):
    key = asyncssh.generate_private_key("ssh-ed25519")
    line = key.export_public_key().decode().strip()
    run(lambda connection: connection.run(f"echo '{line}' >> ~/.ssh/authorized_keys", check=True))
    run(lambda connection: connection.run("true", check=True), client_keys=[key])


def test_streams_and_exit_status(run):
    async def check(connection):
        result = await connection.run("cat; echo error >&2; exit 7", input="in\n")
        assert (result.stdout, result.stderr, result.exit_status) == ("in\n", "error\n", 7)
        # The end of one stream does not end the other.
        result = await connection.run("exec >&-; sleep 0.1; echo late >&2")
        assert (result.stdout, result.stderr, result.exit_status) == ("", "late\n", 0)
        result = await connection.run("kill -KILL $$")
        assert result.exit_signal[0] == "KILL"
        assert (await connection.run("no-such-command")).exit_status == 127
        assert (await connection.run("exec <&-; sleep 0.1", input="x" * 10**6)).exit_status == 0

    run(check)


def test_output_is_complete_and_in_order(run):
    async def check(connection):
        result = await connection.run("seq 1 300000", check=True)
        assert result.stdout == "".join(f"{number}\n" for number in range(1, 300001))
        data = os.urandom(3_000_000)
        result = await connection.run("cat", input=data, encoding=None, check=True)
        assert result.stdout == data

    run(check)


def test_output_before_the_command_ends(run):
    async def check(connection):
        async with connection.create_process("echo first; read line; echo $line; sleep 100") as process:
            assert await process.stdout.readline() == "first\n"
            process.stdin.write("second\n")
            assert await process.stdout.readline() == "second\n"
            process.kill()

    run(check)


def test_environment(ssh, pod_api):
    variables = [{"key": "YOTTA_MADE_UP", "value": "a = 'b' $c\n"}, {"key": "JUPYTER_PASSWORD", "value": "secret"}]
    port = ssh_port_of(pod_api, create_running_pod(pod_api, environmentVars=variables))

    async def environment():
        async with ssh.connect(port, env={"LC_TIME": "C", "LD_PRELOAD": "x"}) as connection:
            result = await connection.run("env -0", check=True)
            return dict(line.split("=", 1) for line in result.stdout.split("\0") if line)

    actual = asyncio.run(environment())
    assert actual["YOTTA_MADE_UP"] == "a = 'b' $c\n"
    assert actual["HOME"] == actual["PWD"]
    assert actual["LC_TIME"] == "C"
    assert actual["SSH_CONNECTION"].split()[3] == str(port)
    # The images pass on only YOTTA_*, sshd only the locale, and the sandbox no key of its own environment.
    assert not {"JUPYTER_PASSWORD", "LD_PRELOAD", "PYTHONPATH", "PYTEST_CURRENT_TEST"} & set(actual)


def test_signal_reaches_the_process_group(run):
    async def check(connection):
        # The background process has the output open, so that the command ends only if it gets the signal too.
        async with connection.create_process(
            "trap 'echo caught; exit 3' TERM; sleep 100 & echo ready; wait"
        ) as process:
            assert await process.stdout.readline() == "ready\n"
            process.send_signal("TERM")
            result = await process.wait()
        assert (result.stdout, result.exit_status) == ("caught\n", 3)

    run(check)


@pytest.mark.parametrize("name", ["INT", "HUP", "USR1", "KILL"])
def test_signal_ends_a_command(run, name):
    async def check(connection):
        async with connection.create_process("echo ready; exec sleep 100") as process:
            assert await process.stdout.readline() == "ready\n"
            process.send_signal("NONSENSE")
            process.send_signal(name)
            assert (await process.wait()).exit_signal[0] == name

    run(check)


def test_terminal(run):
    async def check(connection):
        options = {"term_type": "vt100", "term_size": (101, 33)}
        async with connection.create_process("tty; stty size; echo $TERM; read x; stty size", **options) as process:
            assert (await process.stdout.readline()).startswith("/dev/")
            assert await process.stdout.readline() == "33 101\r\n"
            assert await process.stdout.readline() == "vt100\r\n"
            process.change_terminal_size(80, 24)
            process.stdin.write("\n")
            assert await process.stdout.readline() == "\r\n"
            assert await process.stdout.readline() == "24 80\r\n"
        modes = {asyncssh.PTY_ECHO: 0, asyncssh.PTY_VINTR: 24}
        async with connection.create_process("stty -a", term_type="dumb", term_modes=modes) as process:
            settings = await process.stdout.read()
            assert " -echo " in settings
            assert "intr = ^X" in settings

    run(check)


def test_ctrl_c_in_a_terminal(run):
    async def check(connection):
        async with connection.create_process("echo ready; exec sleep 100", term_type="xterm") as process:
            assert await process.stdout.readline() == "ready\r\n"
            process.stdin.write("\x03")
            assert (await process.wait()).exit_signal[0] == "INT"

    run(check)


def test_shell(run):
    async def check(connection):
        async with connection.create_process(term_type="xterm") as process:
            process.stdin.write("which python3; shopt login_shell; exit 4\n")
            result = await process.wait()
            assert "/venv/bin/python3\r\n" in result.stdout
            assert "login_shell    \ton" in result.stdout
            assert result.exit_status == 4

    run(check)


def test_sftp(run, tmp_path):
    (tmp_path / "tree" / "ä b").mkdir(parents=True)
    (tmp_path / "tree" / "ä b" / "data").write_bytes(os.urandom(2_000_000))
    (tmp_path / "tree" / "script").write_text("#!/bin/sh\n")
    (tmp_path / "tree" / "script").chmod(0o750)

    async def check(connection):
        async with connection.start_sftp_client() as sftp:
            home = await sftp.realpath(".")
            assert home == (await connection.run("pwd")).stdout.strip()
            assert set(await sftp.listdir()) >= {"workspace", ".bashrc"}
            await sftp.put(tmp_path / "tree", "workspace", recurse=True, preserve=True)
            assert stat.S_IMODE((await sftp.stat("workspace/tree/script")).permissions) == 0o750
            await sftp.rename("workspace/tree", "workspace/copy")
            await sftp.get(f"{home}/workspace/copy", tmp_path / "back", recurse=True, preserve=True)
            with pytest.raises(asyncssh.SFTPNoSuchFile):
                await sftp.stat("missing")

    run(check)
    names = ["ä b/data", "script"]
    assert [(tmp_path / "back" / name).read_bytes() for name in names] == [
        (tmp_path / "tree" / name).read_bytes() for name in names
    ]


def test_other_subsystems_are_refused(run):
    async def check(connection):
        with pytest.raises(asyncssh.ChannelOpenError):
            await connection.create_process(subsystem="netconf")

    run(check)


# A server that sends back what it receives. It prints its port, or "ready" if it uses a Unix socket.
ECHO_SERVER = """
import socket, sys
kind, address = sys.argv[1:]
server = socket.socket(socket.AF_UNIX if kind == "unix" else socket.AF_INET)
server.bind(address if kind == "unix" else ("127.0.0.1", 0))
server.listen()
print("ready" if kind == "unix" else server.getsockname()[1], flush=True)
while True:
    connection, _ = server.accept()
    while data := connection.recv(65536):
        connection.sendall(data)
    connection.close()
"""


async def check_echo(streams):
    reader, writer = streams
    for data in (b"hello", os.urandom(500_000)):
        writer.write(data)
        assert await reader.readexactly(len(data)) == data
    writer.close()


def test_forward_to_a_port(run):
    async def check(connection):
        async with connection.create_process(f"python3 -c '{ECHO_SERVER}' tcp -") as process:
            port = int(await process.stdout.readline())
            await check_echo(await connection.open_connection("127.0.0.1", port))
            listener = await connection.forward_local_port("127.0.0.1", 0, "127.0.0.1", port)
            await check_echo(await asyncio.open_connection("127.0.0.1", listener.get_port()))
            listener.close()
            process.kill()
            await process.wait()
        with pytest.raises(asyncssh.ChannelOpenError):
            await connection.open_connection("127.0.0.1", port)

    run(check)


def test_forward_to_a_unix_socket(run):
    async def check(connection):
        async with connection.create_process(f"python3 -c '{ECHO_SERVER}' unix echo.sock") as process:
            assert await process.stdout.readline() == "ready\n"
            path = (await connection.run("realpath echo.sock")).stdout.strip()
            for name in ("echo.sock", path):
                await check_echo(await connection.open_unix_connection(name))
            process.kill()
        with pytest.raises(asyncssh.ChannelOpenError):
            await connection.open_unix_connection("missing.sock")

    run(check)


def test_remote_forward(run):
    async def check(connection):
        server = await asyncio.start_server(lambda reader, writer: writer.close(), "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        listener = await connection.forward_remote_port("127.0.0.1", 0, "127.0.0.1", port)
        code = f"import socket; print(socket.create_connection(('127.0.0.1', {listener.get_port()})).recv(1))"
        assert (await connection.run(f'python3 -c "{code}"', check=True)).stdout == "b''\n"
        server.close()

    run(check)


def test_many_sessions_on_one_connection(run):
    async def check(connection):
        results = await asyncio.gather(*(connection.run(f"sleep 0.1; exit {number}") for number in range(40)))
        assert [result.exit_status for result in results] == list(range(40))

    run(check)


def test_background_process_holds_the_session_open(run):
    async def check(connection):
        result = await connection.run("(sleep 0.2; echo late) & exit 3")
        assert (result.stdout, result.exit_status) == ("late\n", 3)

    run(check)


def test_garbage_does_not_harm_the_server(run, port):
    for data in (b"GET / HTTP/1.1\r\n\r\n", b"SSH-2.0-x\r\n" + bytes(100), os.urandom(1000)):
        with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
            connection.sendall(data)
    run(lambda connection: connection.run("true", check=True))
