"""How it feels: sentiment engines and the routing of texts to them by language."""

from pathlib import Path

from models.sentiment.engines import SentimentEngine
from models.sentiment.routing import Router
from undertone.errors import FatalError

SHIPPED = Path(__file__).parents[1] / "weights"
"""Where the trained models lie that come with the project, one folder each: ``sentiment-en``, ``sentiment-ko``."""


def make_router(names: str, cache: Path) -> Router:
    """A router with the engines that the settings name, the first that knows a language before the others."""
    return Router(load_engines(names, cache))


def load_engines(names: str, cache: Path) -> tuple[SentimentEngine, ...]:
    """The engines that the setting ``sentiment_model`` names, in its order, warm.

    ``cache`` is the folder of downloads. Raises ``FatalError`` that names the setting where one cannot be had.
    """
    return tuple(engine for name in names.split() for engine in _load(name))


def _load(name: str) -> tuple[SentimentEngine, ...]:
    """The engines of one name. Their libraries are imported only where they are asked for."""
    if name == "vader":
        from models.sentiment.vader_engine import VaderEngine

        return (VaderEngine(),)
    if name == "shipped":
        from models.sentiment.onnx_engine import OnnxEngine

        return tuple(OnnxEngine(folder) for folder in sorted(SHIPPED.glob("sentiment-*")))
    raise FatalError(f"no sentiment engine is named {name!r}: set UNDERTONE_SENTIMENT_MODEL to vader or shipped")
