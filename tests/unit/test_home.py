"""The folder of all state: one instance at a time, and a secret for its owner alone."""

import os
import stat
from pathlib import Path

import pytest

from undertone.errors import FatalError
from undertone.local.cache import close_cache
from undertone.local.home import hold_home, keep_secret


def test_a_second_instance_is_refused_and_told_the_process(tmp_path: Path) -> None:
    home = tmp_path / "home"
    refused = pytest.raises(FatalError, match=rf"already in use .*\(process {os.getpid()}\).*--home")
    with hold_home(home), refused, hold_home(home):
        pass
    with hold_home(home):
        assert (home / "logs").is_dir()


def test_a_home_that_cannot_be_made_is_named_with_the_remedy(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with (
        pytest.raises(FatalError, match=r"file/home cannot be written .*--home"),
        hold_home(tmp_path / "file" / "home"),
    ):
        pass


def test_a_home_is_closed_to_others_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        with hold_home(tmp_path / "home"):
            assert mode_of(tmp_path / "home") & 0o066 == 0
            assert {path.name: mode_of(path) & 0o077 for path in (tmp_path / "home").iterdir()} == {
                "lock": 0,
                "logs": 0,
                "up.pid": 0,
            }
    finally:
        os.umask(before)


def test_an_open_home_of_an_earlier_version_is_closed(tmp_path: Path) -> None:
    home = tmp_path / "home"
    for folder in ("kafka", "logs"):
        (home / folder).mkdir(parents=True)
    (home / "keys").write_text("")
    for path in (home, home / "kafka", home / "logs", home / "keys"):
        path.chmod(0o777)
    with hold_home(home):
        assert [mode_of(home / name) for name in ("kafka", "logs", "keys")] == [0o700, 0o700, 0o600]
        assert mode_of(home) & 0o066 == 0


def test_a_folder_that_is_more_than_a_home_keeps_its_mode_unless_everybody_may_write_it(tmp_path: Path) -> None:
    (tmp_path / "theirs").write_text("")
    tmp_path.chmod(0o755)
    (tmp_path / "theirs").chmod(0o644)
    with hold_home(tmp_path):
        assert (mode_of(tmp_path), mode_of(tmp_path / "theirs")) == (0o755, 0o644)
        assert mode_of(tmp_path / "logs") == 0o700
    tmp_path.chmod(0o777)
    with pytest.raises(FatalError, match=r"every user may replace .*chmod o-w.*--home"), hold_home(tmp_path):
        pass


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file to somebody else")
def test_what_another_user_has_put_into_a_home_is_not_believed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o1777)
    (shared / "secret").write_text("0" * 64)
    os.chown(shared / "secret", 1234, 1234)
    monkeypatch.setattr(os, "geteuid", lambda: 65534)
    with pytest.raises(FatalError, match="secret belongs to another user"), hold_home(shared):
        pass


def test_the_cache_stays_readable_and_is_written_by_its_owner_alone(tmp_path: Path) -> None:
    (tmp_path / "kafka").mkdir()
    (tmp_path / "kafka" / "a.jar").write_text("")
    for path in (tmp_path / "kafka", tmp_path / "kafka" / "a.jar"):
        path.chmod(0o777)
    close_cache(tmp_path)
    assert [mode_of(tmp_path / "kafka"), mode_of(tmp_path / "kafka" / "a.jar")] == [0o755, 0o755]


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_the_secret_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    secret = keep_secret(tmp_path / "secret")
    assert len(secret) >= 32
    assert keep_secret(tmp_path / "secret") == secret
    assert stat.S_IMODE((tmp_path / "secret").stat().st_mode) == 0o600
