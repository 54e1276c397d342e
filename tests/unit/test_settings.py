import pytest

from undertone.settings import Settings, read_settings


def test_an_empty_variable_counts_as_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    """A compose file cannot leave a variable out, and an empty path would be the current folder."""
    variables = [f"UNDERTONE_{name.upper()}" for name in Settings.model_fields]
    for name in variables:
        monkeypatch.delenv(name, raising=False)
    plain = read_settings()
    for name in variables:
        monkeypatch.setenv(name, "")
    assert read_settings() == plain
