"""SSH commands are built from validated and quoted parts."""

import shlex

import pytest

from yotta_jupyter import InvalidPodState, InvalidRequest, Pod, ssh
from yotta_jupyter.models import ExposedPort


def pod(status="RUNNING", name="train", **port):
    fields = {"port": 22, "protocol": "SSH", "host": "192.0.2.7", "proxy_port": 32002, "healthy": True, **port}
    return Pod(id="123", pod_name=name, status=status, expose=[ExposedPort(**fields)])


@pytest.mark.parametrize(
    ("ingress", "user"),
    [
        (None, "user"),
        ("", "user"),
        ("ssh [email protected] -p 32002 -i <private key file>", "user"),
        ("ssh root@192.0.2.7 -p 32002 -i <private key file>", "root"),
        ("ssh -oProxyCommand=x@192.0.2.7", "user"),
        ("ssh $(id)@192.0.2.7", "user"),
        ("ssh a;b@192.0.2.7", "user"),
        ("curl root@192.0.2.7", "user"),
    ],
)
def test_user_is_parsed_from_the_ingress_url(ingress, user):
    command = ssh.command(pod(ingress_url=ingress))
    assert command == f"ssh {user}@192.0.2.7 -p 32002"
    assert ssh.try_command(pod(ingress_url=ingress)) == command


@pytest.mark.parametrize(
    ("key_file", "quoted"),
    [
        ("~/.ssh/id_ed25519", "~/.ssh/id_ed25519"),
        ("~/my keys/id", "~/'my keys/id'"),
        ("/k/$(id)", "'/k/$(id)'"),
        ("a;b", "'a;b'"),
        ("~", "'~'"),
        ("~/", "'~/'"),
    ],
)
def test_key_file_is_quoted(key_file, quoted):
    assert ssh.command(pod(), key_file) == f"ssh user@192.0.2.7 -p 32002 -i {quoted}"


@pytest.mark.parametrize("key_file", ["", "a\nb", "a\x00", "a\x1b[2J"])
def test_invalid_key_file_is_rejected(key_file):
    for build in (ssh.command, ssh.config_block):
        with pytest.raises(InvalidRequest):
            build(pod(), key_file)


@pytest.mark.parametrize("user", ["", "-oProxyCommand=x", "a b", "a@b", "a\nb", "$(id)", "é"])
def test_invalid_user_is_rejected(user):
    with pytest.raises(InvalidRequest):
        ssh.command(pod(), user=user)


@pytest.mark.parametrize("user", ["root", "first.last", "_x-1"])
def test_user_argument_replaces_the_parsed_user(user):
    assert ssh.command(pod(ingress_url="ssh other@h"), user=user).startswith(f"ssh {user}@")


@pytest.mark.parametrize("host", ["192.0.2.7", "pod-1.example.org", "localhost", "2001:db8::7"])
def test_host_is_a_name_or_an_address(host):
    assert shlex.split(ssh.command(pod(host=host)))[1] == f"user@{host}"
    assert ssh.try_command(pod(host=host)) == ssh.command(pod(host=host))


@pytest.mark.parametrize(
    "port",
    [
        *(
            {"host": host}
            for host in ("-oProxyCommand=x", "h;id", "h h", "$(id)", "h\nHost *", "", "h\n", "a@b", "fe80::1%$x")
        ),
        *({"proxy_port": number} for number in (0, -1, 70000)),
    ],
)
def test_invalid_address_is_an_error(port):
    for build in (ssh.command, ssh.config_block):
        with pytest.raises(InvalidPodState) as error:
            build(pod(**port))
        assert "\n" not in str(error.value)
    assert ssh.try_command(pod(**port)) is None


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"status": "PAUSED"}, 'is PAUSED and not reachable by SSH. Resume it with pods.resume("123")'),
        ({"status": "INITIALIZE"}, 'Wait with pods.wait("123", "SSH")'),
        ({"healthy": False}, 'Wait with pods.wait("123", "SSH")'),
        ({"host": None, "healthy": None}, 'Wait with pods.wait("123", "SSH")'),
        ({"host": None}, "not reachable"),
        ({"proxy_port": None}, "not reachable"),
        ({"status": "FAILED"}, "is FAILED and not reachable"),
        ({"protocol": "HTTP"}, "exposes no SSH port"),
        ({"protocol": None}, "exposes no SSH port"),
    ],
)
def test_unreachable_pod_is_an_error_with_its_status(changes, message):
    unreachable = pod(**changes)
    with pytest.raises(InvalidPodState) as error:
        ssh.command(unreachable)
    assert message in str(error.value)
    assert (error.value.pod_id, error.value.pod_status) == ("123", unreachable.status)
    assert ssh.try_command(unreachable) is None


def test_lower_case_protocol_is_ssh():
    lower = pod(protocol="ssh")
    assert ssh.try_command(lower) == ssh.command(lower)


@pytest.mark.parametrize(
    ("name", "alias"),
    [("train", "train"), (None, "yotta-123"), ("a b", "yotta-123"), ("*", "yotta-123"), ("a\nb", "yotta-123")],
)
def test_config_block(name, alias):
    assert ssh.config_block(pod(name=name), "~/my keys/id") == (
        f'Host {alias}\n    HostName 192.0.2.7\n    Port 32002\n    User user\n    IdentityFile "~/my keys/id"'
    )


def test_config_block_without_a_key_file():
    assert "IdentityFile" not in ssh.config_block(pod())


def test_quote_in_a_path_is_rejected_in_a_config_block():
    with pytest.raises(InvalidRequest, match="quote"):
        ssh.config_block(pod(), 'a" b')


def test_command_of_a_running_pod_of_the_sandbox(yotta):
    running = next(pod for pod in yotta.pods.list() if pod.ssh_ready)
    assert ssh.command(running) == yotta.pods.frame().loc[running.id, "ssh"]
