"""Forwards of local ports to a pod."""

import socket
import threading

import pytest

from tests.remote.sshd import free_port, wait_until
from yotta_jupyter.errors import InvalidRequest


@pytest.fixture
def echo_port():
    """The port of a TCP server that sends back what it receives."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve():
            while True:
                try:
                    connection = server.accept()[0]
                except OSError:
                    return
                threading.Thread(target=reply, args=(connection,), daemon=True).start()

        def reply(connection):
            with connection:
                while data := connection.recv(65536):
                    connection.sendall(data)

        threading.Thread(target=serve, daemon=True).start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)


def exchange(port, data):
    """Send data to a port and return all that is received."""
    with socket.create_connection(("127.0.0.1", port), 10) as connection:
        threading.Thread(target=lambda: (connection.sendall(data), connection.shutdown(socket.SHUT_WR))).start()
        received = b""
        while piece := connection.recv(65536):
            received += piece
        return received


def test_bytes_are_forwarded_in_both_directions(remote, echo_port):
    with remote.forward(echo_port) as forward:
        assert forward.url == f"http://127.0.0.1:{forward.local_port}"
        assert exchange(forward.local_port, b"hello") == b"hello"
        data = bytes(range(256)) * 20_000
        assert exchange(forward.local_port, data) == data
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(("127.0.0.1", forward.local_port), 5)
    forward.close()


def test_a_forward_survives_a_reconnect(sshd, make_remote, echo_port):
    remote = make_remote(sshd)
    forward = remote.forward(echo_port)
    assert exchange(forward.local_port, b"one") == b"one"
    sshd.drop()
    wait_until(lambda: not sshd.sessions())
    assert exchange(forward.local_port, b"two") == b"two"
    remote.close()
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(("127.0.0.1", forward.local_port), 5)


def test_a_port_where_nothing_listens_closes_the_connection(remote):
    with remote.forward(free_port()) as forward:
        assert exchange(forward.local_port, b"x") == b""


def test_ports_that_cannot_be_used(remote, echo_port):
    with pytest.raises(InvalidRequest, match=f"local port {echo_port} is in use"):
        remote.forward(8888, echo_port)
    with pytest.raises(InvalidRequest, match="from 1 to 65535"):
        remote.forward(70_000)
