"""Models by name, what they judge, and how long it takes them."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from models.sentiment import load_engines
from models.sentiment.engines import SentimentEngine
from undertone.events import Sentiment

WARM_UP_TEXTS = 20


@dataclass(frozen=True, slots=True)
class Judge:
    """The engines of one name, as in UNDERTONE_SENTIMENT_MODEL."""

    name: str
    engines: tuple[SentimentEngine, ...]

    def engine_for(self, language: str) -> SentimentEngine | None:
        """The engine that judges texts of a language; None where it knows none."""
        return next((engine for engine in self.engines if language in engine.languages), None)


@dataclass(frozen=True, slots=True)
class Cost:
    """Milliseconds a text: the median, and what 95 of 100 texts stay within."""

    median_ms: float
    p95_ms: float


@dataclass(frozen=True, slots=True)
class Verdict:
    """What an engine made of texts, in their order, and at what cost."""

    judgements: list[Sentiment | None]
    cost: Cost


def load_judges(names: Sequence[str], cache: Path) -> list[Judge]:
    """The engines of each name. Raises ``FatalError`` where one cannot be had."""
    return [Judge(name, load_engines(name, cache)) for name in names]


def judge(engine: SentimentEngine, texts: Sequence[str]) -> Verdict:
    """Let an engine judge texts one by one in this thread; the first some have been judged before the clock starts."""
    for text in texts[:WARM_UP_TEXTS]:
        engine.classify(text)
    judgements, took_s = [], []
    for text in texts:
        began_s = time.perf_counter()
        judgements.append(engine.classify(text))
        took_s.append(time.perf_counter() - began_s)
    median_ms, p95_ms = (round(1000 * float(value), 4) for value in np.percentile(took_s, [50, 95]))
    return Verdict(judgements, Cost(median_ms, p95_ms))
