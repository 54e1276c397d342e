"""What ingest makes of the log: which of its own connections count, whoever else writes."""

import asyncio
from collections.abc import Awaitable
from datetime import UTC, datetime

import pytest

from ingest_api.audio_log import AudioLog, Watch
from undertone.errors import Refusal
from undertone.events import Resume, Session
from undertone.identifiers import make_session_id
from undertone.records import Audio, AudioRecord, Close, Gap, Open
from undertone.session_log import LogState

SESSION_ID = make_session_id(1_790_000_000_000, 7)


def known(**changes: object) -> Session:
    session = Session(session_id=SESSION_ID, created_at=datetime.fromtimestamp(1_790_000_000, UTC))
    return session.model_copy(update=changes)


def audio(connection: str, at: int, samples: int = 100) -> Audio:
    return Audio(SESSION_ID, connection, at, bytes(2 * samples))


def read(log: AudioLog, *records: AudioRecord, first: int = 10) -> None:
    for offset, record in enumerate(records, first):
        log.apply(SESSION_ID, offset, record)


async def is_true(wait: Awaitable[None]) -> bool:
    """Whether a wait is over at once."""
    task = asyncio.ensure_future(wait)
    await asyncio.sleep(0)
    if task.done():
        task.result()
        return True
    task.cancel()
    return False


async def refusal(watch: Watch) -> str:
    with pytest.raises(Refusal) as caught:
        await watch.counts_no_more()
    return caught.value.code


async def test_samples_count_when_they_are_read_back_without_a_hole() -> None:
    log = AudioLog(lambda _: None)
    with log.watch(SESSION_ID, "a") as watch:
        assert not await is_true(watch.opens())
        read(log, Open(SESSION_ID, "a", 0, seen=10), audio("a", 0), audio("a", 200))
        assert await is_true(watch.opens())
        assert await is_true(watch.reaches(100))
        assert not await is_true(watch.reaches(101))
        read(log, audio("a", 50), Gap(SESSION_ID, "a", 150, 300), audio("a", 300), first=13)
        assert await is_true(watch.reaches(400))
    assert log.state(SESSION_ID) == LogState("a", 10, 400)


async def test_a_repeat_of_what_another_connection_wrote_counts() -> None:
    log = AudioLog(lambda _: None)
    with log.watch(SESSION_ID, "b") as watch:
        read(log, Open(SESSION_ID, "a", 0), audio("a", 0, 500), Open(SESSION_ID, "b", 100, seen=12), audio("b", 100))
        assert await is_true(watch.reaches(200))


async def test_whoever_is_taken_over_is_told_and_counts_for_nothing_more() -> None:
    log = AudioLog(lambda _: None)
    with log.watch(SESSION_ID, "a") as watch:
        read(log, Open(SESSION_ID, "a", 0, seen=3), audio("a", 0), Open(SESSION_ID, "b", 100, seen=12), audio("a", 100))
        assert await is_true(watch.reaches(100))
        assert await refusal(watch) == "taken_over"
        with pytest.raises(Refusal):
            await watch.reaches(200)


async def test_a_late_open_is_void_and_its_connection_is_told() -> None:
    log = AudioLog(lambda _: None)
    with log.watch(SESSION_ID, "late") as late, log.watch(SESSION_ID, "b") as current:
        read(log, Open(SESSION_ID, "b", 0, seen=10), Open(SESSION_ID, "late", 0, seen=10), audio("late", 0))
        assert await refusal(late) == "start_late"
        read(log, audio("b", 0), first=13)
        assert await is_true(current.reaches(100))


async def test_nothing_counts_behind_a_stop() -> None:
    log = AudioLog(lambda _: None)
    with log.watch(SESSION_ID, "a") as first, log.watch(SESSION_ID, "b") as second:
        read(log, Open(SESSION_ID, "a", 0), audio("a", 0), Close(SESSION_ID, "a", 100, "stop"))
        assert await is_true(first.closes())
        read(log, Open(SESSION_ID, "b", 100, seen=13), audio("b", 100), first=13)
        assert await refusal(second) == "session_ended"
    assert (log.state(SESSION_ID).is_stopped, log.state(SESSION_ID).expected) == (True, 100)


async def test_an_idle_session_goes_on() -> None:
    log = AudioLog(lambda _: None)
    with log.watch(SESSION_ID, "a") as watch:
        read(log, Open(SESSION_ID, "a", 0), audio("a", 0), Close(SESSION_ID, "a", 100, "idle"), audio("a", 100))
        assert await is_true(watch.reaches(200))


async def test_it_begins_where_the_transcriber_is() -> None:
    resume = Resume(offset=20, connection="a", opened_offset=5)
    log = AudioLog({SESSION_ID: known(state="live", through=1000, resume=resume)}.get)
    assert log.state(SESSION_ID) == LogState("a", 5, 1000)
    read(log, Open(SESSION_ID, "old", 0), first=19)
    read(log, Open(SESSION_ID, "late", 0, seen=5), audio("a", 1000), first=20)
    assert log.state(SESSION_ID) == LogState("a", 5, 1100)
    ended = AudioLog({SESSION_ID: known(state="ended", reason="stop", through=1000)}.get)
    assert ended.state(SESSION_ID).is_stopped


async def test_a_transcriber_that_is_quicker_hides_nothing() -> None:
    sessions: dict[str, Session] = {}
    log = AudioLog(sessions.get)
    with log.watch(SESSION_ID, "a") as watch:
        resume = Resume(offset=11, connection="a", opened_offset=10)
        sessions[SESSION_ID] = known(state="live", through=500, resume=resume)
        read(log, Open(SESSION_ID, "a", 500, seen=10))
        assert await is_true(watch.opens())


async def test_what_is_not_wanted_is_forgotten() -> None:
    log = AudioLog(lambda _: None)
    read(log, Open(SESSION_ID, "a", 0), audio("a", 0))
    log.forget(lambda _: True)
    with log.watch(SESSION_ID, "a"):
        log.forget(lambda _: False)
    assert log.state(SESSION_ID).expected == 100
    log.forget(lambda _: False)
    assert log.state(SESSION_ID) == LogState()
