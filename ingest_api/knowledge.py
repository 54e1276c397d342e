"""What the write side knows of sessions from the topics it follows: a pure fold of events, bounded.

A session is forgotten when its tokens have expired, since nobody can ask about it any more; that it was deleted is not:
an operator may ask, and the topic keeps it as well. Workers are forgotten when
nothing came of them for ten seconds, by the clock of this machine: theirs may differ.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta

from ingest_api.admission import FIRST_SPEED, Fleet
from undertone.audio import to_ms
from undertone.errors import Refusal
from undertone.events import Deletion, Event, Session, Worker
from undertone.identifiers import is_session_id, session_created_at
from undertone.tokens import LEEWAY

WORKER_IS_GONE_AFTER = timedelta(seconds=10)


class Knowledge:
    """Sessions, deletions and workers as last told. Events may come twice; the highest ``seq`` wins."""

    def __init__(self, token_hours: int) -> None:
        self._lifetime = timedelta(hours=token_hours) + LEEWAY
        self._sessions: dict[str, Session] = {}
        self._deletions: dict[str, Deletion] = {}
        self._workers: dict[str, tuple[Worker, datetime]] = {}

    def apply(self, event: Event, now: datetime) -> str | None:
        """Take an event in; returns the id of the session that it is about, if it changed."""
        match event:
            case Worker():
                self._workers[event.worker] = (event, now)
                self._forget_workers(now)
            case Deletion():
                self._deletions.setdefault(event.session_id, event)
                self._sessions.pop(event.session_id, None)
                return event.session_id
            case Session() if self.is_wanted(event.session_id, now):
                known = self._sessions.get(event.session_id)
                if known is None or event.seq >= known.seq:
                    self._sessions[event.session_id] = event
                    return event.session_id
        return None

    def forget(self, now: datetime) -> None:
        """Drop the sessions whose tokens have expired."""
        for session_id in [known for known in self._sessions if not self.is_wanted(known, now)]:
            del self._sessions[session_id]

    def session(self, session_id: str) -> Session | None:
        """The session as last told, or None if the transcriber has not spoken of it yet."""
        return self._sessions.get(session_id)

    def through(self, session_id: str) -> int:
        """The sample up to which the session is settled."""
        session = self._sessions.get(session_id)
        return session.through if session else 0

    def deletion(self, session_id: str) -> Deletion | None:
        """How the session was deleted, if it was: as first asked for."""
        return self._deletions.get(session_id)

    def is_done(self, session_id: str, now: datetime) -> bool:
        """Whether nobody will hear more of the session, as far as is known: it has ended, or is forgotten."""
        session = self._sessions.get(session_id)
        has_ended = session is not None and session.state in {"ended", "deleted"}
        return has_ended or session_id in self._deletions or not self.is_wanted(session_id, now)

    def stopped(self, session_id: str) -> Session | None:
        """The session if it was stopped, else None. Raises ``Refusal`` if it was deleted."""
        session = self._sessions.get(session_id)
        if session_id in self._deletions or (session and session.is_over and session.reason != "stop"):
            raise Refusal("session_ended", "the session was deleted: start a new one", status=410)
        return session if session and session.is_over else None

    def heard(self, session_id: str, now: datetime) -> int:
        """The sample up to which a transcriber that is alive has heard the session; 0 without one."""
        return max((worker.heard.get(session_id, 0) for worker in self._alive(now)), default=0)

    def behind_ms(self, session_id: str, next_sample: int, now: datetime) -> int:
        """How far the transcriber is behind ``next_sample``: audio not heard yet, and the time for what waits."""
        waits_s = [_wait_s(worker) for worker in self._alive(now) if session_id in worker.heard]
        heard = max(self.through(session_id), self.heard(session_id, now))
        return to_ms(max(0, next_sample - heard)) + round(1000 * max(waits_s, default=0.0))

    def fleet(self, now: datetime) -> Fleet | None:
        """The transcribers that are alive, together; None without one.

        A report is up to a second old: the backlog of one whose sessions have all ended since has been heard.
        """
        alive = [worker for worker in self._alive(now) if worker.app == "transcriber"]
        if not alive:
            return None
        replicas = sum(worker.replicas for worker in alive)
        return Fleet(
            backlog_s=sum(worker.backlog_s for worker in alive if not self._has_heard_all(worker, now)),
            speed=sum((worker.speed or FIRST_SPEED) * worker.replicas for worker in alive),
            load=sum(worker.load * worker.replicas for worker in alive) / replicas,
        )

    def is_wanted(self, session_id: str, now: datetime) -> bool:
        """Whether tokens of the session may still be good."""
        return is_session_id(session_id) and now - session_created_at(session_id) < self._lifetime

    def _has_heard_all(self, worker: Worker, now: datetime) -> bool:
        return bool(worker.heard) and all(self.is_done(session_id, now) for session_id in worker.heard)

    def _alive(self, now: datetime) -> Iterator[Worker]:
        return (worker for worker, told_at in self._workers.values() if now - told_at < WORKER_IS_GONE_AFTER)

    def _forget_workers(self, now: datetime) -> None:
        gone = [name for name, (_, told_at) in self._workers.items() if now - told_at >= WORKER_IS_GONE_AFTER]
        for name in gone:
            del self._workers[name]


def _wait_s(worker: Worker) -> float:
    return worker.backlog_s / (worker.speed * worker.replicas) if worker.speed else worker.backlog_s
