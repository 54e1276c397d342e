"""What the write side knows of sessions, and how fast it takes audio."""

from datetime import UTC, datetime, timedelta

import pytest

from ingest_api.knowledge import Knowledge
from ingest_api.pace import may_take
from undertone.errors import Refusal
from undertone.events import Deletion, Session, Worker
from undertone.identifiers import make_session_id

NOW = datetime(2026, 1, 1, tzinfo=UTC)
NOW_MS = round(NOW.timestamp() * 1000)
SESSION = make_session_id(NOW_MS, 1)
SECOND = 16_000


def session(**changes: object) -> Session:
    return Session(session_id=SESSION, created_at=NOW).model_copy(update=changes)


def worker(name: str, heard: int, backlog_s: float = 0.0, at: datetime = NOW) -> Worker:
    return Worker(worker=name, app="transcriber", at=at, backlog_s=backlog_s, heard={SESSION: heard})


def test_the_highest_seq_wins() -> None:
    knowledge = Knowledge(24)
    assert knowledge.apply(session(seq=2, through=200), NOW) == SESSION
    assert knowledge.apply(session(seq=1, through=100), NOW) is None
    assert knowledge.through(SESSION) == 200


def test_only_a_stopped_session_is_stopped() -> None:
    knowledge = Knowledge(24)
    assert knowledge.stopped(SESSION) is None
    knowledge.apply(session(state="ended", reason="idle"), NOW)
    assert knowledge.stopped(SESSION) is None
    ended = session(state="ended", reason="stop")
    knowledge.apply(ended, NOW)
    assert knowledge.stopped(SESSION) == ended


@pytest.mark.parametrize(
    "event",
    [
        Deletion(session_id=SESSION, requested_at=NOW, requested_by="owner"),
        session(state="deleted", reason="delete"),
    ],
)
def test_a_deleted_session_is_refused(event: Deletion | Session) -> None:
    knowledge = Knowledge(24)
    knowledge.apply(event, NOW)
    with pytest.raises(Refusal, match="deleted") as caught:
        knowledge.stopped(SESSION)
    assert (caught.value.code, caught.value.retryable) == ("session_ended", False)


def test_a_session_is_forgotten_with_its_tokens() -> None:
    knowledge = Knowledge(1)
    knowledge.apply(session(through=100), NOW)
    knowledge.forget(NOW + timedelta(minutes=59))
    assert knowledge.session(SESSION) is not None
    later = NOW + timedelta(minutes=61)
    knowledge.forget(later)
    assert knowledge.session(SESSION) is None
    assert knowledge.apply(session(through=200), later) is None
    assert knowledge.session(SESSION) is None


def test_behind_counts_what_is_unheard_and_the_backlog() -> None:
    knowledge = Knowledge(24)
    assert knowledge.behind_ms(SESSION, 2 * SECOND, NOW) == 2000
    knowledge.apply(session(through=SECOND), NOW)
    assert knowledge.behind_ms(SESSION, 2 * SECOND, NOW) == 1000
    knowledge.apply(worker("t1", heard=24_000, backlog_s=3), NOW)
    assert knowledge.behind_ms(SESSION, 2 * SECOND, NOW) == 3500
    assert knowledge.behind_ms(SESSION, 0, NOW) == 3000


def test_a_silent_worker_no_longer_counts() -> None:
    knowledge = Knowledge(24)
    knowledge.apply(worker("t1", heard=2 * SECOND), NOW)
    assert knowledge.behind_ms(SESSION, 2 * SECOND, NOW + timedelta(seconds=9)) == 0
    assert knowledge.behind_ms(SESSION, 2 * SECOND, NOW + timedelta(seconds=10)) == 2000


def test_real_time_audio_is_always_taken() -> None:
    hour = 3_600_000
    assert may_take(3600 * SECOND, 0, NOW_MS, NOW_MS + hour, 60_000)
    assert may_take(3605 * SECOND, 0, NOW_MS, NOW_MS + hour, 60_000)
    assert not may_take(3606 * SECOND, 0, NOW_MS, NOW_MS + hour, 60_000)


def test_faster_audio_is_taken_while_it_is_near() -> None:
    assert may_take(60 * SECOND - 16, 0, NOW_MS, NOW_MS, 60_000)
    assert not may_take(60 * SECOND, 0, NOW_MS, NOW_MS, 60_000)
    assert may_take(60 * SECOND, SECOND, NOW_MS, NOW_MS, 60_000)
