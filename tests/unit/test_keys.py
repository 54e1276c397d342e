"""API keys in their file, logins made with them, and which settings are served at all."""

import logging
import os
import tempfile
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr
from typer.testing import CliRunner

from undertone.access import keys
from undertone.access.guard import check_access
from undertone.access.keys import PREFIX, Keyring, drop_key, make_key, read_keys
from undertone.access.logins import OWNER, Logins, link_to
from undertone.access.rights import Right
from undertone.access.used_links import UsedLinks
from undertone.cli import app
from undertone.errors import FatalError, Refusal
from undertone.settings import Settings


def now() -> datetime:
    """When it is asked: other tests may have run for longer than a login lives."""
    return datetime.now(UTC)


URL = "http://127.0.0.1:8000"
HERE = {URL}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "home" / "keys"


@pytest.fixture
def settings(path: Path) -> Settings:
    return Settings(home=path.parent, secret=SecretStr("s" * 32))


def test_the_file_holds_a_name_its_rights_and_a_hash_and_only_its_owner_reads_it(path: Path) -> None:
    key = make_key(path, "robot", [Right.RECORD, Right.READ])
    assert key.startswith(PREFIX)
    assert len(key) == len(PREFIX) + 43
    (name, rights, digest), *others = [line.split() for line in path.read_text().splitlines()]
    assert (name, rights, len(digest), others) == ("robot", "read,record", 64, [])
    assert key not in path.read_text()
    assert path.stat().st_mode & 0o077 == 0


def test_a_key_that_is_made_or_dropped_counts_from_then_on(path: Path) -> None:
    keyring = Keyring(path)
    assert keyring.is_empty()
    key = make_key(path, "robot", [Right.RECORD])
    known = keyring.find(key)
    assert known is not None
    assert (known.name, known.rights) == ("robot", frozenset({Right.RECORD}))
    drop_key(path, "robot")
    assert keyring.find(key) is None


@pytest.mark.parametrize(
    "line",
    ["robot", "robot read", "robot fly " + 64 * "0", "robot  " + 64 * "0", "robot read abc", "a/b read " + 64 * "0"],
)
def test_a_line_that_is_no_key_is_named_and_not_repeated(path: Path, line: str) -> None:
    path.parent.mkdir()
    path.write_text(f"# ours\n\n{line}\n")
    with pytest.raises(FatalError, match=r"line 3 of .*keys is no key") as error:
        read_keys(path)
    assert line not in str(error.value)


def test_a_file_that_is_spoiled_while_it_is_served_opens_nothing(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    key = make_key(path, "robot", [Right.READ])
    keyring = Keyring(path)
    good = path.read_text()
    path.write_text(good + "what is this?\n")
    with caplog.at_level(logging.ERROR):
        assert keyring.find(key) is None
    assert "line 2" in caplog.text
    path.write_text(good)
    assert keyring.find(key) is not None


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
@pytest.mark.parametrize("what", ["file", "folder"])
def test_a_file_that_may_be_read_again_opens_at_once(path: Path, what: str, caplog: pytest.LogCaptureFixture) -> None:
    key = make_key(path, "robot", [Right.READ])
    keyring = Keyring(path)
    locked = path if what == "file" else path.parent
    before = path.stat()
    mode = locked.stat().st_mode
    locked.chmod(0)
    with caplog.at_level(logging.ERROR):
        assert keyring.find(key) is None
        assert keyring.find(key) is None
    assert caplog.text.count("Permission denied") == 1
    locked.chmod(mode)
    assert keyring.find(key) is not None
    assert path.stat().st_mtime_ns == before.st_mtime_ns  # nobody had to touch it


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_a_file_that_is_given_back_to_the_server_opens_at_once(caplog: pytest.LogCaptureFixture) -> None:
    nobody = 65534
    with tempfile.TemporaryDirectory() as folder:  # pytest's own is closed to others
        Path(folder).chmod(0o755)
        path = Path(folder) / "keys"
        key = make_key(path, "robot", [Right.READ])
        os.chown(path, nobody, nobody)
        try:
            os.seteuid(nobody)
            keyring = Keyring(path)
            os.seteuid(0)
            make_key(path, "another", [Right.READ])  # as an administrator would, and now it is root's
            os.seteuid(nobody)
            with caplog.at_level(logging.ERROR):
                assert keyring.find(key) is None
                assert keyring.find(key) is None
            assert caplog.text.count("Permission denied") == 1
            os.seteuid(0)
            os.chown(path, nobody, nobody)
            os.seteuid(nobody)
            assert keyring.find(key) is not None
        finally:
            os.seteuid(0)


def test_a_file_that_could_not_be_read_is_read_at_the_next_question(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As where a change of owner leaves no trace in what a network file system tells of the file."""
    key = make_key(path, "robot", [Right.READ])
    keyring = Keyring(path)
    good = path.read_text()
    path.write_text("what is this?")
    assert keyring.find(key) is None
    spoiled = keys._state_of(path)
    path.write_text(good)
    monkeypatch.setattr(keys, "_state_of", lambda _: spoiled)
    assert keyring.find(key) is not None


def test_keys_that_are_made_at_once_are_all_kept(path: Path) -> None:
    names = [f"robot-{number}" for number in range(16)]
    with ThreadPoolExecutor(len(names)) as pool:
        made = dict(zip(names, pool.map(lambda name: make_key(path, name, [Right.READ]), names), strict=True))
    keyring = Keyring(path)
    assert {name for name, key in made.items() if keyring.find(key)} == set(names)
    with ThreadPoolExecutor(len(names)) as pool:
        list(pool.map(lambda name: drop_key(path, name), names))
    assert keyring.is_empty()


def test_other_users_cannot_hold_the_lock(path: Path) -> None:
    make_key(path, "robot", [Right.READ])
    assert path.with_name("keys.lock").stat().st_mode & 0o077 == 0


def test_names_are_not_given_twice_and_what_is_not_there_is_not_dropped(path: Path) -> None:
    make_key(path, "robot", [Right.READ])
    with pytest.raises(FatalError, match="there is a key robot already"):
        make_key(path, "robot", [Right.RECORD])
    with pytest.raises(FatalError, match="is no name for a key"):
        make_key(path, "two words", [Right.RECORD])
    with pytest.raises(FatalError, match="there is no key robert"):
        drop_key(path, "robert")


def test_the_command_makes_lists_and_drops(path: Path) -> None:
    def run(*words: str) -> str:
        done = CliRunner().invoke(app, ["keys", *words, "--home", str(path.parent)], catch_exceptions=False)
        assert done.exit_code == 0, done.output
        return done.output

    key = run("make", "ana", "--right", "read", "--right", "record").strip()
    assert Keyring(path).find(key) is not None
    listed = run("list")
    assert "ana" in listed
    assert "read, record" in listed
    assert key not in listed
    run("drop", "ana")
    assert Keyring(path).is_empty()


def test_a_login_has_the_rights_of_its_key_and_ends_with_it(settings: Settings) -> None:
    file = settings.keys_file()
    logins = Logins(settings, Keyring(file))
    login = logins.login_by_key(make_key(file, "ana", [Right.READ]), now())
    assert logins.by_login(login, HERE).rights == {Right.READ}
    file.write_text(file.read_text().replace("read", "record"))
    assert logins.by_login(login, HERE).rights == {Right.RECORD}
    drop_key(file, "ana")
    with pytest.raises(Refusal, match="the login has ended"):
        logins.by_login(login, HERE)
    make_key(file, "ana", [Right.READ])
    with pytest.raises(Refusal, match="the login has ended"):
        logins.by_login(login, HERE)


def test_a_login_ends_with_its_time(settings: Settings) -> None:
    logins = Logins(settings, Keyring(settings.keys_file()))
    key = make_key(settings.keys_file(), "ana", [Right.READ])
    long_ago = now() - timedelta(hours=settings.login_hours, minutes=2)
    with pytest.raises(Refusal, match="the login has ended"):
        logins.by_login(logins.login_by_key(key, long_ago), HERE)


def test_a_link_logs_the_owner_in_once_soon_and_at_its_own_server(settings: Settings) -> None:
    logins = Logins(settings, Keyring(settings.keys_file()))
    link = link_to(settings, URL, now()).partition("#")[2]
    with pytest.raises(Refusal) as elsewhere:
        logins.login_by_link(link, {"http://127.0.0.1:9000"}, now())
    assert elsewhere.value.code == "link_used"
    owner = logins.by_login(logins.login_by_link(link, HERE, now()), HERE)
    assert (owner.name, owner.rights) == (OWNER, frozenset({Right.OPERATE}))
    for spoilt in (link, link_to(settings, URL, now() - timedelta(minutes=11)).partition("#")[2], "x", ""):
        with pytest.raises(Refusal) as again:
            logins.login_by_link(spoilt, HERE, now())
        assert again.value.code == "link_used"


def test_a_link_that_was_used_is_used_for_each_process_of_the_home(settings: Settings) -> None:
    link = link_to(settings, URL, now()).partition("#")[2]

    def use(_: int) -> bool:
        try:
            return bool(Logins(settings, Keyring(settings.keys_file())).login_by_link(link, HERE, now()))
        except Refusal:
            return False

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(use, range(32))) == 1


def test_a_link_whose_use_cannot_be_recorded_opens_nothing(settings: Settings) -> None:
    settings.home.mkdir(parents=True)
    (settings.home / "used-links").write_text("no folder")
    logins = Logins(settings, Keyring(settings.keys_file()))
    with pytest.raises(Refusal) as refused:
        logins.login_by_link(link_to(settings, URL, now()).partition("#")[2], HERE, now())
    assert (refused.value.code, refused.value.status) == ("link_unrecorded", 503)


def test_used_links_are_forgotten_long_after_they_ended(tmp_path: Path) -> None:
    folder = tmp_path / "used-links"
    used = UsedLinks(folder)
    assert used.use("the-first", now())
    assert not used.use("the-first", now() + timedelta(hours=1))
    assert used.use("the-second", now() + timedelta(days=3))
    assert [file.name for file in folder.iterdir()] == ["the-second"]
    assert folder.stat().st_mode & 0o077 == 0
    for name in ("../escape", "", ".", "a/b"):
        assert not used.use(name, now())


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "undertone.example.org"])
def test_what_others_can_reach_is_not_served_open_or_without_a_key(settings: Settings, host: str) -> None:
    keyring = Keyring(settings.keys_file())
    reachable = settings.model_copy(update={"host": host})
    with pytest.raises(FatalError, match="undertone keys make NAME --right operate"):
        check_access(reachable, keyring)
    with pytest.raises(FatalError, match="UNDERTONE_ACCESS=open"):
        check_access(reachable.model_copy(update={"access": "open"}), keyring)
    make_key(settings.keys_file(), "ana", [Right.OPERATE])
    check_access(reachable, keyring)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.2", "::1", "localhost"])
@pytest.mark.parametrize("access", ["open", "closed"])
def test_loopback_is_served_without_a_key(settings: Settings, host: str, access: str) -> None:
    check_access(settings.model_copy(update={"host": host, "access": access}), Keyring(settings.keys_file()))
