"""Hears the log of one session: which samples count, where the next boundary lies, and what it settles.

A ``Listener`` is made from a session record and fed the session's log records from ``resume.offset`` on. What it
answers depends on these alone. It is spent at the first boundary: the record of that boundary makes the next
listener, which hears the unsettled records again - in a live run exactly as after a crash.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeAlias

import numpy as np

from models.speech.segmenter import Cut, Ongoing, Samples, Segmenter, SegmentRules, Voice
from undertone.events import EndReason, Resume, Session
from undertone.identifiers import LAST_TIME_MS
from undertone.records import Audio, AudioRecord, Close, Gap, Open
from undertone.session_log import state_at_resume


@dataclass(frozen=True, slots=True)
class Entry:
    """One record of the log, its offset, and the time at which ingest received it (Unix milliseconds)."""

    offset: int
    received_at_ms: int
    record: AudioRecord


@dataclass(frozen=True, slots=True, eq=False)
class Speech:
    """The samples of an utterance, from ``start`` to ``end``, and the log records that hold them."""

    start: int
    end: int
    samples: Samples
    first_offset: int
    last_offset: int
    opened_offset: int | None
    received_at_ms: int


@dataclass(frozen=True, slots=True)
class Boundary:
    """Once all of this is durable, the session's log records below ``session.resume.offset`` are settled.

    ``session`` is the record as of the boundary, but for what the minutes add (``seq``, counts, language).
    """

    session: Session
    speech: Speech | None = None
    ended: EndReason | None = None


@dataclass(frozen=True, slots=True)
class Opened:
    """A recorder spoke up and changed what is shown of the session; nothing is settled."""

    session: Session


@dataclass(frozen=True, slots=True)
class Ignored:
    """The record changes nothing, now or when heard again: it may be settled at once."""


Outcome: TypeAlias = Boundary | Opened | Ignored | None


class Listener:
    """Hears one session from its record to the next boundary.

    ``superseded`` has the offsets of earlier records that the last one made redundant: without them it hears the same,
    so they may be settled at once.
    """

    def __init__(self, session: Session, start_voice: Callable[[], Voice], rules: SegmentRules) -> None:
        self._record = session
        self._session = session
        self._start_voice = start_voice
        self._rules = rules
        self._state = state_at_resume(session)
        self._segmenter = Segmenter(session.through, start_voice(), rules, speaking=session.resume.speaking)
        self._log: list[Entry] = []
        self._openings: list[Entry] = []  # at the end of the log, with nothing heard behind them
        self.superseded: tuple[int, ...] = ()

    @property
    def expected(self) -> int:
        """The next sample that counts."""
        return self._state.expected

    @property
    def connection(self) -> str:
        """The current connection."""
        return self._state.connection

    @property
    def language(self) -> str | None:
        """The session's language as far as it is known."""
        return self._session.language

    def hear(self, entry: Entry) -> Outcome:
        """Hear the next record of the log. After a ``Boundary`` this listener is spent."""
        before, record = self._state, entry.record
        self.superseded = ()
        if self._session.is_over or not before.counts(record):
            if isinstance(record, Open):  # void by one of these, which must be read again where this one is
                self._openings = []
            return Ignored()
        self._state = before.after(entry.offset, record)
        match record:
            case Open():
                return self._hear_open(entry, record, before.expected)
            case Audio():
                return self._hear_audio(entry, record, before.expected)
            case Gap():
                return self._hear_gap(entry)
            case Close():
                return self._hear_close(entry, record)

    def show(self, opened: Session) -> None:
        """The record that an opening shows is stored."""
        self._record = opened

    def ongoing(self) -> Ongoing | None:
        """The utterance so far, if one is going on."""
        return self._segmenter.ongoing()

    def speech(self, start: int, end: int) -> Speech:
        """The samples from ``start`` to ``end``, which must lie in what was heard since the last boundary."""
        audio = [(entry, entry.record.end) for entry in self._log if isinstance(entry.record, Audio)]
        first = next(entry for entry, audio_end in audio if audio_end > start)
        last = next(entry for entry, audio_end in audio if audio_end >= end)
        samples = self._segmenter.slice(start, end).copy()
        opened_offset = self._record.resume.opened_offset
        for entry in self._log:
            if isinstance(entry.record, Open) and entry.offset < first.offset:
                opened_offset = entry.offset
        return Speech(start, end, samples, first.offset, last.offset, opened_offset, last.received_at_ms)

    def _hear_open(self, entry: Entry, record: Open, expected: int) -> Outcome:
        self._session = _open(self._session, record)
        if record.at > expected:
            return self._hear_gap(entry)
        self._supersede(record)
        self._log.append(entry)
        self._openings.append(entry)
        shown = _show(self._record, self._session)
        return Opened(shown) if shown != self._record else None

    def _supersede(self, record: Open) -> None:
        """Drop the openings behind which nothing was heard. What they show is stored; a language they give is not."""
        kept = [] if record.language is not None else list(filter(_gives_language, self._openings))[-1:]
        self.superseded = tuple(one.offset for one in self._openings if one not in kept)
        del self._log[len(self._log) - len(self._openings) :]
        self._log += kept
        self._openings = kept

    def _hear_audio(self, entry: Entry, record: Audio, expected: int) -> Outcome:
        if self._session.state == "ended":  # by idleness alone: it goes on
            self._session = self._session.model_copy(update={"state": "live", "reason": None, "ended_at": None})
        self._keep(entry)
        cut = self._segmenter.feed(np.frombuffer(record.fresh(expected), "<i2"))
        return None if cut is None else self._cut(cut)

    def _hear_gap(self, entry: Entry) -> Boundary | None:
        """First the utterance that was going on; then the gap, which is a boundary only if silence as long is one.

        A shorter one waits for the next boundary, so that many small gaps cost no more than silence.
        """
        self._keep(entry)
        cut = self._segmenter.flush()
        if cut is not None:
            return self._cut(cut)
        if self._state.expected - self._record.through >= self._rules.mark:
            return self._turn(entry)
        self._segmenter = Segmenter(self._state.expected, self._start_voice(), self._rules)
        return None

    def _hear_close(self, entry: Entry, record: Close) -> Outcome:
        if record.reason == "idle" and self._session.state == "ended":
            return Ignored()
        self._keep(entry)
        cut = self._segmenter.flush()
        if cut is not None:  # first the utterance that was going on; the end when this record is heard again
            return self._cut(cut)
        return self._turn(entry, record.reason)

    def _turn(self, entry: Entry, ended: EndReason | None = None) -> Boundary:
        resume = Resume(
            offset=entry.offset + 1, connection=self._state.connection, opened_offset=self._state.opened_offset
        )
        changes: dict[str, object] = {"through": self._state.expected, "resume": resume}
        if ended is not None:
            ended_at = datetime.fromtimestamp(entry.received_at_ms / 1000, tz=UTC)
            changes |= {"state": "ended", "reason": ended, "ended_at": ended_at}
        return Boundary(self._session.model_copy(update=changes), ended=ended)

    def _keep(self, entry: Entry) -> None:
        self._log.append(entry)
        self._openings = []

    def _cut(self, cut: Cut) -> Boundary:
        speech = self.speech(cut.start, cut.end) if cut.kind == "utterance" else None
        changes = {"through": cut.through, "resume": self._resume(cut)}
        return Boundary(self._session.model_copy(update=changes), speech)

    def _resume(self, cut: Cut) -> Resume:
        """Read on behind every leading record that holds nothing at or after the boundary."""
        connection, opened_offset = self._record.resume.connection, self._record.resume.opened_offset
        offset = self._log[-1].offset + 1
        for entry in self._log:
            match entry.record:
                case Audio() | Gap() as passed if passed.end <= cut.through:
                    continue
                case Open() as opened if opened.at <= cut.through:
                    connection, opened_offset = opened.connection, entry.offset
                case _:
                    offset = entry.offset
                    break
        return Resume(offset=offset, connection=connection, opened_offset=opened_offset, speaking=cut.speaking)


def _open(session: Session, record: Open) -> Session:
    changes: dict[str, object] = {
        "title": record.title or session.title,
        "tags": record.tags or session.tags,
        "started_at": session.started_at or _time(record.started_at_ms),
    }
    if record.language is not None:
        changes |= {"language": record.language, "language_probability": None}
    if record.connection:
        changes |= {"state": "live", "reason": None, "ended_at": None}
    return session.model_copy(update=changes)


def _gives_language(entry: Entry) -> bool:
    return isinstance(entry.record, Open) and entry.record.language is not None


def _time(unix_ms: int | None) -> datetime | None:
    """Wall time, or None for what no clock of a recorder says: arithmetic with it must not fail later."""
    if unix_ms is None or not 0 <= unix_ms < LAST_TIME_MS:
        return None
    return datetime.fromtimestamp(unix_ms / 1000, tz=UTC)


def _show(record: Session, opened: Session) -> Session:
    """The stored record with what the opening shows, and with nothing of what decides a decode or a boundary."""
    shown = {"state", "reason", "ended_at", "title", "tags", "started_at"}
    return record.model_copy(update=opened.model_dump(include=shown))
