"""The SSH key pair that gives access to pods."""

from __future__ import annotations

import os
import shlex
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Final

from .errors import UnusableKey
from .sanitize import single_line

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.serialization.ssh import SSHPrivateKeyTypes

DEFAULT_KEY: Final = "~/.yotta/ssh/id_ed25519"
"""The key pair of this package. It is created when it is first needed and never overwritten."""

PUBLIC_KEY_ENV: Final = "PUBLIC_KEY"
"""The environment variable of a pod whose value the official images add to ``authorized_keys``."""

_ADVICE: Final = "Name another key with ssh_key, or set the variable PUBLIC_KEY of the pod."


def explicit_key_file(key_file: str | None) -> str | None:
    """Return the key file that the user chose, or None for `DEFAULT_KEY`. SSH then tries no other key.

    Parameters
    ----------
    key_file : str or None

    Returns
    -------
    str or None
    """
    return None if key_file == DEFAULT_KEY else key_file


def load_public_key(key_file: str | None = None) -> str:
    """Return the public key of a private key file; create the default key pair if it does not exist.

    Parameters
    ----------
    key_file : str, optional
        The private key file; `DEFAULT_KEY` by default. If it is encrypted, or in a format other than that of OpenSSH,
        the ``.pub`` file beside it is read.

    Returns
    -------
    str
        One line in the format of ``authorized_keys``.

    Raises
    ------
    UnusableKey
        The file is missing, unreadable, readable by others, encrypted without a ``.pub`` file, or not a key; or the
        default key cannot be created.
    """
    try:
        path = Path(key_file or DEFAULT_KEY).expanduser()
    except RuntimeError:
        raise UnusableKey("There is no home directory for the SSH key.", advice=_ADVICE) from None
    try:
        if key_file is None and not os.path.lexists(path):
            _create_key_pair(path)
    except OSError as error:
        raise _unusable(path, f"cannot be created: {_reason(error)}.", _ADVICE) from None
    try:
        _check_file(path)
        return _read_public_key(path)
    except OSError as error:
        raise _unusable(path, f"cannot be read: {_reason(error)}.", _ADVICE) from None


def _check_file(path: Path) -> None:
    if not path.exists():
        raise _unusable(path, "does not exist.", _ADVICE)
    if not path.is_file():
        raise _unusable(path, "is not a file.", _ADVICE)
    if os.name == "posix" and path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        command = f"chmod 600 {shlex.quote(str(path))}"
        raise _unusable(path, f"is accessible by others, so that ssh refuses it; run: {command}")


def _read_public_key(path: Path) -> str:
    """Return the public key of a private key file, or that of the ``.pub`` file beside it."""
    content = path.read_bytes()
    public_path = path.with_name(f"{path.name}.pub")
    try:
        return _derive_public_key(path, content)
    except UnusableKey:
        # The key may be encrypted, or in the PEM format of another program.
        is_private_key = content.startswith(b"-----BEGIN ")
        if not is_private_key or not public_path.is_file():
            raise
    return _parse_public_key(public_path, public_path.read_bytes())


def _reason(error: OSError) -> str:
    return single_line(error.strerror or type(error).__name__)


def _create_key_pair(path: Path) -> None:
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    key = Ed25519PrivateKey.generate()
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, serialization.NoEncryption()
    )
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}-{os.getpid()}-{os.urandom(4).hex()}")
    try:
        with open(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(private)
        try:
            os.link(temporary, path)  # Unlike os.replace, this fails if another process has just created the key.
        except FileExistsError:
            return
    finally:
        temporary.unlink(missing_ok=True)
    path.with_name(f"{path.name}.pub").write_text(f"{_format_public_key(key)}\n")


def _parse_public_key(path: Path, content: bytes) -> str:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives import serialization

    line = content.strip()
    try:
        serialization.load_ssh_public_key(line)
        text = line.decode()
    except (ValueError, UnsupportedAlgorithm):
        raise _unusable(path, "is not a public key in OpenSSH format.", _ADVICE) from None
    if not text.isprintable():
        raise _unusable(path, "is not one line.", _ADVICE)
    return text


def _derive_public_key(path: Path, content: bytes) -> str:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives import serialization

    try:
        key = serialization.load_ssh_private_key(content, password=None)
    except TypeError:  # The key is encrypted.
        private, public_path = shlex.quote(str(path)), shlex.quote(f"{path}.pub")
        command = f"ssh-keygen -y -f {private} > {public_path}"
        raise _unusable(path, f"is encrypted; write its public key beside it: {command}") from None
    except (ValueError, UnsupportedAlgorithm):
        raise _unusable(path, "is not a private key in OpenSSH format.", _ADVICE) from None
    return _format_public_key(key)


def _format_public_key(private_key: SSHPrivateKeyTypes) -> str:
    from cryptography.hazmat.primitives import serialization

    public_key = private_key.public_key()
    public = public_key.public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
    return f"{public.decode()} yotta-jupyter"


def _unusable(path: Path, problem: str, advice: str = "") -> UnusableKey:
    """Return an error. It needs no advice if the problem says what to do."""
    return UnusableKey(f"The SSH key {single_line(path, 200)} {problem}", advice=advice)
