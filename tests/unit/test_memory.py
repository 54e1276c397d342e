"""What an app keeps of its memory in its own: little of each session, and none that the topic has forgotten."""

import tracemalloc
from datetime import UTC, datetime

from stream_apps.deliveries import Original
from stream_apps.memory import CompactedMemory
from undertone.events import Event, Resume, Session
from undertone.identifiers import make_session_id
from undertone.settings import Settings
from undertone.topics import DAY_MS, SESSIONS, Topic

NOW = datetime(2026, 1, 1, tzinfo=UTC)
DAY_S = DAY_MS / 1000


def session(number: int, **changes: object) -> Session:
    session_id = make_session_id(1_790_000_000_000, number)
    return Session(session_id=session_id, created_at=NOW).model_copy(update=changes)


class Kept:
    """A memory whose topic takes everything, at the time of day that the test says."""

    def __init__(self) -> None:
        self.now_s = 1_790_000_000.0
        self.memory = CompactedMemory(
            SESSIONS, Session, Settings(kafka="none:1"), self._store, self._put_aside, lambda: self.now_s
        )
        self.memory._records = {0: {}}

    async def _put_aside(self, _original: Original, _error: Exception) -> None:
        """Nothing is put aside here."""

    async def _store(self, _topic: Topic, _session_id: str, _event: Event) -> int:
        return 0


async def test_what_was_put_is_there_as_it_was() -> None:
    kept = Kept()
    ended = session(1, state="ended", reason="stop", seq=9, through=160, title="회의", resume=Resume(offset=7))
    for record in (session(1), session(2), ended):
        await kept.memory.put(0, record)
    assert kept.memory.get(0, ended.session_id) == ended
    assert kept.memory.get(0, session(3).session_id) is None
    assert list(kept.memory.all(0)) == [session(2), ended]


async def test_a_session_is_forgotten_when_its_topic_forgets_it_and_not_before() -> None:
    kept = Kept()
    await kept.memory.put(0, session(1, state="ended", reason="stop"))
    await kept.memory.put(0, session(2))
    kept.now_s += 7 * DAY_S
    await kept.memory.put(0, session(2, seq=1))
    assert kept.memory.get(0, session(1).session_id) is not None  # a late repeat is still known for one
    kept.now_s += 2 * DAY_S
    await kept.memory.put(0, session(3))
    assert kept.memory.get(0, session(1).session_id) is None
    assert kept.memory.get(0, session(2).session_id) == session(2, seq=1)


async def test_a_session_takes_less_than_a_kilobyte() -> None:
    kept = Kept()
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        for number in range(1000):
            await kept.memory.put(0, session(number, state="ended", title="Support call", language="en"))
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert (after - before) / 1000 < 1000
