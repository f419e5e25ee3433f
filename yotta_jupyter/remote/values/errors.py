"""The error of values that cannot be moved. Runs on both sides."""

from __future__ import annotations


class CodecError(Exception):
    """A value cannot be encoded, or bytes cannot be decoded. The message is one line."""


def one_line(error: BaseException, max_length: int) -> str:
    """Return the message of an error without line breaks.

    Parameters
    ----------
    error : BaseException
    max_length : int
        Characters.
    """
    return " ".join(str(error).split())[:max_length]
