"""The vocabulary of events: one set of frozen models for topics, REST and server-sent events.

Positions named ``*_sample`` and ``through`` count samples at 16 kHz from the session's start; ``*_ms`` are whole
milliseconds of media time (sample // 16). ``quantities`` has the kinds of values and their bounds. Unknown fields are
ignored, so that a reader outlives a writer's additions.
"""

from typing import Annotated, Literal, Self, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, model_validator

from undertone.identifiers import session_created_at, utterance_id
from undertone.quantities import (
    Count,
    Decibels,
    Line,
    Lines,
    Milliseconds,
    Name,
    Number,
    Sample,
    SessionId,
    Text,
    Time,
)

Label: TypeAlias = Literal["positive", "neutral", "negative"]
EndReason: TypeAlias = Literal["stop", "idle"]
Suppression: TypeAlias = Literal["no_speech", "low_confidence", "repetition", "failed"]


class Value(BaseModel):
    """A frozen value that ignores unknown fields and knows no NaN and no infinity: JSON has none."""

    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False)


class Resume(Value):
    """Where the transcriber reads on: the part of a session record that only the transcriber uses.

    The session's records below log ``offset``, and samples before the session's ``through``, are repeats.
    ``connection`` is the current one as of ``offset``, and ``opened_offset`` the offset of its ``Open`` (None in
    records of versions that did not keep it); ``speaking`` says that speech crosses the boundary.
    """

    offset: Count = 0
    connection: Name = ""
    opened_offset: Count | None = None
    speaking: bool = False


class SessionState(Value):
    """The state of a session at its last boundary, as everyone may know it.

    ``seq`` is the number of finals and marks given out. ``language`` is the given one, else the detected one
    once it is certain, with its probability. ``state`` is ``open`` before the first recorder, then ``live``. Of a
    ``deleted`` session nothing else is told: see ``Deletion.forgotten``.
    """

    type: Literal["session"] = "session"
    session_id: SessionId
    state: Literal["open", "live", "ended", "deleted"] = "open"
    reason: EndReason | Literal["delete"] | None = None
    seq: Count = 0
    through: Sample = 0
    language: Name | None = None
    language_probability: float | None = None
    title: Line | None = None
    tags: Lines = ()
    started_at: Time | None = None
    created_at: Time
    ended_at: Time | None = None
    utterances: Count = 0
    suppressed: Count = 0

    @property
    def is_over(self) -> bool:
        """Whether no later audio can reopen the session."""
        return self.state == "deleted" or (self.state == "ended" and self.reason != "idle")


class Session(SessionState):
    """That state with the transcriber's memory in it: the record of the topic ``sessions``."""

    resume: Resume = Resume()


class Quality(Value):
    """What the transcriber thought of its text. A ``suppressed`` utterance does not count and is never scored."""

    no_speech_probability: float
    avg_logprob: float
    compression_ratio: float
    suppressed: Suppression | None = None


class Timing(Value):
    """Wall times on the way of an utterance; the only fields that may differ between two runs."""

    spoken_at: Time | None = None
    received_at: Time | None = None
    transcribed_at: Time | None = None
    classified_at: Time | None = None


class AudioSpan(Value):
    """Where the audio of an utterance lies in the ``audio`` topic: offsets of the first and the last record.

    ``opened_offset`` is the offset of the ``Open`` of the connection that was current at the first; None from versions
    that did not keep it.
    """

    partition: Count
    first_offset: Count
    last_offset: Count
    opened_offset: Count | None = None


class Transcript(Value):
    """A final utterance as transcribed. ``through`` is the boundary it made: later samples start there."""

    type: Literal["transcript"] = "transcript"
    session_id: SessionId
    utterance_id: Name
    seq: Count
    through: Sample
    first_sample: Sample
    end_sample: Sample
    start_ms: Milliseconds
    end_ms: Milliseconds
    text: Text
    language: Name | None
    language_probability: float | None
    loudness_dbfs: Decibels
    model: Name
    quality: Quality
    audio: AudioSpan
    timing: Timing = Timing()

    @property
    def words(self) -> int:
        """How many words were said: a word is what stands between white space."""
        return len(self.text.split())

    @model_validator(mode="after")
    def _check_place(self) -> Self:
        """Its id is that of its place, or it could keep another session's utterance out of the history."""
        if self.utterance_id != utterance_id(self.session_id, self.first_sample):
            raise ValueError("the utterance's id is not that of its session and first sample")
        if self.end_ms < self.start_ms or self.end_sample < self.first_sample:
            raise ValueError("the utterance ends before it starts")
        return self


class Mark(Value):
    """The session is heard up to ``through`` with nothing more said; ``ended`` closes it."""

    type: Literal["mark"] = "mark"
    session_id: SessionId
    seq: Count
    through: Sample
    ended: EndReason | None = None


class Partial(Value):
    """Text still changing. ``rev`` is the last sample heard; the first ``committed`` characters will not change.

    Void once the session's ``through`` or a final passes ``first_sample``.
    """

    type: Literal["partial"] = "partial"
    session_id: SessionId
    first_sample: Sample
    rev: Sample
    start_ms: Milliseconds
    text: Text
    committed: Count = 0
    language: Name | None = None


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
    model: Name


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
    session_id: SessionId
    seq: Count
    size_ms: Milliseconds
    start_ms: Milliseconds
    final: bool
    utterances: Number
    positive: Number
    neutral: Number
    negative: Number
    score: float | None
    score_min: float | None = None
    score_max: float | None = None
    talk_ms: Number
    silence_ms: Number
    longest_pause_ms: Number | None = None
    words: Number
    words_per_minute: Number | None
    loudness_dbfs: float | None


class OpenWindow(Value):
    """A window still filling, in integers, so that SQL over the same utterances gives exactly the same.

    ``score_e4`` sums scores in ten-thousandths, of which ``score_min_e4`` and ``score_max_e4`` are the extremes,
    ``spoken_ms`` the length of utterances that start here, and ``loudness_dms`` their loudness in tenths of a decibel
    times milliseconds. ``pause_ms`` is the longest pause that has ended; another lasts since ``talked_until_ms``, which
    is None in a window that a version without pauses began.
    """

    size_ms: Milliseconds
    start_ms: Milliseconds
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
    session_id: SessionId
    seq: Count = 0
    through_ms: Milliseconds = 0
    windows: tuple[OpenWindow, ...] = ()


class Deletion(Value):
    """Somebody asked that a session be forgotten. Everyone obeys it at once, and whatever comes after it."""

    type: Literal["deletion"] = "deletion"
    session_id: SessionId
    requested_at: Time
    requested_by: Name

    def forgotten(self, seq: int = 0) -> Session:
        """All that is told of the session from now on."""
        return Session(
            session_id=self.session_id,
            state="deleted",
            reason="delete",
            seq=seq,
            created_at=session_created_at(self.session_id),
            ended_at=self.requested_at,
        )


class Worker(Value):
    """One worker's report of itself, every second. ``heard`` maps its live sessions to the last sample it heard.

    ``backlog_s`` is audio that waits, ``speed`` seconds of audio that one of its ``replicas`` decodes in a second,
    ``load`` the share of their time that is needed, 0 to 1.
    """

    type: Literal["worker"] = "worker"
    worker: str
    app: str
    at: Time
    backlog_s: float = 0.0
    speed: float | None = None
    replicas: int = 1
    load: float = 0.0
    model: Name | None = None
    heard: dict[str, int] = Field(default_factory=dict)


class DeadLetter(Value):
    """Why a record was put aside; its bytes and headers travel beside it unchanged (``undertone.letters``).

    ``given_out`` says that something was given out in the record's place: an utterance without text or sentiment.
    """

    type: Literal["dead_letter"] = "dead_letter"
    app: str
    topic: str
    partition: Count
    offset: Count
    at: Time
    error: str
    version: str
    written_at: Time | None = None
    given_out: bool = False


class LetterMark(Value):
    """An operator is done with a dead letter, named by its ``undertone.letters.Letter.id``."""

    type: Literal["letter_mark"] = "letter_mark"
    letter: Name
    done: Literal["replayed", "dropped"]
    at: Time


Event: TypeAlias = (
    Session
    | Partial
    | Transcript
    | Mark
    | Utterance
    | Window
    | Statistics
    | Deletion
    | Worker
    | DeadLetter
    | LetterMark
)
AnyEvent: TypeAlias = Annotated[Event, Field(discriminator="type")]
