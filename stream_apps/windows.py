"""Windows of statistics from finals and marks: 10 s, 60 s and the whole session. Pure.

Counts, scores, words and loudness go by the start of an utterance; talk, silence and pauses by overlap. All is kept in
integers and rounded as PostgreSQL rounds, so SQL over the stored utterances gives the same. Suppressed utterances count
as silence; gaps do too. ``docs/statistics.md`` has the rules.
"""

from collections.abc import Iterator

from undertone.audio import to_ms
from undertone.events import Mark, OpenWindow, Sentiment, Statistics, Utterance, Window

SIZES_MS = (10_000, 60_000)
WHOLE = 0


def apply(statistics: Statistics, event: Utterance | Mark) -> tuple[Statistics, tuple[Window, ...]]:
    """The statistics after a final or mark, and the windows that it changed, oldest first.

    An event whose ``seq`` is at or below the statistics' changes nothing and gives no windows.
    """
    if event.seq <= statistics.seq:
        return statistics, ()
    through_ms = to_ms(event.through)
    ended = isinstance(event, Mark) and event.ended is not None
    windows = [_add(window, event) for window in _reach(statistics, through_ms)]
    after = Statistics(
        session_id=statistics.session_id,
        seq=event.seq,
        through_ms=through_ms,
        windows=tuple(window for window in windows if not _is_past(window, through_ms)),
    )
    changed = tuple(
        _publish(window, after, final=ended or _is_past(window, through_ms))
        for window in sorted(windows, key=lambda window: (window.size_ms, window.start_ms))
    )
    return after, changed


def _reach(statistics: Statistics, through_ms: int) -> Iterator[OpenWindow]:
    """The open windows, and empty ones for all time up to ``through_ms`` that has none yet."""
    opened = {(window.size_ms, window.start_ms): window for window in statistics.windows}
    yield opened.get((WHOLE, 0)) or _empty(WHOLE, 0)
    for size_ms in SIZES_MS:
        first_ms = statistics.through_ms // size_ms * size_ms
        for start_ms in range(first_ms, through_ms, size_ms):
            yield opened.get((size_ms, start_ms)) or _empty(size_ms, start_ms)


def _empty(size_ms: int, start_ms: int) -> OpenWindow:
    return OpenWindow(size_ms=size_ms, start_ms=start_ms, talked_until_ms=start_ms)


def _add(window: OpenWindow, event: Utterance | Mark) -> OpenWindow:
    if isinstance(event, Mark) or event.quality.suppressed is not None:
        return window
    changes = _talk(window, event)
    if _starts_in(window, event):
        length_ms = event.end_ms - event.start_ms
        changes |= {
            "utterances": window.utterances + 1,
            "words": window.words + event.words,
            "spoken_ms": window.spoken_ms + length_ms,
            "loudness_dms": window.loudness_dms + round(event.loudness_dbfs * 10) * length_ms,
        }
        if event.sentiment is not None:
            changes |= _judgement(window, event.sentiment)
    return window.model_copy(update=changes)


def _talk(window: OpenWindow, event: Utterance) -> dict[str, int]:
    """What an utterance changes by its overlap: utterances come in order, so a pause ends where one begins."""
    start_ms = max(window.start_ms, event.start_ms)
    end_ms = event.end_ms if window.size_ms == WHOLE else min(window.start_ms + window.size_ms, event.end_ms)
    if end_ms <= start_ms:
        return {}
    changes = {"talk_ms": window.talk_ms + end_ms - start_ms}
    if window.talked_until_ms is not None:
        changes["pause_ms"] = max(window.pause_ms, start_ms - window.talked_until_ms)
        changes["talked_until_ms"] = end_ms
    return changes


def _judgement(window: OpenWindow, sentiment: Sentiment) -> dict[str, int]:
    score_e4 = round(sentiment.score * 10_000)
    changes = {
        sentiment.label: getattr(window, sentiment.label) + 1,
        "score_e4": window.score_e4 + score_e4,
    }
    lowest, highest = window.score_min_e4, window.score_max_e4
    if _judged(window) == 0:
        lowest = highest = score_e4
    if lowest is not None and highest is not None:  # else an older version has judged here and kept no extremes
        changes |= {"score_min_e4": min(lowest, score_e4), "score_max_e4": max(highest, score_e4)}
    return changes


def _publish(window: OpenWindow, statistics: Statistics, *, final: bool) -> Window:
    end_ms = statistics.through_ms
    if window.size_ms != WHOLE:
        end_ms = min(end_ms, window.start_ms + window.size_ms)
    judged = _judged(window)
    spoken_ms = window.spoken_ms
    until_ms = window.talked_until_ms
    return Window(
        session_id=statistics.session_id,
        seq=statistics.seq,
        size_ms=window.size_ms,
        start_ms=window.start_ms,
        final=final,
        utterances=window.utterances,
        positive=window.positive,
        neutral=window.neutral,
        negative=window.negative,
        score=_divide(window.score_e4, judged) / 10_000 if judged else None,
        score_min=None if window.score_min_e4 is None else window.score_min_e4 / 10_000,
        score_max=None if window.score_max_e4 is None else window.score_max_e4 / 10_000,
        talk_ms=window.talk_ms,
        silence_ms=end_ms - window.start_ms - window.talk_ms,
        longest_pause_ms=None if until_ms is None else max(window.pause_ms, end_ms - until_ms),
        words=window.words,
        words_per_minute=_divide(window.words * 60_000, spoken_ms) if spoken_ms else None,
        loudness_dbfs=_divide(window.loudness_dms, spoken_ms) / 10 if spoken_ms else None,
    )


def _judged(window: OpenWindow) -> int:
    return window.positive + window.neutral + window.negative


def _divide(dividend: int, divisor: int) -> int:
    """The nearest whole number, halves away from zero: as PostgreSQL rounds its ``numeric``."""
    nearest = (2 * abs(dividend) + divisor) // (2 * divisor)
    return nearest if dividend >= 0 else -nearest


def _is_past(window: OpenWindow, through_ms: int) -> bool:
    return window.size_ms != WHOLE and window.start_ms + window.size_ms <= through_ms


def _starts_in(window: OpenWindow, event: Utterance) -> bool:
    return window.size_ms == WHOLE or window.start_ms <= event.start_ms < window.start_ms + window.size_ms
