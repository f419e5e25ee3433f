"""A requests adapter whose read timeout limits the whole response.

A socket timeout applies to each read: without this, a server that sends one byte now and then blocks a call forever.
"""

from __future__ import annotations

import http.client
import io
import socket
import time
from functools import cache
from typing import Any

from requests.adapters import HTTPAdapter


class _DeadlineReader(io.RawIOBase):
    """Reads from a socket and lowers its timeout to the remaining time."""

    def __init__(self, raw: io.RawIOBase, sock: socket.socket) -> None:
        self._raw = raw
        self._sock = sock
        timeout = sock.gettimeout()
        self._deadline = None if timeout is None else time.monotonic() + timeout

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        if self._deadline is not None:
            remaining = self._deadline - time.monotonic()
            if remaining <= 0:
                raise TimeoutError("the response was not complete in time")
            self._sock.settimeout(remaining)
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()


class _DeadlineResponse(http.client.HTTPResponse):
    """A response whose status line, headers and body are read through `_DeadlineReader`."""

    def __init__(self, sock: socket.socket, *args: Any, **options: Any) -> None:
        super().__init__(sock, *args, **options)
        # `fp` is a buffered reader of the socket.
        self.fp = io.BufferedReader(_DeadlineReader(self.fp.detach(), sock))


@cache
def _with_deadline(connection_class: type) -> type:
    """Return a subclass of a urllib3 connection that reads responses as `_DeadlineResponse`."""
    return type(connection_class.__name__, (connection_class,), {"response_class": _DeadlineResponse})


class DeadlineAdapter(HTTPAdapter):
    """An adapter whose read timeout limits the whole response, counted from the end of the request."""

    def get_connection_with_tls_context(self, *args: Any, **options: Any) -> Any:
        pool: Any = super().get_connection_with_tls_context(*args, **options)
        if not issubclass(pool.ConnectionCls.response_class, _DeadlineResponse):
            pool.ConnectionCls = _with_deadline(pool.ConnectionCls)
        return pool

    def close(self) -> None:
        # urllib3 leaves connections to the garbage collector, which a stored exception can delay.
        for manager in (self.poolmanager, *self.proxy_manager.values()):
            pools = manager.pools
            for key in pools.keys():  # noqa: SIM118 - the container is not iterable
                pool = pools.get(key)
                if pool is not None:  # Another thread may have removed it.
                    pool.close()
        super().close()
