"""Which models these settings need, and how they come here."""

from pathlib import Path

from rich.progress import Progress

from undertone.errors import FatalError
from undertone.settings import Settings

HUB = "hf:"


def needed_models(settings: Settings) -> list[str]:
    """Names, or folders of one's own, of what the workers will want: see ``fetch_model``.

    What is inside the project's own package is not among them. Raises ``FatalError`` where the setting of the
    sentiment models cannot be read.
    """
    from models.sentiment.names import hub_models

    hub = [f"{HUB}{model.repository}@{model.revision}" for model in hub_models(settings.sentiment_model)]
    return [settings.whisper_model, *hub]


def fetch_model(name: str, cache: Path, *, progress: Progress | None = None) -> Path:
    """The folder of a model, downloaded if it is not here. Raises ``FatalError`` where it cannot be had.

    ``name`` is an entry of the registry, ``hf:owner/name@commit``, or a folder, which is taken as it is.
    """
    from models.sentiment.names import read_hub
    from models.weights.fetch import fetch
    from models.weights.hub import fetch_from_hub

    if name.startswith(HUB):
        return fetch_from_hub(read_hub(name), cache, progress=progress)
    return fetch(name, cache, progress=progress)


def verify_model(name: str, cache: Path) -> None:
    """Return if the model is here as it should be, else raise ``FatalError``; no hub's checksums are known here."""
    from models.sentiment.names import read_hub
    from models.weights.fetch import verify
    from models.weights.hub import is_here

    if not name.startswith(HUB):
        verify(name, cache)
    elif not is_here(read_hub(name), cache):
        raise FatalError(f"the model {name} is not here yet: fetch it with `undertone models fetch {name}`")


def download_megabytes(name: str, cache: Path) -> int:
    """How much has to be downloaded before the model is here; 0 if it is, or if no registered model has that name."""
    from models.weights.fetch import is_here
    from models.weights.registry import ENTRIES

    missing = [entry for entry in ENTRIES if entry.name == name and not is_here(entry, cache)]
    return round(sum(entry.size_bytes for entry in missing) / 1e6)
