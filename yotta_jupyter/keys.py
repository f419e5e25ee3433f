"""The SSH key pair that gives access to pods."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Final

from .errors import InvalidRequest
from .sanitize import single_line

DEFAULT_KEY: Final = "~/.yotta/ssh/id_ed25519"
"""The key pair of this package. It is created when it is first needed and never overwritten."""

PUBLIC_KEY_ENV: Final = "PUBLIC_KEY"
"""The environment variable of a pod whose value the official images add to ``authorized_keys``."""

_ALTERNATIVES: Final = "Name another key with --key FILE, or set the variable PUBLIC_KEY of the pod."


def load_public_key(key_file: str | None = None) -> str:
    """Return the public key of a private key file; create the default key pair if it does not exist.

    Parameters
    ----------
    key_file : str, optional
        The private key file; `DEFAULT_KEY` by default. A ``.pub`` file beside it is preferred, because it needs no
        passphrase.

    Returns
    -------
    str
        One line in the format of ``authorized_keys``.

    Raises
    ------
    InvalidRequest
        The file is missing, unreadable, readable by others, encrypted without a ``.pub`` file, or not a key.
    """
    path = Path(key_file or DEFAULT_KEY).expanduser()
    try:
        if key_file is None and not path.exists():
            _create(path)
        public_path = path.with_name(f"{path.name}.pub")
        if os.name == "posix" and path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise _unusable(path, "is accessible by others, so that ssh refuses it; run: chmod 600 " + str(path))
        if public_path.exists():
            return _validate(public_path, public_path.read_bytes())
        return _derive(path, path.read_bytes())
    except FileNotFoundError:
        problem = "does not exist"
    except OSError as error:
        problem = f"cannot be used: {single_line(error.strerror or type(error).__name__)}"
    raise _unusable(path, f"{problem}. {_ALTERNATIVES}")


def _create(path: Path) -> None:
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    key = Ed25519PrivateKey.generate()
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, serialization.NoEncryption()
    )
    public = key.public_key().public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
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
    path.with_name(f"{path.name}.pub").write_bytes(public + b" yotta-jupyter\n")


def _validate(path: Path, content: bytes) -> str:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives import serialization

    line = content.strip()
    try:
        serialization.load_ssh_public_key(line)
        text = line.decode()
    except (ValueError, UnsupportedAlgorithm):
        raise _unusable(path, f"is not a public key in OpenSSH format. {_ALTERNATIVES}") from None
    if not text.isprintable():
        raise _unusable(path, f"is not one line. {_ALTERNATIVES}")
    return text


def _derive(path: Path, content: bytes) -> str:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives import serialization

    try:
        key = serialization.load_ssh_private_key(content, password=None)
    except TypeError:
        hint = f"ssh-keygen -y -f {path} > {path}.pub"
        raise _unusable(path, f"is encrypted; write its public key beside it: {hint}") from None
    except (ValueError, UnsupportedAlgorithm):
        raise _unusable(path, f"is not a private key in OpenSSH format. {_ALTERNATIVES}") from None
    public = key.public_key().public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
    return f"{public.decode()} yotta-jupyter"


def _unusable(path: Path, problem: str) -> InvalidRequest:
    return InvalidRequest(f"The SSH key {single_line(path, 200)} {problem}")
