"""The SSH key pair: created once, never overwritten, and refused with a clear line where it cannot be used."""

from __future__ import annotations

import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from yotta_jupyter import InvalidRequest
from yotta_jupyter.keys import load_public_key

UNPRIVILEGED_ID = 65534  # The id of a user and of a group without rights.

# All imports come first: another user may be unable to read the modules.
PROGRAM_OF_UNPRIVILEGED_USER = f"""
import os
import cryptography.hazmat.primitives.asymmetric.ed25519, cryptography.hazmat.primitives.serialization
from yotta_jupyter import InvalidRequest
from yotta_jupyter.keys import load_public_key

if os.getuid() == 0:
    os.setgid({UNPRIVILEGED_ID})
    os.setuid({UNPRIVILEGED_ID})
try:
    load_public_key()
except InvalidRequest as error:
    print(error)
"""


def write_key(path: Path, passphrase: str = "") -> str:
    """Write a private key and return its public key, without a comment."""
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", passphrase, "-C", "", "-f", path], check=True)
    public_path = path.with_name(f"{path.name}.pub")
    public = public_path.read_text().strip()
    public_path.unlink()
    return public


def load_error(key_file: Path | None) -> str:
    """Return the message of the error of `load_public_key`, which is one line."""
    with pytest.raises(InvalidRequest) as caught:
        load_public_key(None if key_file is None else str(key_file))
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_the_default_pair_is_created_with_private_modes(home: Path) -> None:
    public = load_public_key()
    path = home / ".yotta/ssh/id_ed25519"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert public == path.with_suffix(".pub").read_text().strip()
    derived = subprocess.run(["ssh-keygen", "-y", "-f", path], capture_output=True, text=True, check=True).stdout
    assert derived.split()[:2] == public.split()[:2]


def test_the_default_pair_is_never_overwritten(home: Path) -> None:
    first = load_public_key()
    content = (home / ".yotta/ssh/id_ed25519").read_bytes()
    assert load_public_key() == first
    (home / ".yotta/ssh/id_ed25519").write_text("not a key")
    assert "is not a private key" in load_error(None)
    (home / ".yotta/ssh/id_ed25519").write_bytes(content)
    assert load_public_key() == first


def test_many_threads_create_one_key(home: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        keys = {tuple(key.split()[:2]) for key in pool.map(lambda _: load_public_key(), range(16))}
    assert len(keys) == 1
    assert sorted(path.name for path in (home / ".yotta/ssh").iterdir()) == ["id_ed25519", "id_ed25519.pub"]


def test_the_public_key_belongs_to_the_private_key_whatever_the_pub_file_says(tmp_path: Path) -> None:
    public = write_key(tmp_path / "key")
    other = write_key(tmp_path / "other")
    (tmp_path / "key.pub").write_text(other)
    assert load_public_key(str(tmp_path / "key")).startswith(public)


def test_an_encrypted_key_needs_its_pub_file(tmp_path: Path) -> None:
    path = tmp_path / "my key"
    public = write_key(path, "passphrase")
    message = load_error(path)
    assert "is encrypted" in message
    assert f"ssh-keygen -y -f '{path}' > '{path}.pub'" in message
    (tmp_path / "my key.pub").write_text(f"{public} me@laptop\n")
    assert load_public_key(str(path)) == f"{public} me@laptop"


@pytest.mark.parametrize("content", ["", "nonsense", "ssh-ed25519 AAAA", "-----BEGIN OPENSSH PRIVATE KEY-----\nx\n"])
def test_a_file_that_is_no_key_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "key"
    path.write_text(content)
    path.chmod(0o600)
    assert "is not a private key in OpenSSH format" in load_error(path)


@pytest.mark.parametrize("content", ["", "nonsense", "ssh-ed25519 AAAA\n", "two\nlines"])
def test_a_pub_file_that_is_no_key_is_refused(tmp_path: Path, content: str) -> None:
    write_key(tmp_path / "key", "passphrase")
    (tmp_path / "key.pub").write_text(content)
    assert "key.pub is not a public key" in load_error(tmp_path / "key")


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o660])
def test_a_key_that_others_can_read_is_refused(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "my key"
    write_key(path)
    path.chmod(mode)
    assert f"run: chmod 600 '{path}'" in load_error(path)


def test_a_missing_key_is_refused_and_not_created(tmp_path: Path) -> None:
    assert "does not exist" in load_error(tmp_path / "key")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_is_no_key(tmp_path: Path) -> None:
    assert "is not a file" in load_error(tmp_path)


def load_as_nobody(home: Path) -> str:
    """Call `load_public_key` without the rights of root, for whom every file is readable."""
    result = subprocess.run(
        [sys.executable, "-c", PROGRAM_OF_UNPRIVILEGED_USER],
        capture_output=True,
        text=True,
        check=True,
        env={"HOME": str(home)},
    )
    return result.stdout.strip()


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX permissions")
def test_an_unreadable_key_is_refused(tmp_path_factory: pytest.TempPathFactory) -> None:
    home = public_folder(tmp_path_factory)
    folder = home / ".yotta/ssh"
    folder.mkdir(parents=True)
    write_key(folder / "id_ed25519")
    (folder / "id_ed25519").chmod(0o000)
    message = load_as_nobody(home)
    assert "cannot be read: Permission denied. Name another key with ssh_key" in message
    assert "\n" not in message


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX permissions")
def test_a_home_that_is_read_only_is_refused(tmp_path_factory: pytest.TempPathFactory) -> None:
    home = public_folder(tmp_path_factory)
    home.chmod(0o555)
    message = load_as_nobody(home)
    assert "cannot be created: Permission denied. Name another key with ssh_key" in message
    assert "\n" not in message


def public_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a new folder whose parents other users may enter."""
    folder = tmp_path_factory.mktemp("home")
    for parent in (folder, *folder.parents):
        if parent.owner() == folder.owner() and parent != Path(parent.anchor):
            parent.chmod(parent.stat().st_mode | 0o711)
    return folder
