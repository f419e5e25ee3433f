"""What ends with a pod, with the sandbox and with the process that runs it, and what a pause keeps."""

import asyncio
import errno
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import asyncssh
import psutil
import pytest
import requests

from yotta_jupyter.sandbox import Sandbox

from .helpers import create_running_pod, pause_and_resume, pod_processes, ssh_port_of

# A shell command that starts a daemon which ignores signals, and prints its process ID.
START_DAEMON = (
    "python3 -c 'import os, signal, time\n"
    "signal.signal(signal.SIGHUP, signal.SIG_IGN)\n"
    "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
    "for _ in range(2):\n"
    "    if os.fork(): os._exit(0)\n"
    "    os.setsid()\n"
    'open("daemon.pid", "w").write(str(os.getpid()))\n'
    "time.sleep(1000)' > /dev/null 2>&1 < /dev/null; "
    "while ! test -s daemon.pid; do sleep 0.01; done; cat daemon.pid"
)


def is_running(pid):
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def is_refused(port):
    with socket.socket() as connection:
        return connection.connect_ex(("127.0.0.1", port)) == errno.ECONNREFUSED


def start_daemon(ssh, port):
    """Start a daemon on a pod and return its process ID."""
    pid = int(ssh.run(port, START_DAEMON).stdout)
    assert is_running(pid)
    return pid


def end_pod(api, pod_id, action):
    """Pause or delete a pod and return the response."""
    if action == "pause":
        return api.request("POST", f"pause/{pod_id}")
    return api.request("DELETE", pod_id)


async def start_command(connection):
    """Start a command that does not end. Return its asyncssh process and its process ID."""
    process = await connection.create_process("echo $$; exec sleep 1000")
    return process, int(await process.stdout.readline())


@pytest.mark.parametrize("action", ["pause", "delete"])
def test_end_of_a_pod_ends_everything_on_it(ssh, pod_api, wait_until, action, pod_directory):
    pod_id = create_running_pod(pod_api)
    port = ssh_port_of(pod_api, pod_id)
    daemon = start_daemon(ssh, port)

    async def check():
        async with ssh.connect(port) as connection:
            process, pid = await start_command(connection)
            response = end_pod(pod_api, pod_id, action)
            assert response.json()["code"] == 10000
            await asyncio.wait_for(connection.wait_closed(), 5)
            assert process.exit_status is None
        return pid

    pid = asyncio.run(check())
    wait_until(lambda: not is_running(pid) and not is_running(daemon), 5)
    wait_until(lambda: not list(pod_directory.iterdir()), 5)
    assert is_refused(port)


def test_pause_erases_all_files_without_a_persistent_volume(ssh, pod_api):
    pod_id = create_running_pod(pod_api)
    port = ssh_port_of(pod_api, pod_id)
    ssh.run(port, "touch a workspace/b; mkdir -p locked/x; chmod 500 locked")
    pause_and_resume(pod_api, pod_id)
    new_port = ssh_port_of(pod_api, pod_id)
    assert ssh.run(new_port, "ls; ls workspace").stdout == "workspace\n"


@pytest.mark.parametrize(
    ("mount_path", "directory", "is_kept"),
    [
        ("/workspace", "workspace", True),
        ("/mnt/data", "mnt/data", True),
        ("/", ".", False),
        ("/../other", ".", False),
    ],
)
def test_pause_keeps_a_persistent_volume(ssh, pod_api, wait_until, mount_path, directory, is_kept):
    pod_id = create_running_pod(pod_api, persistentVolumeInGb=10, persistentMountPath=mount_path)
    for expected in ("x\n", "x\nx\n"):
        port = ssh_port_of(pod_api, pod_id)
        daemon = start_daemon(ssh, port)
        result = ssh.run(port, f"touch outside; pip --version && cd {directory} && mkdir -p d && echo x >> d/file")
        assert result.returncode == 0, result.stderr
        pause_and_resume(pod_api, pod_id)
        wait_until(lambda port=port: is_refused(port), 5)
        port = ssh_port_of(pod_api, pod_id)
        assert ssh.run(port, f"cat {directory}/d/file").stdout == (expected if is_kept else "")
        assert ssh.run(port, "ls outside daemon.pid").stdout == ""
        assert not is_running(daemon)


def test_resume_changes_the_host_key(ssh, pod_api):
    pod_id = create_running_pod(pod_api, persistentVolumeInGb=10, persistentMountPath="/workspace")

    async def host_key():
        return await asyncssh.get_server_host_key("127.0.0.1", ssh_port_of(pod_api, pod_id), config=None)

    before = asyncio.run(host_key())
    assert asyncio.run(host_key()) == before
    pause_and_resume(pod_api, pod_id)
    assert asyncio.run(host_key()) != before


def test_disconnect_hangs_up_commands_but_not_daemons(ssh, pod_api, wait_until):
    pod_id = create_running_pod(pod_api)
    port = ssh_port_of(pod_api, pod_id)
    daemon = start_daemon(ssh, port)

    async def check():
        async with ssh.connect(port) as connection:
            _, pid = await start_command(connection)
            terminal = await connection.create_process("echo $$; exec sleep 1000", term_type="xterm")
            terminal_pid = int(await terminal.stdout.readline())
            background = await connection.create_process("nohup sleep 1000 > /dev/null 2>&1 & echo $!; sleep 1000")
            nohup_pid = int(await background.stdout.readline())
            while Path(f"/proc/{nohup_pid}/comm").read_text() != "sleep\n":  # Until nohup ignores the signal.
                await asyncio.sleep(0.01)
            connection.abort()
        return [pid, terminal_pid], nohup_pid

    pids, nohup_pid = asyncio.run(check())
    wait_until(lambda: not any(map(is_running, pids)), 5)
    assert is_running(daemon)
    assert is_running(nohup_pid)


def test_killed_connection_and_running_server(ssh, pod_api):
    pod_id = create_running_pod(pod_api)
    port = ssh_port_of(pod_api, pod_id)
    assert pod_api.sandbox.ssh_port(pod_id) == port

    async def check():
        async with ssh.connect(port) as connection:
            process, _ = await start_command(connection)
            pod_api.sandbox.kill_connections(pod_id)
            await asyncio.wait_for(connection.wait_closed(), 5)
            assert process.exit_status is None
        async with ssh.connect(port) as connection:
            await connection.run("true", check=True)

    asyncio.run(check())


def test_frozen_connection_is_half_open(ssh, pod_api):
    pod_id = create_running_pod(pod_api)
    port = ssh_port_of(pod_api, pod_id)
    sandbox = pod_api.sandbox

    async def check():
        async with ssh.connect(port) as connection, connection.create_process("cat") as process:
            sandbox.freeze(pod_id)
            sandbox.freeze(pod_id)
            process.stdin.write("hello\n")
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(process.stdout.readline(), 0.5)
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(ssh.connect(port).__aenter__(), 0.5)
            sandbox.thaw(pod_id)
            assert await asyncio.wait_for(process.stdout.readline(), 5) == "hello\n"
            sandbox.thaw(pod_id)
            # A second freeze, which ends by cutting the connection.
            sandbox.freeze(pod_id)
            process.stdin.write("lost\n")
            sandbox.kill_connections(pod_id)
            await asyncio.wait_for(connection.wait_closed(), 5)
            sandbox.thaw(pod_id)
        async with ssh.connect(port) as connection:
            await connection.run("true", check=True)

    asyncio.run(check())


@pytest.mark.parametrize("action", ["pause", "delete", "stop"])
def test_frozen_pod_can_end(ssh, pod_api, wait_until, action):
    pod_id = create_running_pod(pod_api, persistentVolumeInGb=10, persistentMountPath="/workspace")
    daemon = start_daemon(ssh, ssh_port_of(pod_api, pod_id))
    pod_api.sandbox.freeze(pod_id)
    if action == "stop":
        pod_api.sandbox.stop()
    else:
        end_pod(pod_api, pod_id, action)
    wait_until(lambda: not is_running(daemon), 5)


def test_pods_without_a_server(serve_pods, record):
    api = serve_pods(records=[record(status="RUNNING")])
    assert api.get(record()["id"]) == record(status="RUNNING")
    for method in ("ssh_port", "kill_connections", "freeze", "thaw"):
        for pod_id in (record()["id"], "1"):
            with pytest.raises(LookupError, match="has no SSH server"):
                getattr(api.sandbox, method)(pod_id)


def test_stop_and_start_give_new_servers(ssh, pod_api, pod_directory):
    pod_id = create_running_pod(pod_api)
    daemon = start_daemon(ssh, ssh_port_of(pod_api, pod_id))
    pod_api.sandbox.stop()
    assert not is_running(daemon)
    assert pod_processes(pod_directory) == []
    assert list(pod_directory.iterdir()) == []
    pod_api.sandbox.start()
    result = ssh.run(ssh_port_of(pod_api, pod_id), "ls")
    assert (result.stdout, result.stderr) == ("workspace\n", "")


def test_reset_ends_all_pods(ssh, pod_api, wait_until):
    daemon = start_daemon(ssh, ssh_port_of(pod_api, create_running_pod(pod_api)))
    pod_api.sandbox.reset()
    wait_until(lambda: not is_running(daemon), 5)


def test_killed_server_leaves_nothing(ssh, pod_api, pod_directory, wait_until):
    """The process of a pod is killed, for example because memory is short."""
    pod_id = create_running_pod(pod_api)
    port = ssh_port_of(pod_api, pod_id)
    daemon = start_daemon(ssh, port)
    server = int(ssh.run(port, "echo $PPID").stdout)
    os.kill(server, signal.SIGKILL)
    wait_until(lambda: not is_running(daemon) and not list(pod_directory.iterdir()), 10)
    with pytest.raises(LookupError):
        pod_api.sandbox.ssh_port(pod_id)


# A process with a sandbox. It prints the SSH ports of two pods and the process ID of a forked child.
HOSTING_SCRIPT = """
import multiprocessing, sys, time
from yotta_jupyter.sandbox import Sandbox
sandbox = Sandbox(public_keys=[sys.argv[1]]).start()
# A forked child has copies of all file descriptors.
multiprocessing.get_context("fork").Process(target=time.sleep, args=[1000], daemon=True).start()
running = [pod["id"] for pod in sandbox.pods() if pod["status"] == "RUNNING"]
if "frozen" in sys.argv:
    sandbox.freeze(running[1])
ports = [sandbox.ssh_port(pod_id) for pod_id in running]
print(*ports, *(process.pid for process in multiprocessing.active_children()), flush=True)
sys.stdin.read()
"""


@pytest.mark.parametrize("end", ["SIGKILL", "SIGTERM", "SIGINT", "exit"])
def test_nothing_outlives_the_hosting_process(ssh, pod_directory, wait_until, end):
    command = [sys.executable, "-c", HOSTING_SCRIPT, ssh.public_key, "frozen"]
    host = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    try:
        port, _, forked = map(int, host.stdout.readline().split())
        daemon = start_daemon(ssh, port)
        assert len(list(pod_directory.iterdir())) == 2
        if end == "exit":
            host.stdin.close()
        else:
            host.send_signal(signal.Signals[end])
        wait_until(lambda: not is_running(daemon) and not list(pod_directory.iterdir()), 10)
        wait_until(lambda: pod_processes(pod_directory) == [], 10)
    finally:
        if is_running(forked):
            os.kill(forked, signal.SIGKILL)
        host.kill()
        with host:  # Close its streams.
            pass


def test_command_ends_its_pods(ssh, pod_directory, tmp_path):
    key_file = tmp_path / "key.pub"
    key_file.write_text(ssh.public_key)
    command = [sys.executable, "-m", "yotta_jupyter.sandbox", "--public-key", str(key_file)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        url, key = (process.stdout.readline().strip().partition("=")[2] for _ in range(2))
        pods = requests.get(f"{url}/openapi/v1/pods/list", headers={"x-api-key": key}, timeout=20).json()["data"]
        port = next(pod["expose"][0]["proxyPort"] for pod in pods if pod["status"] == "RUNNING")
        daemon = start_daemon(ssh, port)
        process.terminate()
        assert process.wait(20) == 0
    assert not is_running(daemon)


def test_starting_a_sandbox_starts_no_process(pod_directory):
    with Sandbox(speed=1000) as sandbox:
        assert [pod["expose"][0]["host"] for pod in sandbox.pods()].count("127.0.0.1") == 2
        assert pod_processes(pod_directory) == []


@pytest.mark.parametrize("module", ["asyncssh", "psutil"])
def test_without_asyncssh_the_addresses_are_made_up(module):
    code = (
        f"import sys; sys.modules['{module}'] = None\n"
        "from yotta_jupyter.sandbox import Sandbox\n"
        "with Sandbox() as sandbox:\n"
        "    print(sandbox.notice)\n"
        "    print([pod['expose'][0]['host'] for pod in sandbox.pods()])\n"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    notice, hosts = result.stdout.splitlines()
    assert notice == f'Its pods run no code: {module} is not installed: pip install "yotta-jupyter[sandbox]".'
    assert "127.0.0.1" not in hosts


def test_the_sandbox_does_not_import_asyncssh():
    code = (
        "import sys; from yotta_jupyter.sandbox import Sandbox\n"
        "with Sandbox() as sandbox: print('asyncssh' in sys.modules, sandbox.notice)\n"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert result.stdout.startswith("False Code that you run on its pods runs on this machine, as the user ")
