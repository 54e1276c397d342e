"""The folder of all state: one instance at a time, and a secret for its owner alone."""

import os
import stat
from pathlib import Path

import pytest

from undertone.errors import FatalError
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


def test_the_secret_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    secret = keep_secret(tmp_path / "secret")
    assert len(secret) >= 32
    assert keep_secret(tmp_path / "secret") == secret
    assert stat.S_IMODE((tmp_path / "secret").stat().st_mode) == 0o600
