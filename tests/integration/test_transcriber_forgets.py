"""The transcriber forgets a session in the middle of its speech, wherever it is killed, and hears the others on."""

import asyncio
import time
from dataclasses import replace
from datetime import UTC, datetime

from stream_apps.presence import Outputs
from tests.clips import log_of, read_clip, silence
from tests.forgetting import ONE, TWO, deletion, is_settled, of, write
from tests.streams import read_events, read_records
from tests.transcribing import ended, finals, publish, transcribing
from tests.waiting import until
from undertone.events import Event, Partial, Session
from undertone.kafka import open_publisher
from undertone.records import AudioRecord, Open
from undertone.settings import Settings
from undertone.topics import AUDIO, PARTIALS, SESSIONS, TRANSCRIPTS, Topic


class DiesBefore(Outputs):
    """Killed before it has written that a session is forgotten."""

    async def put(self, topic: Topic, session_id: str, event: Event, key: str | None = None) -> int:
        if isinstance(event, Session) and event.state == "deleted":
            raise RuntimeError("killed")
        return await super().put(topic, session_id, event, key)


class DiesBehind(Outputs):
    """Killed right behind that, before anything is settled."""

    async def put(self, topic: Topic, session_id: str, event: Event, key: str | None = None) -> int:
        offset = await super().put(topic, session_id, event, key)
        if isinstance(event, Session) and event.state == "deleted":
            raise RuntimeError("killed")
        return offset


def secret_log(session_id: str) -> list[AudioRecord]:
    """Eleven seconds of speech."""
    opened, *rest = log_of(session_id, read_clip("jfk.flac"))
    assert isinstance(opened, Open)
    return [replace(opened, title="secret", tags=("secret",)), *rest]


async def speak(settings: Settings, log: list[AudioRecord]) -> None:
    """Write a log in real time, as a recorder does: what comes faster is not shown before it is final."""
    async with open_publisher(settings) as publisher:
        began_s = time.monotonic()
        for number, record in enumerate(log):
            await publisher.publish_audio(record)
            await asyncio.sleep(max(0.0, began_s + number * 0.1 - time.monotonic()))


async def said_in(settings: Settings, session_id: str) -> int:
    """How many finals and marks were given out of a session."""
    return len(of(session_id, await read_records(settings, TRANSCRIPTS)))


async def last_of(settings: Settings, session_id: str) -> Session:
    known = [event for event in await read_events(settings, SESSIONS) if isinstance(event, Session)]
    return [session for session in known if session.session_id == session_id][-1]


async def test_deleted_in_the_middle_of_speech_and_killed_on_the_way(topics: Settings) -> None:
    log = secret_log(ONE)
    half = len(log) // 2
    async with transcribing(topics):
        await publish(topics, log[:half])
        await until(lambda: _is_live(topics), 30)
    before = await said_in(topics, ONE)
    await write(topics, deletion())
    for kind in (DiesBefore, DiesBehind):
        async with transcribing(topics, kind) as adapter:
            await asyncio.wait([adapter.failed], timeout=30)
            assert isinstance(adapter.failed.exception(), RuntimeError)
    async with transcribing(topics) as adapter:
        again = Open(ONE, "again", log[half].at, title="secret")  # a recorder that resumes
        spoken = log_of(TWO, read_clip("LJ001-0002.flac"))
        await publish(topics, [*log[half:], again], spoken)
        await ended(topics, TWO)
        await until(lambda: is_settled(topics, "transcriber", AUDIO), 20)
        assert not adapter.failed.done()
    known = await last_of(topics, ONE)
    assert known == deletion().forgotten(known.seq)
    assert "secret" not in known.model_dump_json()
    assert finals(await read_events(topics, TRANSCRIPTS), TWO)
    assert await said_in(topics, ONE) == before


async def test_deleted_while_it_is_heard_live_nothing_more_is_given_out(topics: Settings) -> None:
    log = secret_log(ONE)
    async with transcribing(topics) as adapter:
        await until(lambda: adapter.why_not_ready() is None, 30)
        speaking = asyncio.create_task(speak(topics, log[: len(log) // 2]))
        await until(lambda: _shows_something(topics), 30)
        await speaking
        await write(topics, deletion())
        await until(lambda: _is_forgotten(topics), 10)
        shown, before = len(await read_records(topics, PARTIALS)), await said_in(topics, ONE)
        await publish(topics, log[len(log) // 2 :], log_of(TWO, read_clip("LJ001-0002.flac") + silence(1500)))
        await ended(topics, TWO)
        await until(lambda: is_settled(topics, "transcriber", AUDIO), 20)
        assert not adapter.failed.done()
    partials = (await read_events(topics, PARTIALS))[shown:]
    assert {event.session_id for event in partials if isinstance(event, Partial)} <= {TWO}
    assert await said_in(topics, ONE) == before


async def test_deleted_before_the_first_record_was_read(topics: Settings) -> None:
    await write(topics, deletion())
    await publish(topics, secret_log(ONE), log_of(TWO, silence(2000)))
    async with transcribing(topics):
        await ended(topics, TWO)
        await until(lambda: is_settled(topics, "transcriber", AUDIO), 20)
        await until(lambda: _is_forgotten(topics), 10)
    events = [*await read_events(topics, SESSIONS), *await read_events(topics, TRANSCRIPTS)]
    about = [event for event in events if event.session_id == ONE]  # type: ignore[union-attr]
    assert about == [deletion().forgotten(seq=1)]
    assert deletion().forgotten().ended_at == datetime(2026, 1, 2, tzinfo=UTC)


async def _is_live(settings: Settings) -> bool:
    return any(isinstance(event, Session) and event.state == "live" for event in await read_events(settings, SESSIONS))


async def _is_forgotten(settings: Settings) -> bool:
    return any(
        isinstance(event, Session) and event.state == "deleted" for event in await read_events(settings, SESSIONS)
    )


async def _shows_something(settings: Settings) -> bool:
    return bool(await read_records(settings, PARTIALS))
