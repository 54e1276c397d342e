"""The archivist on real Kafka and PostgreSQL: batches, repeats, poison, PostgreSQL away, killed in between."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from pydantic import SecretStr

from storage import queries
from storage.engine import make_engine
from storage.migrations import upgrade
from storage.upserts import Sourced
from stream_apps.adapter import Adapter
from stream_apps.archivist import Archivist, ArchivistApp, open_archivist
from stream_apps.dead_letters import DeadLetters
from stream_apps.presence import Outputs, Presence
from tests.conftest import running
from tests.storage_events import mark, session, session_id, utterance, window
from tests.streams import read_records
from tests.waiting import until
from undertone.codec import encode
from undertone.errors import PoisonError, TransientError
from undertone.events import Event, Session, Utterance, Window
from undertone.kafka import open_publisher, topic_name
from undertone.local.postgres import EmbeddedPostgres
from undertone.settings import Settings
from undertone.topics import DEAD_LETTERS, SESSIONS, UTTERANCES, WINDOWS, place

AWAY_S = 3.0


def records(topic: str, *events: Event) -> list[Sourced]:
    return [Sourced(topic, 0, offset, event) for offset, event in enumerate(events)]


@dataclass(frozen=True)
class History:
    """What is stored of session 1."""

    session: Session | None
    utterances: list[Utterance]
    windows: list[Window]


async def history(url: str) -> History:
    engine = make_engine(url)
    try:
        async with engine.connect() as connection:
            return History(
                await queries.one_session(connection, session_id()),
                (await queries.utterance_page(connection, session_id(), limit=10_000)).items,
                (await queries.window_page(connection, session_id(), limit=10_000)).items,
            )
    finally:
        await engine.dispose()


@asynccontextmanager
async def archiving(settings: Settings) -> AsyncIterator[Adapter]:
    """The archivist on its adapter, as a worker runs it."""
    async with open_publisher(settings) as publisher:
        outputs = Outputs(publisher, Presence(settings.session_timeout_ms / 1000))
        watching = asyncio.create_task(outputs.presence.watch())
        dead_letters = DeadLetters("archivist", outputs)
        async with open_archivist(settings, outputs, dead_letters) as app:
            adapter = Adapter(app, settings, dead_letters)
            app.attach(adapter)
            await adapter.start()
            try:
                yield adapter
            finally:
                await adapter.stop()
                watching.cancel()


async def publish(settings: Settings, *events: Session | Utterance | Window) -> None:
    topic_of = {"session": SESSIONS, "utterance": UTTERANCES, "window": WINDOWS}
    async with open_publisher(settings) as publisher:
        for event in events:
            await publisher.publish(topic_of[event.type], event.session_id, event)


def conversation(first: int, last: int) -> list[Session | Utterance | Window]:
    """What the workers write while finals ``first`` to ``last`` are said."""
    found: list[Session | Utterance | Window] = []
    for seq in range(first, last + 1):
        found += [
            utterance(seq=seq),
            session(seq=seq, through=utterance(seq=seq).through),
            window(start_ms=10_000 * (seq // 2), seq=seq),
            window(size_ms=60_000, seq=seq),
            window(size_ms=0, seq=seq),
        ]
    return found


async def test_a_batch_is_durable_and_a_repeat_changes_nothing(database: str) -> None:
    upgrade(database)
    archivist = Archivist(database)
    batch = [*records("s", session(seq=3)), *records("u", utterance(seq=1), mark(seq=2)), *records("w", window())]
    assert await archivist.apply(batch) == 4
    once = await history(database)
    assert (once.session, once.utterances, once.windows) == (session(seq=3), [utterance(seq=1)], [window()])
    assert await archivist.apply(batch) == 0
    assert await history(database) == once
    assert await archivist.stored() == {("s", 0): 1, ("u", 0): 2, ("w", 0): 1}
    await archivist.close()


async def test_a_value_that_postgres_refuses_leaves_the_batch_unstored(database: str) -> None:
    upgrade(database)
    archivist = Archivist(database)
    (good,) = records("u", utterance(seq=1))
    bad = replace(good, offset=1, event=utterance(seq=2).model_copy(update={"end_ms": 2**70}))
    with pytest.raises(PoisonError):
        await archivist.apply([good, bad])
    assert (await history(database)).utterances == []
    assert await archivist.apply([good]) == 1
    await archivist.close()


async def test_a_tombstone_only_moves_the_offset(database: str) -> None:
    upgrade(database)
    archivist = Archivist(database)
    await archivist.apply([Sourced("u", 0, 0, None)])
    assert await archivist.stored() == {("u", 0): 1}
    await archivist.close()


async def test_postgres_away_and_tables_missing_are_transient(database: str) -> None:
    for url, words in ((database, "undertone db upgrade"), (database + "_gone", "PostgreSQL is away")):
        archivist = Archivist(url)
        with pytest.raises(TransientError, match=words):
            await archivist.apply(records("u", utterance(seq=1)))
        await archivist.close()


async def test_topics_become_rows(whole: Settings) -> None:
    await publish(whole, *conversation(1, 20))
    async with archiving(whole) as adapter:
        await until(lambda: adapter.why_not_ready() is None, 20)

        async def stored() -> bool:
            found = await history(whole.database_url())
            windows = {window.size_ms: window.seq for window in found.windows}  # a topic of their own: they may lag
            return (
                len(found.utterances) == 20 and found.session is not None and found.session.seq == windows.get(0) == 20
            )

        await until(stored, 20)
    found = await history(whole.database_url())
    assert found.utterances == [utterance(seq=seq) for seq in range(1, 21)]
    assert found.session == session(seq=20, through=utterance(seq=20).through)
    assert {(item.size_ms, item.start_ms): item.seq for item in found.windows} == {
        (0, 0): 20,
        (60_000, 0): 20,
        **{(10_000, 10_000 * (seq // 2)): seq for seq in range(1, 21)},
    }


async def test_a_bad_record_becomes_a_dead_letter_and_the_rest_is_stored(whole: Settings) -> None:
    await publish(whole, utterance(seq=1), utterance(seq=2).model_copy(update={"end_ms": 2**70}))
    async with open_publisher(whole) as publisher:
        await publisher.write(UTTERANCES, session_id(), b"key", b"{", [("schema", b"undertone.utterance/1")])
    await publish(whole, utterance(seq=3))
    async with archiving(whole):

        async def stored() -> bool:
            return [found.seq for found in (await history(whole.database_url())).utterances] == [1, 3]

        await until(stored, 20)
    letters = await read_records(whole, DEAD_LETTERS)
    assert {letter.value for letter in letters} == {
        encode(utterance(seq=2).model_copy(update={"end_ms": 2**70}))[0],
        b"{",
    }
    archivist = Archivist(whole.database_url())
    assert sorted((await archivist.stored()).values()) == [4]
    await archivist.close()


async def test_history_is_complete_after_postgres_was_away_under_load(topics: Settings, tmp_path: Path) -> None:
    server = EmbeddedPostgres(tmp_path)
    with running(server):
        upgrade(server.url)
    whole = topics.model_copy(update={"database": SecretStr(server.url)})
    written = 0

    async def speak(stop: asyncio.Event) -> None:
        nonlocal written
        while not stop.is_set():
            written += 1
            await publish(whole, *conversation(written, written))

    async def has(seq: int) -> bool:
        try:
            return any(found.seq >= seq for found in (await history(server.url)).utterances)
        except OSError as error:
            raise AssertionError(str(error)) from error

    stop = asyncio.Event()
    async with archiving(whole) as adapter:
        speaking = asyncio.create_task(speak(stop))
        with running(server):
            await until(lambda: has(3), 30)
        away_since = written
        began = asyncio.get_running_loop().time()
        await until(lambda: asyncio.get_running_loop().time() > began + AWAY_S and written > away_since + 10, 30)
        assert not adapter.failed.done()
        with running(server):
            stop.set()
            await speaking
            last = written
            await until(lambda: has(last), 30)

            async def settled() -> bool:
                found = await history(server.url)
                windows = {(item.size_ms, item.start_ms): item.seq for item in found.windows}
                return found.session is not None and found.session.seq == last and windows[0, 0] == last

            await until(settled, 30)
            found = await history(server.url)
            assert found.utterances == [utterance(seq=seq) for seq in range(1, last + 1)]


async def test_killed_between_storing_and_committing_nothing_is_doubled(
    whole: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first archivist stores and dies un-acknowledged; the second gets the same records again."""
    await publish(whole, *conversation(1, 5))
    monkeypatch.setattr(ArchivistApp, "_settle", lambda self, batch: None)

    async def stored() -> bool:
        return len((await history(whole.database_url())).utterances) == 5

    async with archiving(whole):
        await until(stored, 20)
    once = await history(whole.database_url())
    monkeypatch.undo()
    await publish(whole, *conversation(6, 6))

    async def six() -> bool:
        found = await history(whole.database_url())
        return len(found.utterances) == 6 and found.session is not None and found.session.seq == 6

    async with archiving(whole):
        await until(six, 20)
    assert (await history(whole.database_url())).utterances[:5] == once.utterances


async def test_a_log_shorter_than_the_history_is_read_again(whole: Settings, caplog: pytest.LogCaptureFixture) -> None:
    """Kafka came back from a power cut, or was made anew, without the end of what is stored."""
    archivist = Archivist(whole.database_url())
    partition = place(session_id(), whole.partitions)
    before: list[Session | Utterance] = [session(seq=1), utterance(seq=1)]
    topic_of = {"session": SESSIONS, "utterance": UTTERANCES}
    await archivist.apply([Sourced(topic_name(whole, topic_of[event.type]), partition, 90, event) for event in before])
    ended = session(seq=1, state="ended", reason="stop")
    await publish(whole, utterance(seq=1), utterance(seq=2), session(seq=1), ended)

    async def goes_on() -> bool:
        found = await history(whole.database_url())
        return found.session == ended and found.utterances == [utterance(seq=1), utterance(seq=2)]

    async with archiving(whole):
        await until(goes_on, 20)
    assert await archivist.stored() == {(topic_name(whole, topic), partition): 2 for topic in (SESSIONS, UTTERANCES)}
    await archivist.close()
    assert "ends at 2, but the history has it up to 91" in caplog.text
