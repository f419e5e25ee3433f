"""The input and output of a process, without blocking the event loop and without loss."""

import asyncio
import os
from collections.abc import Callable
from typing import Final

_CHUNK_BYTES: Final = 65536
# The client pauses above the high-water mark of the buffer and resumes below the low-water mark.
_HIGH_WATER_BYTES: Final = 2**20
_LOW_WATER_BYTES: Final = 2**18


class Input:
    """Write to a file descriptor what a client sends.

    Parameters
    ----------
    descriptor : int
        The file descriptor. It is closed after the last byte.
    pause, resume : callable
        Pause and resume the client.
    """

    def __init__(self, descriptor: int, pause: Callable[[], None], resume: Callable[[], None]) -> None:
        self._loop = asyncio.get_running_loop()
        self._descriptor: int | None = descriptor
        self._pause = pause
        self._resume = resume
        self._buffer = bytearray()
        self._paused = False
        self._eof_received = False
        os.set_blocking(descriptor, False)

    def write(self, data: bytes) -> None:
        """Write data when the process reads. Has no effect if the process has closed its input."""
        if self._descriptor is None:
            return
        if not self._buffer:
            self._loop.add_writer(self._descriptor, self._flush, self._descriptor)
        self._buffer += data
        if len(self._buffer) > _HIGH_WATER_BYTES and not self._paused:
            self._paused = True
            self._pause()

    def write_eof(self) -> None:
        """Close the file descriptor after what has been written so far."""
        self._eof_received = True
        if not self._buffer:
            self.close()

    def close(self) -> None:
        """Close the file descriptor and discard what is not written yet."""
        if self._descriptor is None:
            return
        self._loop.remove_writer(self._descriptor)
        os.close(self._descriptor)
        self._descriptor = None
        self._buffer.clear()
        self._resume_if_paused()

    def _flush(self, descriptor: int) -> None:
        try:
            written = os.write(descriptor, memoryview(self._buffer)[:_CHUNK_BYTES])
        except BlockingIOError:
            return
        except OSError:  # The process has closed its input.
            self.close()
            return
        del self._buffer[:written]
        if len(self._buffer) < _LOW_WATER_BYTES:
            self._resume_if_paused()
        if not self._buffer:
            self._loop.remove_writer(descriptor)
            if self._eof_received:
                self.close()

    def _resume_if_paused(self) -> None:
        if self._paused:
            self._paused = False
            self._resume()


class Output:
    """Read what a process writes to a file descriptor.

    Parameters
    ----------
    descriptor : int
        The file descriptor. It is closed at the end.
    on_data : callable
        Called with each piece of data.
    on_end : callable
        Called when no process has the other side open any more.
    """

    def __init__(self, descriptor: int, on_data: Callable[[bytes], None], on_end: Callable[[], None]) -> None:
        self._loop = asyncio.get_running_loop()
        self._descriptor: int | None = descriptor
        self._on_data = on_data
        self._on_end = on_end
        os.set_blocking(descriptor, False)
        self.resume()

    @property
    def closed(self) -> bool:
        """Whether the file descriptor is closed, for example because everything has been read."""
        return self._descriptor is None

    def pause(self) -> None:
        """Read nothing until `resume`. Then writing blocks the process."""
        if self._descriptor is not None:
            self._loop.remove_reader(self._descriptor)

    def resume(self) -> None:
        """Read again."""
        if self._descriptor is not None:
            self._loop.add_reader(self._descriptor, self._read, self._descriptor)

    def close(self) -> None:
        """Close the file descriptor. A process that still writes gets SIGPIPE, or SIGHUP from a terminal."""
        if self._descriptor is not None:
            self._loop.remove_reader(self._descriptor)
            os.close(self._descriptor)
            self._descriptor = None

    def _read(self, descriptor: int) -> None:
        try:
            data = os.read(descriptor, _CHUNK_BYTES)
        except BlockingIOError:
            return
        except OSError:  # EIO is the end of the output of a terminal.
            data = b""
        if data:
            self._on_data(data)
        else:
            self.close()
            self._on_end()
