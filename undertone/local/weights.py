"""Which models these settings need from the registry."""

from undertone.settings import Settings


def needed_models(settings: Settings) -> list[str]:
    """Names, or folders of one's own, that the workers will ask ``models.weights`` for."""
    from models.weights.registry import ENTRIES

    registered = {entry.name for entry in ENTRIES}
    return [settings.whisper_model, *({settings.sentiment_model} & registered)]
