"""Workers forget: on real Kafka and PostgreSQL, whatever is read first, and wherever one of them is killed."""

import asyncio
import logging
from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from models.sentiment import make_router
from storage.engine import make_engine
from storage.forgetting import forget
from storage.upserts import Sourced, store
from stream_apps import oblivion
from stream_apps.archivist import ArchivistApp
from stream_apps.classifier import Classifier
from stream_apps.dead_letters import DeadLetters
from stream_apps.presence import Outputs
from stream_apps.statistician import Statistician
from tests import examples
from tests.forgetting import (
    NONE,
    ONE,
    THREE,
    TWO,
    Mortal,
    archiving,
    conversation,
    deletion,
    dump,
    is_settled,
    latest,
    of,
    rows,
    write,
)
from tests.storage_events import mark, session, utterance
from tests.streams import MakeApp, committed, read_events, read_records, running_app
from tests.waiting import until
from undertone.deletions import deletion_of
from undertone.errors import PoisonError
from undertone.events import Event, Statistics, Transcript, Utterance
from undertone.identifiers import make_session_id, utterance_id
from undertone.kafka import open_publisher
from undertone.settings import Settings
from undertone.topics import DEAD_LETTERS, DELETIONS, STATISTICS, TRANSCRIPTS, UTTERANCES, WINDOWS, Topic, place


async def live_and_die(make: MakeApp, settings: Settings, last: int, *, behind: bool) -> bool:
    """Run an app that dies at its ``last`` write; whether it came so far before it had nothing more to do."""

    def mortal(own: Settings, outputs: Outputs, dead_letters: DeadLetters):  # type: ignore[no-untyped-def]
        return make(own, Mortal(outputs, last, behind=behind), dead_letters)

    async with running_app(mortal, settings) as adapter:
        await asyncio.wait([adapter.failed], timeout=4)
        return adapter.failed.done() and adapter.failed.exception() is not None


def classifier(settings: Settings, outputs: Outputs, dead_letters: DeadLetters) -> Classifier:
    return Classifier(make_router("vader", settings.cache).judge, outputs)


def final(name: str, seq: int) -> Transcript:
    return examples.transcript(seq, seq * 1000, seq * 1000 + 900, session_id=name)


async def test_the_classifier_passes_nothing_on_of_a_deleted_session(topics: Settings) -> None:
    """Its deletion is read before its records at a start, and obeyed while it runs; what cannot be read as well.

    A record that is no deletion is put aside, and deletes nothing.
    """
    await write(topics, final(ONE, 1), deletion(), final(ONE, 2), final(TWO, 1))
    async with open_publisher(topics) as publisher:
        await publisher.write(TRANSCRIPTS, ONE, ONE.encode(), b"{secret", [("schema", b"undertone.transcript/1")])
    async with running_app(classifier, topics):
        await until(lambda: _count(topics, UTTERANCES, 1), 20)
        await _write_over(topics, TWO, b"{}")
        await until(lambda: _count(topics, DEAD_LETTERS, 1), 20)
        await write(topics, final(TWO, 2))
        await until(lambda: _count(topics, UTTERANCES, 2), 20)
        await write(topics, deletion(TWO))
        await until(lambda: _has_obeyed(topics, "classifier", 3), 20)
        await write(topics, final(TWO, 3), final(THREE, 1))
        await until(lambda: _count(topics, UTTERANCES, 3), 20)
    said = [event for event in await read_events(topics, UTTERANCES) if isinstance(event, Utterance)]
    assert [(event.session_id, event.seq) for event in said] == [(TWO, 1), (TWO, 2), (THREE, 1)]
    assert len(await read_records(topics, DEAD_LETTERS)) == 1


async def test_the_statistician_keeps_nothing_wherever_it_is_killed(topics: Settings) -> None:
    await write(topics, *(utterance(1, seq) for seq in (1, 2, 3)), utterance(3, 1))
    async with running_app(Statistician, topics):
        await until(lambda: _statistics(topics, TWO), 20)
    before = len(of(ONE, await read_records(topics, WINDOWS)))
    assert before > 3
    await write(topics, deletion())
    assert await live_and_die(Statistician, topics, 1, behind=False)
    assert await live_and_die(Statistician, topics, 1, behind=True)
    await write(topics, utterance(1, 4), mark(1, 5, ended="stop"), utterance(3, 2))
    async with open_publisher(topics) as publisher:
        await publisher.write(UTTERANCES, ONE, utterance(1, 1).utterance_id.encode(), None, [])
    async with running_app(Statistician, topics):
        await until(lambda: _statistics(topics, TWO, 2), 20)
    assert await _statistics(topics, ONE) == Statistics(session_id=ONE, seq=3)
    assert len(of(ONE, await read_records(topics, WINDOWS))) == before
    assert await read_records(topics, DEAD_LETTERS) == []


async def is_stored(settings: Settings, name: str, finals: int) -> bool:
    found = rows(settings, name)
    return found["utterances"] == finals and found["sessions"] == 1 and found["windows"] == 4


async def all_is_settled(settings: Settings) -> None:
    """Wait until the archivist is done with everything, its own tombstones as well."""
    for topic in (UTTERANCES, WINDOWS, DELETIONS):
        await until(lambda topic=topic: is_settled(settings, "archivist", topic), 20)  # type: ignore[misc]


async def assert_forgotten(settings: Settings) -> None:
    """No row, and no text that outlives compaction, but all of the other session."""
    assert rows(settings, ONE) == NONE
    for topic in (UTTERANCES, WINDOWS):
        records = await read_records(settings, topic)
        assert of(ONE, records)
        assert set(latest(of(ONE, records)).values()) == {None}
        assert None not in latest(of(TWO, records)).values()
    assert rows(settings, TWO)["utterances"] > 0


async def test_rows_go_and_keys_end_and_nothing_late_or_replayed_comes_back(whole: Settings) -> None:
    await write(whole, *conversation(1, 20), *conversation(3, 2))
    async with archiving(whole):
        await until(lambda: is_stored(whole, ONE, 20), 20)
        await until(lambda: is_stored(whole, TWO, 2), 20)
        await write(whole, deletion())
        await until(lambda: rows(whole, ONE) == NONE, 20)
        for topic in (UTTERANCES, WINDOWS):  # the rows have told their keys before they went
            assert set(latest(of(ONE, await read_records(whole, topic))).values()) == {None}
        replay = [*conversation(1, 22), mark(1, 23, ended="stop"), session(1, seq=30, title="secret")]
        await write(whole, *replay, utterance(3, 3))
        await until(lambda: rows(whole, TWO)["utterances"] == 3, 20)
        await all_is_settled(whole)
    await assert_forgotten(whole)
    kept = dump(whole)
    assert ONE in kept  # among the deletions: that is what blocks
    assert "public" in kept
    assert "secret" not in kept


async def test_a_deletion_that_is_read_before_all_else_is_obeyed(whole: Settings) -> None:
    """Before the first record, and of a session that nobody has ever heard of."""
    await write(whole, deletion(), deletion(THREE), *conversation(1, 3), *conversation(3, 1))
    async with open_publisher(whole) as publisher:  # and what cannot be read of it is not put aside either
        schema = [("schema", b"undertone.utterance/1")]
        await publisher.write(UTTERANCES, ONE, f"{ONE}-000000000016".encode(), b"{secret", schema)
    async with archiving(whole):
        await until(lambda: is_stored(whole, TWO, 1), 20)
        await until(lambda: _all_ended(whole, UTTERANCES), 20)
        await until(lambda: _all_ended(whole, WINDOWS), 20)
    await assert_forgotten(whole)
    assert await read_records(whole, DEAD_LETTERS) == []


async def test_what_is_written_over_a_deletion_is_overwritten_by_it(whole: Settings) -> None:
    """Compaction keeps the last record of a key: a tombstone, or what is no deletion, would take it back for good."""
    await write(whole, *conversation(1, 3), *conversation(3, 1), deletion())
    async with archiving(whole):
        await until(lambda: is_stored(whole, TWO, 1), 20)
        await until(lambda: _has_obeyed(whole, "archivist", 1), 20)
        for over in (None, b"{}"):
            for name in (ONE, TWO):
                await _write_over(whole, name, over)
            await until(lambda: _is_last(whole, ONE), 20)
    await write(whole, deletion())
    await _write_over(whole, ONE, b"{}")  # and before the archivist knows of it
    async with archiving(whole):
        await until(lambda: _is_last(whole, ONE), 20)
        await write(whole, deletion(THREE))
        await until(lambda: is_settled(whole, "archivist", DELETIONS), 20)
    assert latest(await read_records(whole, DELETIONS))[TWO.encode()] == b"{}"
    assert (await is_stored(whole, TWO, 1), rows(whole, ONE)) == (True, NONE)
    assert {record.key for record in await read_records(whole, DEAD_LETTERS)} == {ONE.encode(), TWO.encode()}


async def test_killed_between_any_two_steps_it_forgets_when_it_comes_back(
    whole: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    await write(whole, *conversation(1, 3), *conversation(3, 2))
    async with archiving(whole):
        await until(lambda: is_stored(whole, ONE, 3), 20)
        await until(lambda: is_stored(whole, TWO, 2), 20)
    await write(whole, deletion(), utterance(1, 4))
    for last, behind in ((1, False), (3, True)):  # before the first tombstone; between two of them
        async with archiving(whole, last, behind=behind) as adapter:
            await asyncio.wait([adapter.failed], timeout=20)
            assert "failed: RuntimeError('killed')" in str(adapter.failed.exception())
        assert rows(whole, ONE)["utterances"] == 3
    with monkeypatch.context() as patch:  # behind the tombstones, before the rows
        patch.setattr(oblivion, "forget", _die)
        async with archiving(whole) as adapter:
            await asyncio.wait([adapter.failed], timeout=20)
            assert "failed: RuntimeError('killed')" in str(adapter.failed.exception())
    assert rows(whole, ONE)["utterances"] == 3
    with monkeypatch.context() as patch:  # behind the rows, before anything is settled
        patch.setattr(ArchivistApp, "_settle", lambda self, batch: None)
        async with archiving(whole):
            await until(lambda: rows(whole, ONE) == NONE, 20)
    async with archiving(whole):
        await write(whole, utterance(3, 3))
        await until(lambda: rows(whole, TWO)["utterances"] == 3, 20)
        await all_is_settled(whole)
    await assert_forgotten(whole)


async def test_rows_of_an_older_backup_are_forgotten_again(whole: Settings) -> None:
    await write(whole, *conversation(1, 3), *conversation(3, 1))
    async with archiving(whole):
        await until(lambda: is_stored(whole, ONE, 3), 20)
        await until(lambda: is_stored(whole, TWO, 1), 20)
        await write(whole, deletion())
        await until(lambda: rows(whole, ONE) == NONE, 20)
        await until(lambda: _has_obeyed(whole, "archivist", 1), 20)
    with psycopg.connect(whole.database_url()) as connection:
        connection.execute("DELETE FROM deletions")
    engine = make_engine(whole.database_url())
    await store(engine, [Sourced("backup", 0, n, event) for n, event in enumerate(conversation(1, 3))])
    await engine.dispose()
    assert rows(whole, ONE)["utterances"] == 3
    async with archiving(whole):
        await until(lambda: rows(whole, ONE) == NONE, 20)
    await assert_forgotten(whole)


async def test_who_stores_at_the_same_moment_stores_nothing_behind_a_deletion(whole: Settings) -> None:
    """A worker that has lost its partitions may be in the middle of a transaction when another forgets."""
    engine = make_engine(whole.database_url())
    ends = []
    for number in range(20):
        asked = deletion(make_session_id(1_700_000_000_000 + number, number))
        said = utterance(1, 1).model_copy(
            update={"session_id": asked.session_id, "utterance_id": f"{asked.session_id}-000000000000"}
        )
        ends.append(asked.session_id)
        await asyncio.gather(store(engine, [Sourced("zombie", 0, number, said)]), forget(engine, [asked]))
    await engine.dispose()
    assert [rows(whole, name) for name in ends] == [NONE] * 20


async def test_text_past_its_retention_goes_from_tables_and_topics_and_does_not_come_back(
    whole: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Kafka's own retention is not enough: compaction joins what is old to what is young."""
    monkeypatch.setattr(oblivion, "EXPIRE_SESSIONS", 1)
    now = datetime.now(UTC)
    older, old, young = (
        make_session_id(round((now - timedelta(days=days)).timestamp() * 1000), 1) for days in (32, 31, 29)
    )
    for name in (older, old, young):
        await write(whole, *(_in(name, event) for event in conversation(1, 9)))
    async with archiving(whole):
        for name in (older, old, young):
            await until(lambda name=name: is_stored(whole, name, 9), 20)  # type: ignore[misc]
    limited = whole.model_copy(update={"text_retention_days": 30})
    async with archiving(limited):
        await until(lambda: rows(limited, old) == rows(limited, older) == NONE, 20)
        for topic in (UTTERANCES, WINDOWS):  # the rows have told their keys before they went
            for name in (older, old):
                assert set(latest(of(name, await read_records(whole, topic))).values()) == {None}
        for name in (old, young):
            await write(whole, *(_in(name, event) for event in conversation(1, 10)))
        await until(lambda: rows(limited, young)["utterances"] == 10, 20)
        for topic in (UTTERANCES, WINDOWS):
            await until(lambda topic=topic: _is_settled(limited, topic, place(old, limited.partitions)), 20)  # type: ignore[misc]
    assert rows(limited, old) == NONE
    for topic in (UTTERANCES, WINDOWS):
        records = await read_records(whole, topic)
        assert set(latest(of(old, records)).values()) == {None}
        assert None not in latest(of(young, records)).values()


async def test_one_sweep_removes_a_week_of_what_looks_old(whole: Settings, caplog: pytest.LogCaptureFixture) -> None:
    """As where a clock jumps a year forward: all of the history is past its retention then."""
    caplog.set_level(logging.INFO)
    now = datetime.now(UTC)
    first, second, third = (
        make_session_id(round((now - timedelta(days=days)).timestamp() * 1000), 1) for days in (400, 395, 390)
    )
    engine = make_engine(whole.database_url())
    events = [_in(name, event) for name in (first, second, third) for event in conversation(1, 9)]
    await store(engine, [Sourced("x", 0, offset, event) for offset, event in enumerate(events)])
    await engine.dispose()
    limited = whole.model_copy(update={"text_retention_days": 30})
    async with archiving(limited):
        await until(lambda: rows(limited, first) == rows(limited, second) == NONE, 20)
        await until(lambda: "were past the retention of text" in caplog.text or None, 20)
    assert rows(limited, third) != NONE
    assert "They go 7 days at a time, an hour apart" in caplog.text
    caplog.clear()
    async with archiving(limited):  # neither does a start remove more, nor is anything refused that comes now
        await until(lambda: "still past the retention of text" in caplog.text or None, 20)
        await write(limited, *(_in(third, event) for event in conversation(1, 10)))
        await until(lambda: rows(limited, third)["utterances"] == 10, 20)


def _in(name: str, event: Event) -> Event:
    """The same in another session."""
    changes = {"session_id": name}
    if isinstance(event, Utterance):
        changes["utterance_id"] = utterance_id(name, event.first_sample)
    return event.model_copy(update=changes)


async def _is_settled(settings: Settings, topic: Topic, partition: int) -> bool:
    written = len([record for record in await read_records(settings, topic) if record.partition == partition])
    return await committed(settings, "archivist", topic, partition) == written


async def _has_obeyed(settings: Settings, app: str, deletions: int) -> bool:
    return await committed(settings, app, DELETIONS, place(ONE, settings.partitions)) == deletions


async def _count(settings: Settings, topic: Topic, least: int) -> bool:
    return len(await read_records(settings, topic)) >= least


async def _statistics(settings: Settings, name: str, seq: int = 1) -> Statistics | None:
    """The last that is kept of a session, if it got so far."""
    kept = [event for event in await read_events(settings, STATISTICS) if isinstance(event, Statistics)]
    last = [event for event in kept if event.session_id == name][-1:]
    return last[0] if last and last[0].seq >= seq else None


async def _all_ended(settings: Settings, topic: Topic) -> bool:
    records = of(ONE, await read_records(settings, topic))
    return bool(records) and set(latest(records).values()) == {None}


async def _write_over(settings: Settings, name: str, value: bytes | None) -> None:
    async with open_publisher(settings) as publisher:
        await publisher.write(DELETIONS, name, name.encode(), value, [("schema", b"undertone.deletion/1")])


async def _is_last(settings: Settings, name: str) -> bool:
    records = of(name, await read_records(settings, DELETIONS))
    try:
        return deletion_of(name.encode(), records[-1].value, records[-1].headers) is not None
    except PoisonError:
        return False


async def _die(*_: object) -> None:
    raise RuntimeError("killed")
