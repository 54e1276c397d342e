"""Windows of statistics computed anew from the utterances: by plain counting in Python, and by SQL as stored."""

from collections.abc import Iterable, Sequence
from decimal import ROUND_HALF_UP, Decimal

from storage.engine import make_engine
from storage.queries import one_session, window_page
from storage.statistics import Place, recompute
from stream_apps.windows import SIZES_MS, WHOLE
from tests.examples import SESSION_ID
from undertone.audio import to_ms
from undertone.events import Utterance, Window

LABELS = ("positive", "neutral", "negative")


def places(length_ms: int) -> set[Place]:
    """Where the windows of a session of this length lie."""
    return {Place(WHOLE, 0)} | {Place(size, start) for size in SIZES_MS for start in range(0, length_ms, size)}


def recount(finals: Iterable[Utterance], place: Place, length_ms: int) -> Window:
    """The window at ``place`` of a session with these finals; without ``seq``, and not ``final``.

    Slow and plain: the session is a line of milliseconds, 1 where somebody talks.
    """
    end_ms = min(length_ms, place.start_ms + place.size_ms) if place.size_ms else length_ms
    said = [final for final in finals if final.quality.suppressed is None]
    line = bytearray(length_ms)
    for final in said:
        line[final.start_ms : final.end_ms] = b"\1" * (final.end_ms - final.start_ms)
    line = line[place.start_ms : end_ms]
    here = [final for final in said if place.start_ms <= final.start_ms < end_ms]
    judged = [final.sentiment for final in here if final.sentiment is not None]
    scores = [sentiment.score for sentiment in judged]
    labels = [sentiment.label for sentiment in judged]
    lengths = [final.end_ms - final.start_ms for final in here]
    words = sum(len(final.text.split()) for final in here)
    return Window(
        session_id=SESSION_ID,
        seq=0,
        size_ms=place.size_ms,
        start_ms=place.start_ms,
        final=False,
        utterances=len(here),
        positive=labels.count("positive"),
        neutral=labels.count("neutral"),
        negative=labels.count("negative"),
        score=_mean([(score, 1) for score in scores], "0.0001"),
        score_min=min(scores, default=None),
        score_max=max(scores, default=None),
        talk_ms=line.count(1),
        silence_ms=line.count(0),
        longest_pause_ms=max(map(len, line.split(b"\1"))),
        words=words,
        words_per_minute=_round(Decimal(words * 60_000) / sum(lengths), "1") if here else None,
        loudness_dbfs=_mean(
            [(final.loudness_dbfs, length) for final, length in zip(here, lengths, strict=True)], "0.1"
        ),
    )


async def check_windows(database: str, session_id: str) -> list[Window]:
    """The stored windows of a session that has ended; each is final and equals what SQL makes of its utterances."""
    engine = make_engine(database)
    try:
        async with engine.connect() as connection:
            session = await one_session(connection, session_id)
            assert session is not None
            length_ms = to_ms(session.through)
            stored = (await window_page(connection, session_id, limit=10**6)).items
            assert {Place(window.size_ms, window.start_ms) for window in stored} == places(length_ms)
            wanted = [Place(window.size_ms, window.start_ms) for window in stored]
            computed = await recompute(connection, session_id, wanted, length_ms)
    finally:
        await engine.dispose()
    assert all(window.final for window in stored)
    for window, anew in zip(stored, computed, strict=True):
        assert figures(window) == figures(anew), f"stored {window}, by SQL {anew}"
    return stored


def figures(window: Window) -> dict[str, object]:
    """What a window says of its place; ``seq`` and ``final`` say how it came about."""
    return window.model_dump(exclude={"session_id", "seq", "final"})


def _mean(values: Sequence[tuple[float, int]], unit: str) -> float | None:
    """The mean of values with weights, rounded to ``unit``."""
    total = sum(weight for _, weight in values)
    return _round(sum(Decimal(str(value)) * weight for value, weight in values) / total, unit) if total else None


def _round(value: Decimal | float, unit: str) -> float:
    return float(Decimal(value).quantize(Decimal(unit), ROUND_HALF_UP))
