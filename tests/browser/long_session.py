"""A session as long as one likes, as the workers would have written it: words, moods, windows, and some put aside."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from storage.engine import make_engine
from storage.upserts import Sourced, store
from stream_apps.windows import apply
from tests.examples import SESSION_ID, utterance
from undertone.events import EndReason, Event, Label, Mark, Session, Statistics, Suppression, Timing, Utterance, Window
from undertone.identifiers import session_created_at
from undertone.settings import Settings

EACH_MS = 2_880  # ten thousand in eight hours
_SPOKEN: tuple[tuple[Label | None, float, str], ...] = (
    ("neutral", 0.02, "I will look at the papers that you sent last week."),
    ("positive", 0.71, "That is very kind of you, and it helps a lot."),
    (None, 0.0, "Ja, genau."),
    ("negative", -0.64, "We have been waiting far too long, and nobody told us why that is or when it will be mended."),
    ("neutral", -0.04, "It is the second door on the left."),
    ("positive", 0.93, "Wonderful!"),
    ("negative", -0.38, "I am not sure that this is what we agreed on."),
)
_ASIDE: tuple[Suppression, ...] = ("low_confidence", "repetition", "failed")


def finals(count: int, first: int = 1, *, session_id: str = SESSION_ID, each_ms: int = EACH_MS) -> list[Utterance]:
    """``count`` utterances from the ``first``-th on, each numbered in its text; one of fifty is put aside."""
    return [_final(seq, session_id, each_ms) for seq in range(first, first + count)]


def windows_after(statistics: Statistics, said: Sequence[Utterance | Mark]) -> tuple[Statistics, list[Window]]:
    """The statistician's memory after these, and the last state of every window that they changed."""
    windows: dict[tuple[int, int], Window] = {}
    for final in said:
        statistics, changed = apply(statistics, final)
        windows |= {(window.size_ms, window.start_ms): window for window in changed}
    return statistics, list(windows.values())


def windows_of(said: Sequence[Utterance | Mark]) -> list[Window]:
    """All windows of a session with these."""
    return windows_after(Statistics(session_id=said[0].session_id), said)[1]


def session_after(
    final: Utterance | Mark, title: str = "The long meeting", reason: EndReason | None = None, **more: object
) -> Session:
    """The session as it stands after ``final``: live, or ended for a ``reason``."""
    values: dict[str, object] = {
        "session_id": final.session_id,
        "state": "ended" if reason else "live",
        "reason": reason,
        "seq": final.seq,
        "through": final.through,
        "title": title,
        "created_at": session_created_at(final.session_id),
        **more,
    }
    return Session.model_validate(values)


async def keep(settings: Settings, events: Sequence[Event], topic: str = "test") -> None:
    """Store them as the archivist does."""
    engine = make_engine(settings.database_url())
    await store(engine, [Sourced(topic, 0, offset, event) for offset, event in enumerate(events)])
    await engine.dispose()


def _final(seq: int, session_id: str, each_ms: int) -> Utterance:
    label, score, text = _SPOKEN[seq % len(_SPOKEN)]
    start_ms = (seq - 1) * each_ms
    drift = ((seq * each_ms / 600_000) % 2) - 1  # the mood rises for twenty minutes, and falls at once
    aside = _ASIDE[seq // 50 % len(_ASIDE)] if seq % 50 == 0 else None
    final = utterance(
        seq,
        start_ms,
        start_ms + round(each_ms * (0.4 + 0.5 * (seq % 11) / 11)),
        None if aside else label,
        score=round(max(-1.0, min(1.0, score + 0.4 * drift)), 4),
        text="" if aside == "failed" else f"{text} ({seq})",
        suppressed=aside,
        loudness_dbfs=round(-34 + 18 * abs((seq % 40) / 20 - 1), 1),
        session_id=session_id,
    )
    spoken_at = datetime(2026, 9, 21, 9, tzinfo=UTC) + timedelta(milliseconds=final.end_ms)
    delay = timedelta(milliseconds=1050 + 37 * (seq % 23))
    return final.model_copy(
        update={"timing": Timing(spoken_at=spoken_at, received_at=spoken_at, classified_at=spoken_at + delay)}
    )
