"""What the write side knows of sessions from the topics it follows: a pure fold of events, bounded.

A session is forgotten when its tokens have expired, since nobody can ask about it any more. Workers are forgotten when
they have been silent for ten seconds.
"""

from datetime import datetime, timedelta

from undertone.audio import to_ms
from undertone.errors import Refusal
from undertone.events import Deletion, Event, Session, Worker
from undertone.identifiers import is_session_id, session_created_at

WORKER_IS_GONE_AFTER = timedelta(seconds=10)


class Knowledge:
    """Sessions, deletions and workers as last told. Events may come twice; the highest ``seq`` wins."""

    def __init__(self, token_hours: int) -> None:
        self._lifetime = timedelta(hours=token_hours)
        self._sessions: dict[str, Session] = {}
        self._deleted: set[str] = set()
        self._workers: dict[str, Worker] = {}

    def apply(self, event: Event, now: datetime) -> str | None:
        """Take an event in; returns the id of the session that it is about, if it changed."""
        match event:
            case Worker():
                self._workers[event.worker] = event
                self._forget_workers(now)
            case Deletion() if self._is_wanted(event.session_id, now):
                self._deleted.add(event.session_id)
                return event.session_id
            case Session() if self._is_wanted(event.session_id, now):
                known = self._sessions.get(event.session_id)
                if known is None or event.seq >= known.seq:
                    self._sessions[event.session_id] = event
                    return event.session_id
        return None

    def forget(self, now: datetime) -> None:
        """Drop the sessions whose tokens have expired."""
        for session_id in [known for known in self._sessions if not self._is_wanted(known, now)]:
            del self._sessions[session_id]
        self._deleted = {session_id for session_id in self._deleted if self._is_wanted(session_id, now)}

    def session(self, session_id: str) -> Session | None:
        """The session as last told, or None if the transcriber has not spoken of it yet."""
        return self._sessions.get(session_id)

    def through(self, session_id: str) -> int:
        """The sample up to which the session is settled."""
        session = self._sessions.get(session_id)
        return session.through if session else 0

    def stopped(self, session_id: str) -> Session | None:
        """The session if it was stopped, else None. Raises ``Refusal`` if it was deleted."""
        session = self._sessions.get(session_id)
        if session_id in self._deleted or (session and session.is_over and session.reason != "stop"):
            raise Refusal("session_ended", "the session was deleted: start a new one", status=410)
        return session if session and session.is_over else None

    def behind_ms(self, session_id: str, next_sample: int, now: datetime) -> int:
        """How far the transcriber is behind ``next_sample``: audio that it has not heard, plus its own backlog."""
        heard, backlog_ms = self.through(session_id), 0
        for worker in self._workers.values():
            if session_id in worker.heard and now - worker.at < WORKER_IS_GONE_AFTER:
                heard = max(heard, worker.heard[session_id])
                backlog_ms = max(backlog_ms, round(worker.backlog_s * 1000))
        return to_ms(max(0, next_sample - heard)) + backlog_ms

    def _is_wanted(self, session_id: str, now: datetime) -> bool:
        return is_session_id(session_id) and now - session_created_at(session_id) < self._lifetime

    def _forget_workers(self, now: datetime) -> None:
        gone = [name for name, worker in self._workers.items() if now - worker.at >= WORKER_IS_GONE_AFTER]
        for name in gone:
            del self._workers[name]
