"""The vocabulary of events: one set of frozen models for topics, REST and server-sent events.

Positions named ``*_sample`` and ``through`` count samples at 16 kHz from the session's start; ``*_ms`` are whole
milliseconds of media time (sample // 16). Unknown fields are ignored, so that a reader outlives a writer's additions.
"""

from datetime import datetime
from typing import Annotated, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field

Label: TypeAlias = Literal["positive", "neutral", "negative"]
EndReason: TypeAlias = Literal["stop", "idle", "delete"]
Suppression: TypeAlias = Literal["no_speech", "low_confidence", "repetition", "failed"]


class Value(BaseModel):
    """A frozen value that ignores unknown fields."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Resume(Value):
    """Where the transcriber reads on: the part of a session record that only the transcriber uses.

    The session's records below log ``offset``, and samples before the session's ``through``, are repeats.
    ``connection`` is the current one as of ``offset``; ``speaking`` says that speech crosses the boundary.
    """

    offset: int = 0
    connection: str = ""
    speaking: bool = False


class Session(Value):
    """The state of a session at its last boundary; the transcriber's memory and everyone's knowledge of it.

    ``seq`` is the number of finals and marks given out. ``language`` is the given one, else the detected one
    once it is certain, with its probability. ``state`` is ``open`` before the first recorder, then ``live``.
    """

    type: Literal["session"] = "session"
    session_id: str
    state: Literal["open", "live", "ended", "deleted"] = "open"
    reason: EndReason | None = None
    seq: int = 0
    through: int = 0
    language: str | None = None
    language_probability: float | None = None
    title: str | None = None
    tags: tuple[str, ...] = ()
    started_at: datetime | None = None
    created_at: datetime
    ended_at: datetime | None = None
    utterances: int = 0
    suppressed: int = 0
    resume: Resume = Resume()

    @property
    def is_over(self) -> bool:
        """Whether no later audio can reopen the session."""
        return self.state == "deleted" or (self.state == "ended" and self.reason != "idle")


class Quality(Value):
    """What the transcriber thought of its text. A ``suppressed`` utterance does not count and is never scored."""

    no_speech_probability: float
    avg_logprob: float
    compression_ratio: float
    suppressed: Suppression | None = None


class Timing(Value):
    """Wall times on the way of an utterance; the only fields that may differ between two runs."""

    spoken_at: datetime | None = None
    received_at: datetime | None = None
    transcribed_at: datetime | None = None
    classified_at: datetime | None = None


class AudioSpan(Value):
    """Where the audio of an utterance lies in the ``audio`` topic: offsets of the first and the last record."""

    partition: int
    first_offset: int
    last_offset: int


class Transcript(Value):
    """A final utterance as transcribed. ``through`` is the boundary it made: later samples start there."""

    type: Literal["transcript"] = "transcript"
    session_id: str
    utterance_id: str
    seq: int
    through: int
    first_sample: int
    end_sample: int
    start_ms: int
    end_ms: int
    text: str
    language: str | None
    language_probability: float | None
    loudness_dbfs: float
    model: str
    quality: Quality
    audio: AudioSpan
    timing: Timing = Timing()


class Mark(Value):
    """The session is heard up to ``through`` with nothing more said; ``ended`` closes it."""

    type: Literal["mark"] = "mark"
    session_id: str
    seq: int
    through: int
    ended: EndReason | None = None


class Partial(Value):
    """Text still changing. ``rev`` is the last sample heard; the first ``committed`` characters will not change.

    Void once the session's ``through`` or a final passes ``first_sample``.
    """

    type: Literal["partial"] = "partial"
    session_id: str
    first_sample: int
    rev: int
    start_ms: int
    text: str
    committed: int = 0
    language: str | None = None


class Probabilities(Value):
    """One probability per label; they sum to 1."""

    positive: float
    neutral: float
    negative: float


class Sentiment(Value):
    """A judgement of one text. ``score`` is in [-1, 1], four decimals; ``model`` is ``name@revision``."""

    label: Label
    score: float = Field(ge=-1, le=1)
    probabilities: Probabilities | None
    model: str


class Utterance(Transcript):
    """A final utterance with its sentiment, or with ``null`` where there is none."""

    type: Literal["utterance"] = "utterance"  # type: ignore[assignment]
    sentiment: Sentiment | None


class Window(Value):
    """Statistics of ``size_ms`` of media time from ``start_ms``; ``size_ms`` 0 is the whole session.

    Counts, scores, words and loudness go by the start of an utterance; talk, silence and pauses by overlap. ``final``
    windows lie wholly before the session's ``through``, or the session has ended. ``score_min``, ``score_max`` and
    ``longest_pause_ms`` are None too where the version that began the window did not know them.
    """

    type: Literal["window"] = "window"
    session_id: str
    seq: int
    size_ms: int
    start_ms: int
    final: bool
    utterances: int
    positive: int
    neutral: int
    negative: int
    score: float | None
    score_min: float | None = None
    score_max: float | None = None
    talk_ms: int
    silence_ms: int
    longest_pause_ms: int | None = None
    words: int
    words_per_minute: int | None
    loudness_dbfs: float | None


class OpenWindow(Value):
    """A window still filling, in integers, so that SQL over the same utterances gives exactly the same.

    ``score_e4`` sums scores in ten-thousandths, of which ``score_min_e4`` and ``score_max_e4`` are the extremes,
    ``spoken_ms`` the length of utterances that start here, and ``loudness_dms`` their loudness in tenths of a decibel
    times milliseconds. ``pause_ms`` is the longest pause that has ended; another lasts since ``talked_until_ms``, which
    is None in a window that a version without pauses began.
    """

    size_ms: int
    start_ms: int
    utterances: int = 0
    positive: int = 0
    neutral: int = 0
    negative: int = 0
    score_e4: int = 0
    score_min_e4: int | None = None
    score_max_e4: int | None = None
    talk_ms: int = 0
    pause_ms: int = 0
    talked_until_ms: int | None = None
    words: int = 0
    spoken_ms: int = 0
    loudness_dms: int = 0


class Statistics(Value):
    """The statistician's memory of one session: the ``seq`` and time it applied, and the windows still open."""

    type: Literal["statistics"] = "statistics"
    session_id: str
    seq: int = 0
    through_ms: int = 0
    windows: tuple[OpenWindow, ...] = ()


class Deletion(Value):
    """Somebody asked that a session be forgotten."""

    type: Literal["deletion"] = "deletion"
    session_id: str
    requested_at: datetime
    requested_by: str


class Worker(Value):
    """One worker's report of itself, every second. ``heard`` maps its live sessions to the last sample it heard.

    ``backlog_s`` is audio that waits, ``speed`` seconds of audio heard by one of its ``replicas`` in a second,
    ``load`` the share of their time that is needed, 0 to 1.
    """

    type: Literal["worker"] = "worker"
    worker: str
    app: str
    at: datetime
    backlog_s: float = 0.0
    speed: float | None = None
    replicas: int = 1
    load: float = 0.0
    model: str | None = None
    heard: dict[str, int] = Field(default_factory=dict)


class DeadLetter(Value):
    """Why a record was put aside; its bytes and headers travel beside it unchanged."""

    type: Literal["dead_letter"] = "dead_letter"
    app: str
    topic: str
    partition: int
    offset: int
    at: datetime
    error: str
    version: str


Event: TypeAlias = (
    Session | Partial | Transcript | Mark | Utterance | Window | Statistics | Deletion | Worker | DeadLetter
)
AnyEvent: TypeAlias = Annotated[Event, Field(discriminator="type")]
