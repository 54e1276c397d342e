"""How it feels: sentiment engines and the routing of texts to them by language."""

from pathlib import Path

from models.sentiment.engines import SentimentEngine
from models.sentiment.names import REMEDY, BuiltIn, Model, read_names
from models.sentiment.onnx_card import CARD
from models.sentiment.routing import Router
from undertone.errors import FatalError

SHIPPED = Path(__file__).parents[1] / "weights"
"""Where the trained models lie that come with the project, one folder each: ``sentiment-en``, ``sentiment-ko``."""


def make_router(names: str, cache: Path, *, device: str = "cpu") -> Router:
    """A router with the engines that the settings name, the first that knows a language before the others."""
    return Router(load_engines(names, cache, device=device))


def load_engines(names: str, cache: Path, *, device: str = "cpu") -> tuple[SentimentEngine, ...]:
    """The engines that the setting ``sentiment_model`` names, in its order, warm. Blocks, and may download.

    ``cache`` is the folder of downloads, ``device`` where models on torch run. Raises ``FatalError`` that names the
    setting where one cannot be had.
    """
    return tuple(engine for named in read_names(names) for engine in _load(named, cache, device))


def shipped_folders() -> list[Path]:
    """Those of the trained models that come with the project."""
    return sorted(SHIPPED.glob("sentiment-*"))


def _load(named: BuiltIn | Model, cache: Path, device: str) -> tuple[SentimentEngine, ...]:
    """The engines of one name. Their libraries are imported only where they are asked for."""
    if isinstance(named, Model):
        return (_load_model(named, cache, device),)
    if named == "vader":
        from models.sentiment.vader_engine import VaderEngine

        return (VaderEngine(),)
    from models.sentiment.onnx_engine import OnnxEngine

    folders = shipped_folders()
    if not folders:
        raise FatalError(f"the models that come with the project are not in {SHIPPED}: {REMEDY}")
    return tuple(OnnxEngine(folder) for folder in folders)


def _load_model(model: Model, cache: Path, device: str) -> SentimentEngine:
    if isinstance(model.source, Path) and (model.source / CARD).is_file():  # of the form of those that are shipped
        from models.sentiment.onnx_engine import OnnxEngine

        return OnnxEngine(model.source)
    from models.sentiment.transformers_engine import open_model

    return open_model(model, cache, device)
