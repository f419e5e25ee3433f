"""Pseudo-terminals with the size and the modes that a client requests."""

import fcntl
import os
import pty
import struct
import termios
from collections.abc import Mapping
from typing import Final

# The terminal modes of RFC 4254 section 8: opcode to the name of a control character in `termios`.
_CONTROL_CHARACTERS: Final = {
    1: "VINTR",
    2: "VQUIT",
    3: "VERASE",
    4: "VKILL",
    5: "VEOF",
    6: "VEOL",
    7: "VEOL2",
    8: "VSTART",
    9: "VSTOP",
    10: "VSUSP",
    12: "VREPRINT",
    13: "VWERASE",
    14: "VLNEXT",
    18: "VDISCARD",
}

# Indices in the list of `termios.tcgetattr`.
_INPUT, _OUTPUT, _LOCAL, _CHARACTERS = 0, 1, 3, 6

# The other terminal modes: opcode to the index and the name of a flag in `termios`.
_FLAGS: Final = {
    30: (_INPUT, "IGNPAR"),
    31: (_INPUT, "PARMRK"),
    32: (_INPUT, "INPCK"),
    33: (_INPUT, "ISTRIP"),
    34: (_INPUT, "INLCR"),
    35: (_INPUT, "IGNCR"),
    36: (_INPUT, "ICRNL"),
    38: (_INPUT, "IXON"),
    39: (_INPUT, "IXANY"),
    40: (_INPUT, "IXOFF"),
    41: (_INPUT, "IMAXBEL"),
    50: (_LOCAL, "ISIG"),
    51: (_LOCAL, "ICANON"),
    53: (_LOCAL, "ECHO"),
    54: (_LOCAL, "ECHOE"),
    55: (_LOCAL, "ECHOK"),
    56: (_LOCAL, "ECHONL"),
    57: (_LOCAL, "NOFLSH"),
    58: (_LOCAL, "TOSTOP"),
    59: (_LOCAL, "IEXTEN"),
    60: (_LOCAL, "ECHOCTL"),
    61: (_LOCAL, "ECHOKE"),
    70: (_OUTPUT, "OPOST"),
    72: (_OUTPUT, "ONLCR"),
    73: (_OUTPUT, "OCRNL"),
    74: (_OUTPUT, "ONOCR"),
    75: (_OUTPUT, "ONLRET"),
}
_DISABLED: Final = 255  # The value of a control character that a client disables.


def open_terminal(size: tuple[int, int, int, int], modes: Mapping[int, int]) -> tuple[int, int]:
    """Return the file descriptors of a new pseudo-terminal: the master for the server, the slave for the process.

    Parameters
    ----------
    size : tuple of int
        Width and height in characters, width and height in pixels.
    modes : mapping of int to int
        Opcodes and values of RFC 4254. Unknown ones are ignored.
    """
    master, slave = pty.openpty()
    try:
        _set_modes(slave, modes)
        set_size(master, size)
    except OSError:
        os.close(master)
        os.close(slave)
        raise
    return master, slave


def set_size(descriptor: int, size: tuple[int, int, int, int]) -> None:
    """Set the size of a terminal. The processes in its foreground get SIGWINCH."""
    columns, rows, width, height = (min(value, 0xFFFF) for value in size)
    fcntl.ioctl(descriptor, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, width, height))


def _set_modes(descriptor: int, modes: Mapping[int, int]) -> None:
    attributes = termios.tcgetattr(descriptor)
    for opcode, value in modes.items():
        if opcode in _FLAGS:
            index, name = _FLAGS[opcode]
            flag = getattr(termios, name, 0)
            if value:
                attributes[index] |= flag
            else:
                attributes[index] &= ~flag
        elif opcode in _CONTROL_CHARACTERS:
            character_index = getattr(termios, _CONTROL_CHARACTERS[opcode], None)
            if character_index is not None:
                character = b"\0" if value == _DISABLED else bytes([value & 0xFF])
                attributes[_CHARACTERS][character_index] = character
    termios.tcsetattr(descriptor, termios.TCSANOW, attributes)
