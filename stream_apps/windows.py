"""Windows of statistics from finals and marks: 10 s, 60 s and the whole session. Pure.

Counts, scores, words and loudness go by the start of an utterance; talk, silence and pauses by overlap. All is kept in
integers and rounded as PostgreSQL rounds, so SQL over the stored utterances gives the same. Suppressed utterances count
as silence; gaps do too. A window of 10 s or 60 s begins when an utterance that counts overlaps it: silence, however
long, makes none (``undertone.windows`` has the empty ones). ``docs/statistics.md`` has the rules.
"""

from collections.abc import Iterator

from undertone.audio import to_ms
from undertone.events import Mark, OpenWindow, Sentiment, Statistics, Utterance, Window
from undertone.windows import SIZES_MS, WHOLE, Place, place_of


def apply(statistics: Statistics, event: Utterance | Mark) -> tuple[Statistics, tuple[Window, ...]]:
    """The statistics after a final or mark, and the windows that it changed, the whole-session window last.

    Publish that one behind the others: a window that lies before its end and was not published counts as empty.
    An event whose ``seq`` is at or below the statistics' changes nothing and gives no windows.
    """
    if event.seq <= statistics.seq:
        return statistics, ()
    through_ms = to_ms(event.through)
    ended = isinstance(event, Mark) and event.ended is not None
    windows = [_add(window, event) for window in _concerned(statistics, event, through_ms)]
    after = Statistics(
        session_id=statistics.session_id,
        seq=event.seq,
        through_ms=through_ms,
        windows=tuple(window for window in windows if not _is_past(window, through_ms)),
    )
    changed = tuple(_publish(window, after, final=ended or _is_past(window, through_ms)) for window in windows)
    return after, changed


def _concerned(statistics: Statistics, event: Utterance | Mark, through_ms: int) -> Iterator[OpenWindow]:
    """The open windows and those that ``event`` opens, the whole-session window last."""
    opened = {place_of(window): window for window in statistics.windows}
    whole = opened.pop(Place(WHOLE, 0), None) or _empty(Place(WHOLE, 0))
    for place in _overlapped(statistics, event, through_ms):
        opened.setdefault(place, _empty(place))
    yield from (window for _, window in sorted(opened.items()))
    yield whole


def _overlapped(statistics: Statistics, event: Utterance | Mark, through_ms: int) -> Iterator[Place]:
    """Where ``event`` counts, of the windows that are not past."""
    if isinstance(event, Mark) or event.quality.suppressed is not None:
        return
    end_ms = min(max(event.end_ms, event.start_ms + 1), through_ms)
    for size_ms in SIZES_MS:
        first_ms = max(event.start_ms, statistics.through_ms) // size_ms * size_ms
        for start_ms in range(first_ms, end_ms, size_ms):
            yield Place(size_ms, start_ms)


def _empty(place: Place) -> OpenWindow:
    return OpenWindow(size_ms=place.size_ms, start_ms=place.start_ms, talked_until_ms=place.start_ms)


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
