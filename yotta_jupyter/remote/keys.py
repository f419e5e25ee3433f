"""The private keys that are tried for a connection."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from ..errors import RemoteUnavailable, UnusableKey
from ..keys import DEFAULT_KEY, load_public_key
from ..sanitize import single_line

if TYPE_CHECKING:
    import asyncssh

_USUAL_NAMES: Final = ("id_ed25519", "id_ecdsa", "id_rsa")


@dataclass
class Keys:
    """Keys in the order in which they are tried, and how messages name them.

    Attributes
    ----------
    usable : list
        asyncssh keys.
    names : list of str
        Of the keys in `usable`.
    encrypted : list of Path
        Key files that need a passphrase.
    agent : SSHAgentClient or None
        Keeps the connection to the agent open.
    """

    usable: list[Any] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
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
        self.usable.insert(0, key)
        self.names.insert(0, _shorten(path))

    def close(self) -> None:
        """Disconnect from the agent."""
        if self.agent is not None:
            self.agent.close()
            self.agent = None


async def load_keys(key_file: str | Path | None, identity_files: list[str]) -> Keys:
    """Load the keys for a connection.

    Parameters
    ----------
    key_file : str or Path or None
        If given, the only key.
    identity_files : list of str
        Of ``~/.ssh/config``.

    Returns
    -------
    Keys
        The key file, or `DEFAULT_KEY`, which is created if it is missing, and the keys of ``~/.ssh/config``, of the
        agent and of ``~/.ssh``.

    Raises
    ------
    RemoteUnavailable
        `key_file` is missing or no private key.
    """
    keys = Keys()
    if key_file is not None:
        path = Path(key_file).expanduser()
        if not path.is_file():
            raise RemoteUnavailable(f"There is no key file {single_line(path)}.")
        if not _add_file(keys, path):
            raise RemoteUnavailable(f"{single_line(path)} is not a private key that OpenSSH can use.")
        return keys
    with suppress(UnusableKey):  # Such as on a read-only home: the other keys may do.
        load_public_key()
    for path in (Path(DEFAULT_KEY).expanduser(), *(Path(name).expanduser() for name in identity_files)):
        _add_file(keys, path)
    await _add_agent(keys)
    for name in _USUAL_NAMES:
        _add_file(keys, Path("~/.ssh", name).expanduser())
    return keys


def decrypt(path: Path, passphrase: str) -> Any:
    """Return an encrypted key.

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
    import asyncssh

    name = _shorten(path)
    if name in keys.names or path in keys.encrypted or not path.is_file():
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
    keys.usable.append(key)
    keys.names.append(name)
    return True


async def _add_agent(keys: Keys) -> None:
    import asyncssh

    address = os.environ.get("SSH_AUTH_SOCK")
    if not address:
        return
    try:
        keys.agent = await asyncssh.connect_agent(address)
        for pair in await keys.agent.get_keys():
            keys.usable.append(pair)
            keys.names.append(f"agent: {single_line(pair.get_comment() or 'key', 40)}")
    except (OSError, ValueError, asyncssh.Error):
        keys.close()


def _shorten(path: Path) -> str:
    home = str(Path.home())
    text = str(path)
    return single_line("~" + text[len(home) :] if text.startswith(home + "/") else text, 80)
