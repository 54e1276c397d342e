"""Windows of statistics computed anew from the utterances: by plain counting in Python, and by SQL as stored."""

from collections.abc import Iterable, Sequence
from decimal import ROUND_HALF_UP, Decimal

from storage.engine import make_engine
from storage.queries import one_session, window_page
from storage.statistics import recompute
from tests.examples import SESSION_ID
from undertone.audio import to_ms
from undertone.events import Utterance, Window
from undertone.windows import SIZES_MS, WHOLE, Place, place_of

LABELS = ("positive", "neutral", "negative")


def all_places(length_ms: int) -> set[Place]:
    """Where the windows of a session of this length lie, empty ones included."""
    return {Place(WHOLE, 0)} | {Place(size, start) for size in SIZES_MS for start in range(0, length_ms, size)}


def is_kept(window: Window) -> bool:
    """Whether the window is stored: the whole session is, the others where an utterance that counts overlaps them."""
    return window.size_ms == WHOLE or window.utterances > 0 or window.talk_ms > 0


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
    """The windows of a session that has ended; each is final and equals what SQL makes of its utterances.

    The rows of the table are those of them that an utterance overlaps.
    """
    engine = make_engine(database)
    try:
        async with engine.connect() as connection:
            session = await one_session(connection, session_id)
            assert session is not None
            length_ms = to_ms(session.through)
            shown = (await window_page(connection, session_id, limit=10**6)).items
            wanted = [place_of(window) for window in shown]
            assert set(wanted) == all_places(length_ms)
            computed = await recompute(connection, session_id, wanted, length_ms)
            asked = "SELECT size_ms, start_ms FROM windows WHERE session_id = %s"
            found = await connection.exec_driver_sql(asked, (session_id,))
            rows = {Place(row.size_ms, row.start_ms) for row in found}
    finally:
        await engine.dispose()
    assert all(window.final for window in shown)
    for window, anew in zip(shown, computed, strict=True):
        assert figures(window) == figures(anew), f"shown {window}, by SQL {anew}"
    assert rows == {place_of(window) for window in computed if is_kept(window)}
    return shown


def figures(window: Window) -> dict[str, object]:
    """What a window says of its place; ``seq`` and ``final`` say how it came about."""
    return window.model_dump(exclude={"session_id", "seq", "final"})


def _mean(values: Sequence[tuple[float, int]], unit: str) -> float | None:
    """The mean of values with weights, rounded to ``unit``."""
    total = sum(weight for _, weight in values)
    return _round(sum(Decimal(str(value)) * weight for value, weight in values) / total, unit) if total else None


def _round(value: Decimal | float, unit: str) -> float:
    return float(Decimal(value).quantize(Decimal(unit), ROUND_HALF_UP))
