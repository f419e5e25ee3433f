"""The command that reaches a pod is made of checked parts."""

import shlex

import pytest

from yotta_jupyter import InvalidPodState, InvalidRequest, Pod, ssh
from yotta_jupyter.api import ExposedPort


def pod(status="RUNNING", name="train", **port):
    given = {"port": 22, "protocol": "SSH", "host": "192.0.2.7", "proxy_port": 32002, "healthy": True, **port}
    return Pod(id="123", pod_name=name, status=status, expose=[ExposedPort(**given)])


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
def test_the_user_comes_from_the_ingress_url_where_it_parses(ingress, user):
    made = ssh.command(pod(ingress_url=ingress))
    assert made == f"ssh {user}@192.0.2.7 -p 32002"
    assert ssh.command_or_none("RUNNING", pod(ingress_url=ingress).expose) == made


@pytest.mark.parametrize(
    ("key_file", "shown"),
    [
        ("~/.ssh/id_ed25519", "~/.ssh/id_ed25519"),
        ("~/my keys/id", "~/'my keys/id'"),
        ("/k/$(id)", "'/k/$(id)'"),
        ("a;b", "'a;b'"),
        ("~", "'~'"),
        ("~/", "'~/'"),
    ],
)
def test_a_key_file_is_quoted(key_file, shown):
    assert ssh.command(pod(), key_file) == f"ssh user@192.0.2.7 -p 32002 -i {shown}"


@pytest.mark.parametrize("key_file", ["", "a\nb", "a\x00", "a\x1b[2J"])
def test_a_key_file_that_is_none_is_refused(key_file):
    for make in (ssh.command, ssh.config_block):
        with pytest.raises(InvalidRequest):
            make(pod(), key_file)


@pytest.mark.parametrize("user", ["", "-oProxyCommand=x", "a b", "a@b", "a\nb", "$(id)", "é"])
def test_a_user_that_is_none_is_refused(user):
    with pytest.raises(InvalidRequest):
        ssh.command(pod(), user=user)


@pytest.mark.parametrize("user", ["root", "first.last", "_x-1"])
def test_a_user_may_be_chosen(user):
    assert ssh.command(pod(ingress_url="ssh other@h"), user=user).startswith(f"ssh {user}@")


@pytest.mark.parametrize("host", ["192.0.2.7", "pod-1.example.org", "localhost", "2001:db8::7"])
def test_a_host_is_a_name_or_an_address(host):
    assert shlex.split(ssh.command(pod(host=host)))[1] == f"user@{host}"
    assert ssh.command_or_none("RUNNING", pod(host=host).expose) == ssh.command(pod(host=host))


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
def test_an_address_that_is_none_makes_no_command(port):
    for make in (ssh.command, ssh.config_block):
        with pytest.raises(InvalidPodState) as caught:
            make(pod(**port))
        assert "\n" not in str(caught.value)
    assert ssh.command_or_none("RUNNING", pod(**port).expose) is None


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"status": "PAUSED"}, "%yotta resume 123 --wait"),
        ({"status": "INITIALIZE"}, "%yotta wait 123 --until ssh"),
        ({"healthy": False}, "%yotta wait 123 --until ssh"),
        ({"host": None, "healthy": None}, "%yotta wait 123 --until ssh"),
        ({"host": None}, "not reachable"),
        ({"proxy_port": None}, "not reachable"),
        ({"status": "FAILED"}, "%yotta list"),
        ({"protocol": "HTTP"}, "exposes no SSH port"),
        ({"protocol": None}, "exposes no SSH port"),
    ],
)
def test_a_pod_that_is_not_reachable_says_why_and_what_next(changes, told):
    unreachable = pod(**changes)
    with pytest.raises(InvalidPodState) as caught:
        ssh.command(unreachable)
    assert told in str(caught.value)
    assert ssh.command_or_none(unreachable.status, unreachable.expose) is None


def test_a_protocol_in_small_letters_counts():
    lower = pod(protocol="ssh")
    assert ssh.command_or_none("RUNNING", lower.expose) == ssh.command(lower)


@pytest.mark.parametrize(
    ("name", "alias"),
    [("train", "train"), (None, "yotta-123"), ("a b", "yotta-123"), ("*", "yotta-123"), ("a\nb", "yotta-123")],
)
def test_a_config_block(name, alias):
    assert ssh.config_block(pod(name=name), "~/my keys/id") == (
        f'Host {alias}\n    HostName 192.0.2.7\n    Port 32002\n    User user\n    IdentityFile "~/my keys/id"'
    )


def test_a_config_block_without_a_key_names_none():
    assert "IdentityFile" not in ssh.config_block(pod())


def test_a_quote_in_the_path_cannot_leave_the_config():
    with pytest.raises(InvalidRequest, match="quote"):
        ssh.config_block(pod(), 'a" b')


def test_a_pod_of_the_sandbox_has_a_command(yotta):
    running = next(pod for pod in yotta.pods.list() if pod.ssh_ready)
    assert ssh.command(running) == yotta.pods.frame().loc[running.id, "ssh"]
