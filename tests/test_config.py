"""Sources of the key and address, their precedence, and the file of profiles."""

import gc
import os
import stat
import threading
import weakref

import pytest
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config as TraitletsConfig

from yotta_jupyter import InvalidRequest, Secret, connect
from yotta_jupyter.config import (
    API_KEY_ENV,
    BASE_URL_ENV,
    DEFAULT_BASE_URL,
    PROFILE_ENV,
    active_profile,
    base_url_for,
    resolve_config,
    validate_api_key,
)
from yotta_jupyter.overrides import ConfigOverrides, current_overrides, register_overrides, unregister_overrides
from yotta_jupyter.profiles import config_path, profile_names, save_profile

FILE = """# mine; do not lose
[default]
api_key = key-of-default
base_url = https://default.example.org

[work]
; from the console
API_KEY = key-of-work
other = kept %(as)s %it is
[bare]
api_key = key-of-bare
"""


@pytest.fixture
def config_file(home):
    """The file of profiles."""
    path = home / ".yotta" / "config"
    path.parent.mkdir()
    path.write_text(FILE)
    return path


@pytest.fixture
def make_shell():
    """A function that returns a new IPython shell without the extension."""
    shells = []

    def make():
        config = TraitletsConfig()
        config.HistoryManager.enabled = False
        shells.append(InteractiveShell(config=config))
        return shells[-1]

    yield make
    for shell in shells:
        unregister_overrides(shell)


@pytest.fixture
def configure(bare_shell):
    """A function that sets the settings of `bare_shell`."""
    yield lambda **options: register_overrides(bare_shell, lambda: ConfigOverrides(**options))
    unregister_overrides(bare_shell)


def resolve(**options):
    """Return the key and the address of the configuration."""
    config = resolve_config(**options)
    return config.api_key.reveal(), config.base_url


def profile_in(shell):
    """Return the profile that code in a cell of the shell gets."""
    shell.run_cell("from yotta_jupyter.overrides import current_overrides; profile = current_overrides().profile")
    return shell.user_ns["profile"]


def base_url_in(shell):
    """Return the address that `connect` uses in a cell of the shell."""
    shell.run_cell("from yotta_jupyter import connect; url = connect().base_url").raise_error()
    return shell.user_ns["url"]


@pytest.mark.usefixtures("config_file")
def test_precedence_of_sources(monkeypatch, configure):
    assert resolve() == ("key-of-default", "https://default.example.org")
    monkeypatch.setenv("YOTTA_PROFILE", "work")
    assert resolve() == ("key-of-work", DEFAULT_BASE_URL)
    monkeypatch.setenv("YOTTA_API_KEY", "key-of-env")
    monkeypatch.setenv("YOTTA_BASE_URL", "https://env.example.org")
    assert resolve() == ("key-of-env", "https://env.example.org")
    configure(profile="bare")
    assert resolve() == ("key-of-bare", "https://env.example.org")
    configure(profile="bare", api_key="key-of-shell", base_url="https://shell.example.org")
    assert resolve() == ("key-of-shell", "https://shell.example.org")
    assert resolve(profile="work") == ("key-of-work", "https://shell.example.org")
    arguments = {"api_key": "key-of-argument", "base_url": "https://argument.example.org"}
    assert resolve(**arguments, profile="work") == ("key-of-argument", "https://argument.example.org")


@pytest.mark.parametrize(
    ("options", "source"),
    [({"api_key": "k"}, "an argument"), ({"profile": "work"}, "profile work"), ({}, "profile default")],
)
@pytest.mark.usefixtures("config_file")
def test_key_source_is_named(options, source):
    assert resolve_config(**options).key_source == source


def test_environment_needs_no_file(monkeypatch):
    monkeypatch.setenv("YOTTA_API_KEY", "key-of-env")
    assert resolve() == ("key-of-env", DEFAULT_BASE_URL)
    assert resolve_config().key_source == "YOTTA_API_KEY"


def test_missing_key_names_the_ways_to_get_one():
    with pytest.raises(InvalidRequest) as error:
        connect()
    assert "%yotta login" in str(error.value)
    assert "%yotta sandbox start" in str(error.value)


@pytest.mark.usefixtures("config_file")
def test_missing_profile_gets_a_suggestion(monkeypatch):
    with pytest.raises(InvalidRequest, match="Did you mean work"):
        resolve_config(profile="wrok")
    monkeypatch.setenv("YOTTA_PROFILE", "wrok")
    with pytest.raises(InvalidRequest, match="Did you mean work"):
        resolve_config()


@pytest.mark.parametrize(
    "content",
    [
        b"api_key = made-up-secret\n",
        b"[default]\nmade-up-secret\n",
        b"[a]\nx=made-up-secret\n[a]\n",
        b"\xff made-up-secret",
    ],
    ids=["no section", "no value", "duplicate section", "not UTF-8"],
)
def test_invalid_file_is_an_error_that_does_not_show_its_content(config_file, content):
    config_file.write_bytes(content)
    for call in (resolve_config, profile_names, lambda: save_profile("w", Secret("k"), DEFAULT_BASE_URL)):
        with pytest.raises(InvalidRequest, match=r"\.yotta.config") as error:
            call()
        assert "made-up-secret" not in str(error.value)
        assert "\n" not in str(error.value)
        assert error.value.__context__ is None
    assert config_file.read_bytes() == content


def test_unreadable_file_is_not_ignored(config_file):
    config_file.unlink()
    config_file.mkdir()  # Root can read any file, but no directory.
    with pytest.raises(InvalidRequest, match="cannot be read"):
        resolve_config()
    with pytest.raises(InvalidRequest, match="could not be saved"):
        save_profile("work", Secret("k"), DEFAULT_BASE_URL)


def test_saved_profile_leaves_the_rest_of_the_file_unchanged(config_file):
    save_profile("work", Secret("new-key"), "https://new.example.org")
    assert config_file.read_text() == FILE.replace("key-of-work", "new-key").replace(
        "%it is\n", "%it is\nbase_url = https://new.example.org\n"
    )
    assert resolve(profile="work") == ("new-key", "https://new.example.org")


def test_new_profile_is_appended(config_file):
    save_profile("new", Secret("new-key"), DEFAULT_BASE_URL)
    assert config_file.read_text().startswith(FILE)
    assert resolve(profile="new") == ("new-key", DEFAULT_BASE_URL)
    assert profile_names() == ["default", "work", "bare", "new"]


def test_key_with_percent_signs_is_read_back(home):
    save_profile("default", Secret("a%b%(c)s%%"), DEFAULT_BASE_URL)
    assert resolve()[0] == "a%b%(c)s%%"


def test_new_file_and_folder_are_private(home):
    path = save_profile("default", Secret("k"), DEFAULT_BASE_URL)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert os.listdir(path.parent) == ["config"]


def test_existing_file_becomes_private(config_file):
    config_file.chmod(0o644)
    save_profile("default", Secret("k"), DEFAULT_BASE_URL)
    assert stat.S_IMODE(config_file.stat().st_mode) == 0o600
    assert os.listdir(config_file.parent) == ["config"]


def test_symbolic_link_is_kept(config_file, tmp_path):
    target = tmp_path / "dotfiles"
    config_file.rename(target)
    config_file.symlink_to(target)
    save_profile("work", Secret("new-key"), DEFAULT_BASE_URL)
    assert config_file.is_symlink()
    assert "new-key" in target.read_text()
    assert stat.S_IMODE(target.stat().st_mode) == 0o600


@pytest.mark.parametrize("name", ["", " work", "a]b", "[", "a\nb", "DEFAULT"])
def test_invalid_profile_name_is_rejected(config_file, name):
    with pytest.raises(InvalidRequest):
        save_profile(name, Secret("k"), DEFAULT_BASE_URL)
    assert config_file.read_text() == FILE


def test_config_does_not_show_the_key():
    assert "made-up-key" not in repr(resolve_config(api_key="made-up-key"))


def test_timeout_of_the_shell(configure):
    configure(api_key="k", timeout=7.0)
    assert resolve_config().timeout == 7
    assert resolve_config(timeout=3).timeout == 3


@pytest.mark.usefixtures("config_file")
def test_overrides_argument_replaces_those_of_the_shell(configure):
    configure(profile="bare", base_url="https://shell.example.org")
    overrides = ConfigOverrides(profile="work", base_url="https://other.example.org")
    assert resolve(overrides=overrides) == ("key-of-work", "https://other.example.org")
    assert resolve(overrides=ConfigOverrides()) == ("key-of-default", "https://default.example.org")


def test_source_of_overrides_is_named(configure):
    configure(api_key="k", source="the sandbox")
    assert resolve_config().key_source == "the sandbox"


def test_shells_do_not_share_settings(make_shell):
    first, second = make_shell(), make_shell()
    register_overrides(first, lambda: ConfigOverrides(profile="first"))
    register_overrides(second, lambda: ConfigOverrides(profile="second"))
    assert profile_in(first) == "first"
    assert profile_in(second) == "second"
    unregister_overrides(first)
    assert profile_in(first) is None
    assert profile_in(second) == "second"
    unregister_overrides(first)  # Has no effect.
    assert profile_in(second) == "second"


def test_extension_of_each_shell_has_its_own_settings(make_shell, monkeypatch):
    monkeypatch.setenv(API_KEY_ENV, "k")
    first, second = make_shell(), make_shell()
    for name, shell in (("first", first), ("second", second)):
        shell.run_line_magic("load_ext", "yotta_jupyter")
        shell.run_line_magic("config", f"YottaMagics.base_url = 'https://{name}.example.org'")
    for _ in range(2):
        assert base_url_in(first) == "https://first.example.org"
        assert base_url_in(second) == "https://second.example.org"
    first.run_line_magic("unload_ext", "yotta_jupyter")
    assert base_url_in(first) == DEFAULT_BASE_URL
    assert base_url_in(second) == "https://second.example.org"
    second.run_line_magic("unload_ext", "yotta_jupyter")


def test_threads_have_the_settings_of_the_shell(configure):
    configure(profile="work")
    profiles = []
    thread = threading.Thread(target=lambda: profiles.append(current_overrides().profile))
    thread.start()
    thread.join()
    assert profiles == ["work"]


def test_registered_settings_do_not_keep_a_shell_alive():
    class Shell:
        pass

    shell = Shell()
    register_overrides(shell, ConfigOverrides)
    reference = weakref.ref(shell)
    del shell
    gc.collect()
    assert reference() is None


@pytest.mark.usefixtures("config_file")
def test_active_profile(monkeypatch):
    assert active_profile(ConfigOverrides()) == "default"
    monkeypatch.setenv(PROFILE_ENV, "work")
    assert active_profile(ConfigOverrides()) == "work"
    assert active_profile(ConfigOverrides(profile="bare")) == "bare"


@pytest.mark.usefixtures("config_file")
def test_base_url_for_a_profile(monkeypatch):
    assert base_url_for("default", ConfigOverrides()) == "https://default.example.org"
    assert base_url_for("bare", ConfigOverrides()) == base_url_for("new", ConfigOverrides()) == DEFAULT_BASE_URL
    monkeypatch.setenv(BASE_URL_ENV, "https://env.example.org")
    assert base_url_for("default", ConfigOverrides()) == "https://env.example.org"
    overrides = ConfigOverrides(base_url="https://shell.example.org")
    assert base_url_for("default", overrides) == "https://shell.example.org"


def test_no_file_has_no_profiles(home):
    assert profile_names() == []
    assert config_path() == home / ".yotta" / "config"


@pytest.mark.parametrize("key", ["", None, b"k", "a b", "a\nb", "é", Secret("")])
def test_invalid_key_is_rejected_and_not_shown(key):
    with pytest.raises(InvalidRequest) as error:
        validate_api_key(key)
    assert not key or str(key) not in str(error.value)
