"""Where the key and the address come from, and how a profile is kept."""

import os
import stat

import pytest

from yotta_jupyter import InvalidRequest, Secret, configured, connect, settings
from yotta_jupyter.configured import Configured

SHIPPED = "https://api.yottalabs.ai"
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
def config(home):
    """The file of profiles."""
    path = home / ".yotta" / "config"
    path.parent.mkdir()
    path.write_text(FILE)
    return path


@pytest.fixture
def in_notebook():
    """Set what the notebook has configured."""
    yield lambda **options: configured.by(lambda: Configured(**options))
    configured.by(None)


def found(**options):
    result = settings.resolve(**options)
    return result.api_key.reveal(), result.base_url


@pytest.mark.usefixtures("config")
def test_the_order_of_places(monkeypatch, in_notebook):
    assert found() == ("key-of-default", "https://default.example.org")
    monkeypatch.setenv("YOTTA_PROFILE", "work")
    assert found() == ("key-of-work", SHIPPED)
    monkeypatch.setenv("YOTTA_API_KEY", "key-of-env")
    monkeypatch.setenv("YOTTA_BASE_URL", "https://env.example.org")
    assert found() == ("key-of-env", "https://env.example.org")
    in_notebook(profile="bare")
    assert found() == ("key-of-bare", "https://env.example.org")
    in_notebook(profile="bare", api_key="key-of-notebook", base_url="https://notebook.example.org")
    assert found() == ("key-of-notebook", "https://notebook.example.org")
    assert found(profile="work") == ("key-of-work", "https://notebook.example.org")
    given = {"api_key": "given", "base_url": "https://given.example.org"}
    assert found(**given, profile="work") == ("given", "https://given.example.org")


@pytest.mark.parametrize(
    ("options", "source"),
    [({"api_key": "k"}, "an argument"), ({"profile": "work"}, "profile work"), ({}, "profile default")],
)
@pytest.mark.usefixtures("config")
def test_the_source_of_the_key_is_named(options, source):
    assert settings.resolve(**options).source == source


def test_the_environment_needs_no_file(monkeypatch):
    monkeypatch.setenv("YOTTA_API_KEY", "key-of-env")
    assert found() == ("key-of-env", SHIPPED)
    assert settings.resolve().source == "YOTTA_API_KEY"


def test_without_a_key_the_ways_to_one_are_named():
    with pytest.raises(InvalidRequest) as caught:
        connect()
    assert "%yotta login" in str(caught.value)
    assert "%yotta sandbox start" in str(caught.value)


@pytest.mark.usefixtures("config")
@pytest.mark.parametrize("by_environment", [True, False])
def test_a_profile_that_is_not_there_gets_a_suggestion(monkeypatch, by_environment):
    if by_environment:
        monkeypatch.setenv("YOTTA_PROFILE", "wrok")
    with pytest.raises(InvalidRequest, match="Did you mean work"):
        settings.resolve(profile=None if by_environment else "wrok")


@pytest.mark.parametrize(
    "content",
    [
        b"api_key = made-up-secret\n",
        b"[default]\nmade-up-secret\n",
        b"[a]\nx=made-up-secret\n[a]\n",
        b"\xff made-up-secret",
    ],
    ids=["no section", "no value", "twice", "no text"],
)
def test_a_file_that_cannot_be_read_says_so_without_a_line_of_it(config, content):
    config.write_bytes(content)
    for read in (settings.resolve, settings.profiles, lambda: settings.save_profile("w", Secret("k"), SHIPPED)):
        with pytest.raises(InvalidRequest, match=r"\.yotta.config") as caught:
            read()
        assert "made-up-secret" not in str(caught.value)
        assert "\n" not in str(caught.value)
        assert caught.value.__context__ is None
    assert config.read_bytes() == content


def test_a_file_that_may_not_be_read_is_not_taken_for_none(config):
    config.unlink()
    config.mkdir()  # Root may read any file, but not a folder as one.
    with pytest.raises(InvalidRequest, match="cannot be read"):
        settings.resolve()
    with pytest.raises(InvalidRequest, match="could not be saved"):
        settings.save_profile("work", Secret("k"), SHIPPED)


def test_saving_keeps_all_else_to_the_letter(config):
    settings.save_profile("work", Secret("new-key"), "https://new.example.org")
    assert config.read_text() == FILE.replace("key-of-work", "new-key").replace(
        "%it is\n", "%it is\nbase_url = https://new.example.org\n"
    )
    assert found(profile="work") == ("new-key", "https://new.example.org")


def test_saving_a_new_profile_leaves_what_stands_before_it(config):
    settings.save_profile("new", Secret("new-key"), SHIPPED)
    assert config.read_text().startswith(FILE)
    assert found(profile="new") == ("new-key", SHIPPED)
    assert settings.profiles() == ["default", "work", "bare", "new"]


def test_a_key_with_a_percent_sign_comes_back(home):
    settings.save_profile("default", Secret("a%b%(c)s%%"), SHIPPED)
    assert found()[0] == "a%b%(c)s%%"


@pytest.mark.parametrize("before", [None, 0o644])
def test_the_file_is_private(home, config, before):
    if before is None:
        config.unlink()
        config.parent.rmdir()
    else:
        config.chmod(before)
    path = settings.save_profile("default", Secret("k"), SHIPPED)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    if before is None:
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert os.listdir(path.parent) == ["config"]


def test_a_link_stays_a_link(config, tmp_path):
    target = tmp_path / "dotfiles"
    config.rename(target)
    config.symlink_to(target)
    settings.save_profile("work", Secret("new-key"), SHIPPED)
    assert config.is_symlink()
    assert "new-key" in target.read_text()
    assert stat.S_IMODE(target.stat().st_mode) == 0o600


@pytest.mark.parametrize("name", ["", " work", "a]b", "[", "a\nb", "DEFAULT"])
def test_a_name_that_no_section_has_is_refused(config, name):
    with pytest.raises(InvalidRequest):
        settings.save_profile(name, Secret("k"), SHIPPED)
    assert config.read_text() == FILE


def test_settings_do_not_show_the_key():
    assert "made-up-key" not in repr(settings.resolve(api_key="made-up-key"))


def test_the_timeout_of_the_notebook_is_taken(in_notebook):
    in_notebook(api_key="k", timeout=7.0)
    assert settings.resolve().timeout == 7
    assert settings.resolve(timeout=3).timeout == 3
