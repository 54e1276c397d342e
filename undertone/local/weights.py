"""Which models these settings need from the registry."""

from pathlib import Path

from undertone.settings import Settings


def needed_models(settings: Settings) -> list[str]:
    """Names, or folders of one's own, that the workers will ask ``models.weights`` for."""
    from models.weights.registry import ENTRIES

    registered = {entry.name for entry in ENTRIES}
    return [settings.whisper_model, *({settings.sentiment_model} & registered)]


def download_megabytes(name: str, cache: Path) -> int:
    """How much has to be downloaded before the model is here; 0 if it is, or if no registered model has that name."""
    from models.weights.fetch import is_here
    from models.weights.registry import ENTRIES

    missing = [entry for entry in ENTRIES if entry.name == name and not is_here(entry, cache)]
    return round(sum(entry.size_bytes for entry in missing) / 1e6)
