"""The private keys that are tried for a connection."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ..errors import RemoteUnavailable, UnusableKey
from ..keys import DEFAULT_KEY, load_public_key
from ..sanitize import single_line

if TYPE_CHECKING:
    import asyncssh

_DEFAULT_NAMES: Final = ("id_ed25519", "id_ecdsa", "id_rsa")
"""Files in ``~/.ssh`` that OpenSSH uses, too."""


@dataclass(frozen=True)
class PrivateKey:
    """A private key that can be used.

    Attributes
    ----------
    name : str
        For messages: the path, or the comment of a key in the SSH agent.
    key : asyncssh.SSHKey or asyncssh.SSHKeyPair
    """

    name: str
    key: asyncssh.SSHKey | asyncssh.SSHKeyPair


@dataclass
class Keys:
    """The keys for a pod.

    Attributes
    ----------
    usable : list of PrivateKey
        In the order in which they are tried.
    encrypted : list of Path
        Key files that need a passphrase.
    agent : SSHAgentClient or None
        The connection to the SSH agent, which its keys need.
    """

    usable: list[PrivateKey] = field(default_factory=list)
    encrypted: list[Path] = field(default_factory=list)
    agent: asyncssh.SSHAgentClient | None = None

    def unlock(self, path: Path, key: asyncssh.SSHKey) -> None:
        """Add a decrypted key before the others.

        Parameters
        ----------
        path : Path
        key : asyncssh.SSHKey
        """
        self.encrypted = [other for other in self.encrypted if other != path]
        self.usable.insert(0, PrivateKey(_shorten(path), key))

    def close(self) -> None:
        """Disconnect from the SSH agent."""
        if self.agent is not None:
            self.agent.close()
            self.agent = None


async def load_keys(key_file: str | Path | None, identity_files: list[str]) -> Keys:
    """Load the keys for a pod.

    Parameters
    ----------
    key_file : str or Path or None
    identity_files : list of str
        The key files that ``~/.ssh/config`` names.

    Returns
    -------
    Keys
        Only `key_file` if it is given. Otherwise `DEFAULT_KEY`, which is created if it is missing, then the keys of
        ``~/.ssh/config``, of the SSH agent, and of ``~/.ssh``.

    Raises
    ------
    RemoteUnavailable
        `key_file` does not exist or contains no private key.
    """
    keys = Keys()
    if key_file is not None:
        path = Path(key_file).expanduser()
        if not path.is_file():
            raise RemoteUnavailable(f"There is no key file {single_line(path)}.")
        if not _add_file(keys, path):
            raise RemoteUnavailable(f"{single_line(path)} is not a private key that OpenSSH can use.")
        return keys
    with suppress(UnusableKey):  # Such as in a read-only home. The pod may accept another key.
        load_public_key()  # Creates the default key.
    for name in (DEFAULT_KEY, *identity_files):
        _add_file(keys, Path(name).expanduser())
    await _add_agent_keys(keys)
    for name in _DEFAULT_NAMES:
        _add_file(keys, Path("~/.ssh", name).expanduser())
    return keys


def decrypt(path: Path, passphrase: str) -> asyncssh.SSHKey | None:
    """Read an encrypted key.

    Parameters
    ----------
    path : Path
    passphrase : str

    Returns
    -------
    asyncssh.SSHKey or None
        None if the passphrase is wrong.
    """
    import asyncssh

    try:
        return asyncssh.read_private_key(path, passphrase)
    except (asyncssh.KeyEncryptionError, asyncssh.KeyImportError, OSError):
        return None


def _add_file(keys: Keys, path: Path) -> bool:
    """Add a key file unless it was added before; return whether it was added."""
    import asyncssh

    name = _shorten(path)
    if any(key.name == name for key in keys.usable) or path in keys.encrypted or not path.is_file():
        return False
    try:
        key = asyncssh.read_private_key(path)
    except asyncssh.KeyImportError as error:
        if "passphrase" not in str(error).lower():
            return False
        keys.encrypted.append(path)
        return True
    except (asyncssh.KeyEncryptionError, OSError, ValueError):
        return False
    keys.usable.append(PrivateKey(name, key))
    return True


async def _add_agent_keys(keys: Keys) -> None:
    """Add the keys of the SSH agent if there is one."""
    import asyncssh

    address = os.environ.get("SSH_AUTH_SOCK")
    if not address:
        return
    try:
        keys.agent = await asyncssh.connect_agent(address)
        for pair in await keys.agent.get_keys():
            comment = single_line(pair.get_comment() or "key", 40)
            keys.usable.append(PrivateKey(f"agent: {comment}", pair))
    except (OSError, ValueError, asyncssh.Error):
        keys.close()


def _shorten(path: Path) -> str:
    """Return a path for messages, with ~ for the home."""
    home = str(Path.home())
    text = str(path)
    if text.startswith(home + "/"):
        text = "~" + text[len(home) :]
    return single_line(text, 80)
