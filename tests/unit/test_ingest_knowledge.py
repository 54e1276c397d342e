"""What the write side knows of sessions and of transcribers."""

from datetime import UTC, datetime, timedelta

import pytest

from ingest_api.admission import FIRST_SPEED, Fleet
from ingest_api.knowledge import Knowledge
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


def test_a_session_is_done_when_it_has_ended_or_nobody_may_speak_of_it_any_more() -> None:
    knowledge = Knowledge(24)
    assert not knowledge.is_done(SESSION, NOW)
    assert knowledge.is_done(SESSION, NOW + timedelta(hours=25))
    knowledge.apply(session(state="live", seq=1), NOW)
    assert not knowledge.is_done(SESSION, NOW)
    knowledge.apply(session(state="ended", reason="idle", seq=2), NOW)
    assert knowledge.is_done(SESSION, NOW)
    knowledge.apply(session(state="live", seq=3), NOW)
    assert not knowledge.is_done(SESSION, NOW)
    knowledge.apply(Deletion(session_id=SESSION, requested_at=NOW, requested_by="owner"), NOW)
    assert knowledge.is_done(SESSION, NOW)


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


def test_what_waits_counts_with_the_time_that_it_will_take() -> None:
    knowledge = Knowledge(24)
    knowledge.apply(worker("t1", heard=SECOND, backlog_s=40).model_copy(update={"speed": 10.0, "replicas": 2}), NOW)
    assert knowledge.behind_ms(SESSION, 2 * SECOND, NOW) == 1000 + 2000


def test_transcribers_count_together_and_only_while_they_speak() -> None:
    knowledge = Knowledge(24)
    assert knowledge.fleet(NOW) is None
    knowledge.apply(worker("other", 0).model_copy(update={"app": "archivist"}), NOW)
    assert knowledge.fleet(NOW) is None
    skewed = NOW - timedelta(hours=1)  # the clock of another machine
    one = worker("t1", 2 * SECOND, backlog_s=30, at=skewed).model_copy(update={"speed": 12.0, "replicas": 3, "load": 1})
    knowledge.apply(one, NOW)
    knowledge.apply(worker("t2", SECOND, backlog_s=10), NOW + timedelta(seconds=5))
    assert knowledge.fleet(NOW + timedelta(seconds=9)) == Fleet(40, 12 * 3 + FIRST_SPEED, 0.75)
    assert knowledge.heard(SESSION, NOW + timedelta(seconds=9)) == 2 * SECOND
    assert knowledge.fleet(NOW + timedelta(seconds=10)) == Fleet(10, FIRST_SPEED, 0)
    assert knowledge.heard(SESSION, NOW + timedelta(seconds=10)) == SECOND
    assert knowledge.fleet(NOW + timedelta(seconds=15)) is None
    assert knowledge.heard(SESSION, NOW + timedelta(seconds=15)) == 0


def test_a_report_whose_sessions_have_all_ended_since_tells_of_no_backlog() -> None:
    knowledge = Knowledge(24)
    knowledge.apply(worker("t1", SECOND, backlog_s=30), NOW)
    knowledge.apply(worker("t2", SECOND, backlog_s=10).model_copy(update={"heard": {}}), NOW)
    assert knowledge.fleet(NOW) == Fleet(40, 2 * FIRST_SPEED, 0)
    knowledge.apply(session(state="ended", reason="stop", seq=1), NOW)
    assert knowledge.fleet(NOW) == Fleet(10, 2 * FIRST_SPEED, 0)
