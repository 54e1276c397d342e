"""Windows of statistics from finals and marks: 10 s, 60 s and the whole session. Pure.

Counts, scores, words and loudness go by the start of an utterance, talk and silence by overlap; all sums are of
integers, so SQL over the stored utterances gives the same. Suppressed utterances count as silence; gaps do too.
"""

from collections.abc import Iterator

from undertone.audio import to_ms
from undertone.events import Mark, OpenWindow, Statistics, Utterance, Window

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
    yield opened.get((WHOLE, 0), OpenWindow(size_ms=WHOLE, start_ms=0))
    for size_ms in SIZES_MS:
        first_ms = statistics.through_ms // size_ms * size_ms
        for start_ms in range(first_ms, through_ms, size_ms):
            yield opened.get((size_ms, start_ms), OpenWindow(size_ms=size_ms, start_ms=start_ms))


def _add(window: OpenWindow, event: Utterance | Mark) -> OpenWindow:
    if isinstance(event, Mark) or event.quality.suppressed is not None:
        return window
    changes: dict[str, int] = {"talk_ms": window.talk_ms + _overlap_ms(window, event)}
    if _starts_in(window, event):
        length_ms = event.end_ms - event.start_ms
        changes |= {
            "utterances": window.utterances + 1,
            "words": window.words + len(event.text.split()),
            "spoken_ms": window.spoken_ms + length_ms,
            "loudness_dms": window.loudness_dms + round(event.loudness_dbfs * 10) * length_ms,
        }
        if event.sentiment is not None:
            label = event.sentiment.label
            changes[label] = getattr(window, label) + 1
            changes["score_e4"] = window.score_e4 + round(event.sentiment.score * 10_000)
    return window.model_copy(update=changes)


def _publish(window: OpenWindow, statistics: Statistics, *, final: bool) -> Window:
    covered_ms = statistics.through_ms - window.start_ms
    if window.size_ms != WHOLE:
        covered_ms = min(covered_ms, window.size_ms)
    judged = window.positive + window.neutral + window.negative
    spoken_ms = window.spoken_ms
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
        score=round(window.score_e4 / judged / 10_000, 4) if judged else None,
        talk_ms=window.talk_ms,
        silence_ms=covered_ms - window.talk_ms,
        words=window.words,
        words_per_minute=round(window.words * 60_000 / spoken_ms) if spoken_ms else None,
        loudness_dbfs=round(window.loudness_dms / spoken_ms / 10, 1) if spoken_ms else None,
    )


def _is_past(window: OpenWindow, through_ms: int) -> bool:
    return window.size_ms != WHOLE and window.start_ms + window.size_ms <= through_ms


def _starts_in(window: OpenWindow, event: Utterance) -> bool:
    return window.size_ms == WHOLE or window.start_ms <= event.start_ms < window.start_ms + window.size_ms


def _overlap_ms(window: OpenWindow, event: Utterance) -> int:
    if window.size_ms == WHOLE:
        return event.end_ms - event.start_ms
    end_ms = window.start_ms + window.size_ms
    return max(0, min(end_ms, event.end_ms) - max(window.start_ms, event.start_ms))
