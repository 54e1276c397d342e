"""The speech engine that the settings ask for."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

from rich.progress import Progress

from models.speech.engines import SpeechEngine
from models.weights.fetch import Weights, describe, fetch
from undertone.settings import Settings

Make: TypeAlias = Callable[[Path, Weights, Settings], SpeechEngine]


def load_engine(settings: Settings, progress: Progress | None = None) -> SpeechEngine:
    """The engine that the settings ask for; weights are fetched if they are not here. Blocks; not yet warm.

    Raises ``FatalError`` where the engine is not installed, or its weights cannot be had or loaded.
    """
    make = _find(settings.whisper_engine)
    folder = fetch(settings.whisper_model, settings.cache, progress=progress)
    return make(folder, describe(settings.whisper_model, folder), settings)


def _find(engine: str) -> Make:
    """What makes engines of that name. Its libraries are imported only where it is asked for."""
    if engine == "openai-whisper":
        from models.speech.openai_whisper_engine import make_engine as make_openai_whisper

        return make_openai_whisper
    from models.speech.faster_whisper_engine import make_engine as make_faster_whisper

    return make_faster_whisper
