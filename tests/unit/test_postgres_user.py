"""Whom PostgreSQL runs as, and what is said where it can run as nobody."""

import os
import pwd
from pathlib import Path

import pytest

from undertone.errors import FatalError
from undertone.local import postgres_user
from undertone.local.postgres_user import UNUSED_IDS, check_rights, hand_over, user_of_initdb, user_of_server


def test_an_ordinary_user_runs_it_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: pwd.getpwnam("nobody").pw_uid)
    assert (user_of_initdb(), user_of_server(tmp_path / "postgres")) == (None, None)
    check_rights(tmp_path, tmp_path)


def test_a_user_without_an_entry_in_passwd_can_use_data_but_not_make_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 4_242_424)
    with pytest.raises(FatalError, match=r"4242424 has no entry in passwd: .*UNDERTONE_DATABASE"):
        check_rights(tmp_path / "home", tmp_path)
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "postgres").mkdir()
    (tmp_path / "postgres" / "PG_VERSION").write_text("18")
    check_rights(tmp_path, tmp_path)


def test_root_runs_it_as_somebody_that_nobody_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    user = user_of_server(tmp_path / "postgres")
    assert user is not None
    assert user[0] in UNUSED_IDS
    with pytest.raises(KeyError):
        pwd.getpwuid(user[0])
    maker = user_of_initdb()
    assert maker is not None
    assert pwd.getpwuid(maker[0]).pw_uid != 0


def test_where_there_are_no_other_ids_it_is_the_one_who_makes_the_data(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(postgres_user, "_is_mapped", lambda user_id: user_id < 60_000)
    assert user_of_server(tmp_path / "postgres") == user_of_initdb()
    monkeypatch.setattr(postgres_user, "_is_mapped", lambda user_id: user_id == 0)
    with pytest.raises(FatalError, match="passwd has no other user"):
        check_rights(tmp_path, tmp_path)


def test_root_without_its_rights_is_told_which(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(postgres_user, "_capabilities", lambda: 0)
    with pytest.raises(FatalError, match="capabilities CHOWN, KILL, SETGID, SETUID"):
        check_rights(closed / "home", tmp_path)
    monkeypatch.setattr(postgres_user, "_capabilities", lambda: 0b1110_0001 | 1 << 1)
    with pytest.raises(FatalError, match=r"only root may enter .*closed/home"):
        check_rights(closed / "home", tmp_path)
    assert list(closed.iterdir()) == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give files away")
def test_data_of_nobody_and_of_root_are_handed_over(tmp_path: Path) -> None:
    nobody = pwd.getpwnam("nobody")
    for uid, gid in ((nobody.pw_uid, nobody.pw_gid), (0, 0)):
        data = tmp_path / f"of-{uid}"
        (data / "base").mkdir(parents=True)
        (data / "base" / "1").write_text("")
        for path in (data, *data.rglob("*")):
            os.chown(path, uid, gid)
        user = user_of_server(data)
        assert user is not None
        hand_over(data, user)
        assert {(path.stat().st_uid, path.stat().st_gid) for path in (data, *data.rglob("*"))} == {user}
        assert user_of_server(data) == user
