"""What the endpoints share: one value made by the app and passed down."""

import asyncio
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TypeAlias

from ingest_api.door import Door
from ingest_api.follower import Follower
from ingest_api.jumps import check_jump, latest_sample
from ingest_api.limits import Limits
from ingest_api.pace import Paces
from ingest_api.publishers import Publishers
from ingest_api.record_budget import RecordBudget
from ingest_api.session_writer import SessionWriter, open_writer
from ingest_api.uploads import Uploads
from undertone.errors import Refusal
from undertone.events import Session
from undertone.identifiers import session_created_at
from undertone.records import Audio, AudioRecord

Finished: TypeAlias = dict[str, object]

LOOK_AGAIN_S = 0.25


@dataclass
class Ingest:
    """The running parts of one ingest process, and the questions that every endpoint asks of them."""

    key: str
    token_hours: int
    limits: Limits
    publishers: Publishers
    follower: Follower
    paces: Paces
    door: Door
    uploads: Uploads
    budget: RecordBudget = field(default_factory=RecordBudget)
    clock: Callable[[], float] = time.time

    def now_ms(self) -> int:
        """Wall time, Unix milliseconds."""
        return round(self.clock() * 1000)

    def now(self) -> datetime:
        """Wall time."""
        return datetime.fromtimestamp(self.clock(), tz=UTC)

    async def wait_for_room(self, session_id: str, at: int, end: int) -> None:
        """Return when the samples from ``at`` to ``end`` may be taken (guarantee 6). Real-time audio does not wait.

        Raises ``Refusal`` while it is not known which sessions are stopped or deleted.
        """
        self.follower.check()
        while not self.takes(session_id, at, end):
            await self.follower.changed(session_id, LOOK_AGAIN_S)

    def takes(self, session_id: str, at: int, end: int) -> bool:
        """Whether the samples from ``at`` to ``end`` may be taken now; asked once for each that is then taken."""
        passed_ms = self.now_ms() - created_ms(session_id)
        return self.paces.take(session_id, at, end, passed_ms, time.monotonic() * 1000)

    async def spend(self, session_id: str, within_s: float | None = None) -> None:
        """Return when the session may write a record with little or no audio, which is then counted.

        Raises ``Refusal`` ``too_many_records`` if that takes longer than ``within_s``.
        """
        deadline_ms = None if within_s is None else time.monotonic() * 1000 + within_s * 1000
        while wait_ms := self.budget.take(session_id, now_ms := time.monotonic() * 1000):
            if deadline_ms is not None and now_ms + wait_ms > deadline_ms:
                raise Refusal(
                    "too_many_records",
                    "the session sends too many starts, gaps, repeats or tiny chunks: send more audio at a time",
                    status=429,
                    retryable=True,
                    retry_after_ms=round(wait_ms),
                )
            await asyncio.sleep(wait_ms / 1000)

    def expected(self, session_id: str) -> int:
        """The next sample of the session's log, as far as it is read here."""
        return self.follower.audio_log.state(session_id).expected

    def check_jump(self, session_id: str, to: int) -> bool:
        """Whether going on at ``to`` leaves samples out. Raises ``Refusal`` if they lie in the future."""
        expected = self.expected(session_id)
        check_jump(expected, to, latest_sample(created_ms(session_id), self.now_ms(), self.limits))
        return to > expected

    def is_known(self, record: AudioRecord) -> bool:
        """Whether the log holds all samples of the record already: it need not be written again."""
        return isinstance(record, Audio) and record.end <= self.expected(record.session_id)

    def length_if_stopped(self, session_id: str) -> int | None:
        """The session's length in samples if it was stopped, by what the log or the transcriber says; else None.

        Raises ``Refusal`` if it was deleted.
        """
        if (session := self.follower.knowledge.stopped(session_id)) is not None:
            return session.through
        state = self.follower.audio_log.state(session_id)
        return state.expected if state.is_stopped else None

    def writer(self, session_id: str, connection: str) -> AbstractContextManager[SessionWriter]:
        """A writer for a new connection, for the length of the block."""
        return open_writer(self.follower.audio_log, self.publishers, session_id, connection)

    async def wait_until_stopped(self, session_id: str, within_s: float | None = None) -> Session | None:
        """The session once it is stopped and all of it is final, or None after ``within_s``."""
        deadline = None if within_s is None else time.monotonic() + within_s
        while (session := self.follower.knowledge.stopped(session_id)) is None:
            if deadline is not None and time.monotonic() >= deadline:
                return None
            await self.follower.changed(session_id, 1.0)
        return session


def created_ms(session_id: str) -> int:
    """When the session was made, Unix milliseconds."""
    return round(session_created_at(session_id).timestamp() * 1000)


def finished(session: Session) -> Finished:
    """What a recorder is told at the very end."""
    return {"type": "finished", "samples": session.through, "utterances": session.utterances}
