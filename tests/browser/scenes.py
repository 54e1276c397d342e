"""What the screenshots show: a call that ends well, past sessions of all kinds, and a crowd that speaks now."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import TypeAlias

from tests.browser.crowd import CROSS, KOREAN, PLAIN, PLEASED, Speaker, gather
from tests.browser.long_session import session_after, windows_of
from tests.examples import mark, utterance
from undertone.audio import to_samples
from undertone.events import AudioSpan, Event, Label, Partial, Timing, Utterance
from undertone.identifiers import make_session_id, session_created_at

Line: TypeAlias = tuple[float, float | None, str]
"""How long it takes in seconds, its score (none where it is put aside), and the words."""

CALL: tuple[Line, ...] = (
    (3.1, 0.45, "Good morning, customer care. How can I help you?"),
    (4.2, -0.31, "I'm calling about an order that should have been here last Tuesday."),
    (3.0, -0.04, "I'm sorry to hear that. Could you give me its number?"),
    (2.4, 0.0, "It's four, one, one, seven."),
    (4.4, -0.22, "Here it is. It left the warehouse on Monday, and then nothing."),
    (3.4, -0.58, "That is what I see as well. Nobody can tell me where it is."),
    (4.8, -0.74, "I have called three times, and every time I was told to wait another day."),
    (3.0, -0.41, "That is really not good enough, and I apologise."),
    (3.9, -0.83, "I took a day off work for it. I'm quite angry, to be honest."),
    (3.2, 0.06, "I understand. Let me ask the carrier while you hold."),
    (1.3, None, "Mm, the, yes."),
    (4.1, 0.36, "Are you still there? They have found it in the next town."),
    (2.1, 0.62, "Oh, good. So it isn't lost."),
    (3.3, -0.35, "It was put on the wrong van, twice."),
    (3.0, 0.28, "They will bring it today, between four and six."),
    (1.7, -0.07, "Can I rely on that?"),
    (4.2, 0.49, "I'll follow it myself, and send you a message when it is on its way."),
    (4.0, 0.44, "And I have refunded what you paid for the delivery."),
    (2.2, 0.88, "That is very kind, thank you."),
    (2.5, 0.09, "Is there anything else that I can do for you?"),
    (3.0, 0.91, "No, that's all. You have been a great help."),
    (3.2, 0.93, "I'm glad that we could sort it out. Have a lovely day."),
    (1.4, 0.55, "You too. Goodbye!"),
)
RETURNS = (
    "I would like a refund for these shoes, please.",
    "The last refund took you four weeks.",
    "We have been waiting for three weeks, and nobody told us why.",
    "That is the fourth time that I have to explain this.",
)
HELD = 9
"""After so many of the call's lines the caller is put on hold."""
_OTHERS = (
    *("Order 2216, a lamp", "Line 2, waiting", "Interview, baker", "고객 상담 28번", "Price talks", None),
    *("Board meeting", "Choir practice", "민원 접수 1창구", "Reading group", "Order 2231, two chairs"),
    *("Line 5, broken screen", "Interview, harbour pilot", "고객 상담 29번", "Moving house", None),
    *("Stand-up, design", "Farewell for Mina", "민원 접수 2창구", "Language course, A2"),
)
_HOLD_MS = 21_000
_PAUSES_MS = (600, 900, 500, 1400)


def crowd() -> list[Speaker]:
    """Thirty who speak now, each about something else."""
    speakers = gather(10 + len(_OTHERS))
    for speaker, title in zip(speakers[10:], _OTHERS, strict=True):
        speaker.title = title
    return speakers


def call(session_id: str, lines: Sequence[Line] = CALL) -> list[Utterance]:
    """The finals of the call."""
    finals = []
    start_ms = 1_200
    for seq, (spoken_s, score, text) in enumerate(lines, 1):
        end_ms = start_ms + round(spoken_s * 1000)
        final = utterance(
            seq,
            start_ms,
            end_ms,
            None if score is None else _label(score),
            score=score,
            text=text,
            suppressed="low_confidence" if score is None else None,
            loudness_dbfs=-32.0 if score is None else round(-25 + 7 * abs(score) + 2 * (seq % 3), 1),
            session_id=session_id,
        )
        finals.append(final.model_copy(update=_wall_times(session_id, end_ms)))
        start_ms = end_ms + (_HOLD_MS if seq == HELD + 1 else _PAUSES_MS[seq % len(_PAUSES_MS)])
    return finals


def going_on(session_id: str, lines: int) -> list[Event]:
    """All that is stored of the call while it goes on, after so many lines."""
    said = call(session_id, CALL[:lines])
    given = {"title": "Order 4117, delivery", "tags": ("support", "phone"), "language": "en"}
    return [session_after(said[-1], **given), *said, *windows_of(said)]  # type: ignore[arg-type]


def heard_so_far(session_id: str, lines: int, words: int) -> Partial:
    """The line after so many, as far as it is heard."""
    (*_, last) = call(session_id, CALL[: lines + 1])
    text = " ".join(last.text.split()[:words])
    rev = last.first_sample + to_samples(400 * words)
    return Partial(
        session_id=session_id, first_sample=last.first_sample, rev=rev, start_ms=last.start_ms, text=text, language="en"
    )


def past(now: datetime) -> dict[str, list[Event]]:
    """Sessions of the last days, all of them over, by their ids; the first is the call."""
    first = _id(now - timedelta(hours=2, minutes=11), 1)
    said = call(first)
    end = mark(len(said) + 1, said[-1].end_ms + 1800, "stop", session_id=first)
    given = {"title": "Order 4117, delivery", "reason": "stop", "tags": ("support", "phone"), "language": "en"}
    sessions: dict[str, list[Event]] = {
        first: [session_after(end, **given), *said, end, *windows_of([*said, end])]  # type: ignore[arg-type]
    }
    for number, (ago, count, kind) in enumerate(_past_kinds(), 2):
        speaker = Speaker(_id(now - ago, number), **kind)  # type: ignore[arg-type]
        sessions[speaker.session_id] = [*speaker.speak(count), *speaker.end()]
    return sessions


def _past_kinds() -> Iterable[tuple[timedelta, int, dict[str, object]]]:
    yield timedelta(hours=5), 9, _kind("Returns desk", ("support",), (0.1, -0.5, -0.7, -0.3) * 60, RETURNS)
    yield timedelta(hours=20), 64, _kind("고객 상담 26번", ("상담",), (0.2, -0.1, 0.6) * 30, KOREAN, language="ko")
    yield timedelta(days=1, hours=1), 520, _kind("Planning round, all regions", ("team",), (0.6, -0.4, 0.1, 0.7) * 130)
    yield timedelta(days=2), 8, _kind(None, (), (0.0, 0.05, -0.3, 0.3) * 2)
    yield timedelta(days=3), 310, _kind("Thanks to the volunteers", ("team", "evening"), (0.3, 0.8) * 160, PLEASED)
    yield timedelta(days=4), 96, _kind("Complaints, counter 3", ("support",), (-0.4, 0.1, -0.6) * 40, CROSS)


def _kind(
    title: str | None,
    tags: tuple[str, ...],
    scores: tuple[float, ...],
    texts: Sequence[str] = PLAIN,
    language: str = "en",
) -> dict[str, object]:
    return {"title": title, "tags": tags, "scores": scores, "texts": texts, "language": language}


def _id(at: datetime, number: int) -> str:
    return make_session_id(round(at.timestamp() * 1000), number)


def _label(score: float) -> Label:
    if abs(score) < 0.1:
        return "neutral"
    return "positive" if score > 0 else "negative"


def _wall_times(session_id: str, end_ms: int) -> dict[str, object]:
    spoken_at = session_created_at(session_id) + timedelta(milliseconds=end_ms)
    times = Timing(
        spoken_at=spoken_at,
        received_at=spoken_at,
        classified_at=spoken_at + timedelta(milliseconds=1040 + end_ms % 170),
    )
    return {"timing": times, "audio": AudioSpan(partition=0, first_offset=0, last_offset=0)}
