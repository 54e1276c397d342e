"""What the endpoints share: one value made by the app and passed down."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TypeAlias

from ingest_api.follower import Follower
from ingest_api.limits import Limits
from ingest_api.live import LiveConnections
from ingest_api.pace import may_take
from ingest_api.publishers import Publishers
from undertone.errors import Refusal
from undertone.events import Session
from undertone.identifiers import is_session_id, session_created_at
from undertone.tokens import check_token

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
    live: LiveConnections = field(default_factory=LiveConnections)
    files: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(2))
    clock: Callable[[], float] = time.time

    def now_ms(self) -> int:
        """Wall time, Unix milliseconds."""
        return round(self.clock() * 1000)

    def now(self) -> datetime:
        """Wall time."""
        return datetime.fromtimestamp(self.clock(), tz=UTC)

    def check_writer(self, session_id: str, token: str | None) -> None:
        """Return if the token opens the session for writing, else raise ``Refusal``.

        No store of sessions is asked: a valid token is the proof that the session was made.
        """
        if not is_session_id(session_id):
            raise Refusal("session_unknown", "there is no such session: POST /v1/sessions makes one", status=404)
        check_token(self.key, token, session_id, "write")

    async def wait_for_room(self, session_id: str, next_sample: int) -> None:
        """Return when audio up to ``next_sample`` may be taken (guarantee 6). Real-time audio does not wait."""
        while not self.has_room(session_id, next_sample):
            await self.follower.changed(session_id, LOOK_AGAIN_S)

    def has_room(self, session_id: str, next_sample: int) -> bool:
        """Whether audio up to ``next_sample`` may be taken now."""
        through = self.follower.knowledge.through(session_id)
        return may_take(next_sample, through, created_ms(session_id), self.now_ms(), self.limits.max_ahead_ms)

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
