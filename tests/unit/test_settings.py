import pytest

from undertone.settings import Settings, read_settings


def test_an_empty_variable_counts_as_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    """A compose file cannot leave a variable out, and an empty path would be the current folder."""
    plain = read_settings()
    for name in Settings.model_fields:
        monkeypatch.setenv(f"UNDERTONE_{name.upper()}", "")
    assert read_settings() == plain
