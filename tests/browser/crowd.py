"""Many live sessions at once, as the workers would have written them: each speaks in its own mood, without end."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import cycle, islice

from stream_apps.windows import apply
from tests.examples import utterance
from undertone.audio import to_samples
from undertone.events import Event, Label, Mark, Partial, Session, Statistics, Timing
from undertone.identifiers import make_session_id, session_created_at

EACH_MS = 5000
SPOKEN_MS = 4200

PLEASED = (
    "Thank you, that was exactly what I needed to know.",
    "It works now, and much faster than before.",
    "You have been very kind, I will tell the others.",
)
PLAIN = (
    "I will look at the papers that you sent last week, and call you back on Thursday.",
    "The number is on the back of the card, below the line.",
    "It is the second door on the left, behind the stairs.",
)
CROSS = (
    "We have been waiting for three weeks, and nobody told us why.",
    "That is the fourth time that I have to explain this.",
    "I am really not happy with how this was handled.",
)
KOREAN = (
    "지난주에 보내 주신 서류를 아직 확인하지 못했습니다.",
    "네, 그렇게 해 주시면 정말 감사하겠습니다.",
    "몇 번을 말씀드려도 달라지는 것이 없네요.",
)


@dataclass
class Speaker:
    """One session. ``scores`` are those of its utterances, the last one's for all that follow."""

    session_id: str
    scores: Sequence[float]
    title: str | None = None
    tags: tuple[str, ...] = ()
    language: str = "en"
    texts: Sequence[str] = PLAIN
    delay_ms: int = 1200
    said: int = 0
    statistics: Statistics = field(init=False)

    def __post_init__(self) -> None:
        self.statistics = Statistics(session_id=self.session_id)

    def session(self, **given: object) -> Session:
        """How it stands."""
        values: dict[str, object] = {
            "session_id": self.session_id,
            "state": "live",
            "seq": self.said,
            "through": to_samples(self.said * EACH_MS),
            "language": self.language,
            "title": self.title,
            "tags": self.tags,
            "created_at": session_created_at(self.session_id),
            "utterances": self.said,
            **given,
        }
        return Session.model_validate(values)

    def changing(self, share: float = 1.0) -> Partial:
        """So much of the next utterance, as far as it is heard."""
        start_ms = self.said * EACH_MS
        text = self.texts[self.said % len(self.texts)]
        words = text.split()
        return Partial(
            session_id=self.session_id,
            first_sample=to_samples(start_ms),
            rev=to_samples(start_ms + round(SPOKEN_MS * share)),
            start_ms=start_ms,
            text=" ".join(words[: max(round(len(words) * share), 1)]),
            committed=0,
            language=self.language,
        )

    def speak(self, count: int = 1) -> list[Event]:
        """The next finals, each with its windows and the session behind it."""
        events: list[Event] = []
        for _ in range(count):
            start_ms = self.said * EACH_MS
            score = self.scores[min(self.said, len(self.scores) - 1)]
            final = utterance(
                self.said + 1,
                start_ms,
                start_ms + SPOKEN_MS,
                _label(score),
                score=score,
                text=self.texts[self.said % len(self.texts)],
                session_id=self.session_id,
            )
            received_at = session_created_at(self.session_id) + timedelta(milliseconds=final.end_ms)
            timing = Timing(
                spoken_at=received_at,
                received_at=received_at,
                classified_at=received_at + timedelta(milliseconds=self.delay_ms),
            )
            final = final.model_copy(
                update={"language": self.language, "timing": timing, "through": to_samples(start_ms + EACH_MS)}
            )
            self.said += 1
            self.statistics, windows = apply(self.statistics, final)
            events += [final, *windows, self.session()]
        return events

    def end(self) -> list[Event]:
        """The session stops."""
        mark = Mark(
            session_id=self.session_id, seq=self.said + 1, through=to_samples(self.said * EACH_MS), ended="stop"
        )
        self.statistics, windows = apply(self.statistics, mark)
        return [mark, *windows, self.session(state="ended", reason="stop", seq=mark.seq)]


def gather(count: int, now: datetime | None = None) -> list[Speaker]:
    """Speakers of all moods; the later ones began later."""
    began_ms = round((now or datetime.now(UTC)).timestamp() * 1000) - 600_000
    return [
        Speaker(make_session_id(began_ms + 1000 * number, number), **kind)  # type: ignore[arg-type]
        for number, kind in enumerate(islice(cycle(_KINDS), count))
    ]


def _kind(
    title: str | None, tags: tuple[str, ...], scores: Sequence[float], texts: Sequence[str] = PLAIN, **more: object
) -> dict[str, object]:
    return {"title": title, "tags": tags, "scores": scores, "texts": texts, **more}


_FALLING = [0.7] * 44 + [0.3, -0.1, -0.2]
_MIXED = [0.6, -0.4, 0.1, 0.7, 0.0, -0.6, 0.5] * 9 + [0.02]
_KINDS: tuple[dict[str, object], ...] = (
    _kind("Order 1 184, delivery", ("support", "phone"), [0.6, 0.1, 0.75, 0.4] * 20 + [0.5], PLEASED),
    _kind("Returns desk", ("support",), [0.1, -0.5, -0.7, -0.3] * 20 + [-0.7], CROSS),
    _kind("Interview with the new neighbours", ("interview",), _MIXED),
    _kind("고객 상담 27번", ("상담",), [0.2, -0.1, 0.6] * 20 + [0.3], KOREAN, language="ko"),
    _kind("Renewal of the contract", ("sales", "phone"), _FALLING),
    _kind(None, (), [0.05]),
    _kind("Planning round, all regions, second quarter", ("team",), _MIXED, delay_ms=7400),
    _kind("Thanks to the volunteers", ("team",), [0.3, 0.8] * 25 + [0.8], PLEASED),
    _kind("민원 접수 3창구", ("상담", "민원"), [-0.4, 0.1, -0.6] * 20 + [-0.5], KOREAN, language="ko"),
    _kind("Evening class", ("interview",), [0.0, 0.3, -0.2, 0.1] * 20 + [0.15]),
)


def _label(score: float) -> Label:
    if abs(score) < 0.1:
        return "neutral"
    return "positive" if score > 0 else "negative"
