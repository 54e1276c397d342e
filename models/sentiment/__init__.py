"""How it feels: sentiment engines and the routing of texts to them by language."""

from models.sentiment.engines import SentimentEngine
from models.sentiment.routing import Router
from models.sentiment.vader_engine import VaderEngine
from undertone.errors import FatalError

ENGINES: dict[str, type[VaderEngine]] = {"vader": VaderEngine}


def make_router(name: str) -> Router:
    """A router with the engine that the settings name. Raises ``FatalError`` where there is none of that name."""
    if name not in ENGINES:
        raise FatalError(
            f"no sentiment engine is named {name!r}: set UNDERTONE_SENTIMENT_MODEL to one of {', '.join(ENGINES)}"
        )
    engine: SentimentEngine = ENGINES[name]()
    return Router([engine])
