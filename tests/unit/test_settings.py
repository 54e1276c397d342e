import os
import sys
from pathlib import Path

import pytest

from dashboards.hub import MAX_ENTRIES, TOPICS
from undertone.errors import FatalError
from undertone.settings import MAX_PARTITIONS, Settings, read_settings


def test_an_empty_variable_counts_as_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    """A compose file cannot leave a variable out, and an empty path would be the current folder."""
    variables = [f"UNDERTONE_{name.upper()}" for name in Settings.model_fields]
    for name in variables:
        monkeypatch.delenv(name, raising=False)
    plain = read_settings()
    for name in variables:
        monkeypatch.setenv(name, "")
    assert read_settings() == plain


def test_partitions_have_a_bound_whose_message_says_why() -> None:
    assert read_settings(partitions=MAX_PARTITIONS).partitions == MAX_PARTITIONS
    with pytest.raises(FatalError, match=r"UNDERTONE_PARTITIONS: .*65 are too many.*260 MB. At most 64"):
        read_settings(partitions=MAX_PARTITIONS + 1)


def test_the_bound_of_partitions_follows_from_the_memory_of_the_cursors() -> None:
    """The figure that the message and docs/operating.md give: 4 MB for each partition."""
    cursors_bytes = MAX_ENTRIES * (sys.getsizeof((0,) * len(TOPICS) * MAX_PARTITIONS) - sys.getsizeof(()))
    assert cursors_bytes == MAX_PARTITIONS * 4_000_000


def test_a_user_without_a_home_folder_is_told_what_to_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME", "UNDERTONE_HOME", "UNDERTONE_CACHE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(os, "getuid", lambda: 4_242_424)
    with pytest.raises(FatalError, match="UNDERTONE_HOME and UNDERTONE_CACHE"):
        read_settings()
    monkeypatch.setenv("UNDERTONE_HOME", str(tmp_path))
    monkeypatch.setenv("UNDERTONE_CACHE", str(tmp_path))
    assert read_settings().home == tmp_path


def test_a_tilde_is_the_home_folder_of_a_user(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("home", "cache", "keys", "kafka_ca"):
        assert getattr(read_settings(**{name: Path("~/here")}), name) == tmp_path / "here"
        with pytest.raises(FatalError, match=rf"UNDERTONE_{name.upper()}.*~nobody-has-this-name.*write the whole path"):
            read_settings(**{name: Path("~nobody-has-this-name/x")})
