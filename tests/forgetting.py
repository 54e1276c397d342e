"""Parts of tests of forgetting: sessions as they are in the topics, what is left of them, and workers that die."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import httpx
import psycopg

from stream_apps.adapter import Adapter
from stream_apps.archivist import open_archivist
from stream_apps.dead_letters import DeadLetters
from stream_apps.presence import Outputs, Presence
from tests.storage_events import session, session_id, utterance, window
from tests.streams import committed, read_events, read_records
from tests.viewing import watching
from undertone.events import Deletion, Event, Mark, Partial, Session, Statistics, Transcript, Utterance, Window
from undertone.identifiers import mark_key, window_key
from undertone.kafka import Record, open_publisher
from undertone.settings import Settings
from undertone.topics import DELETIONS, PARTIALS, SESSIONS, STATISTICS, TRANSCRIPTS, UTTERANCES, WINDOWS, Topic, place

# Of one partition, so that the end of one says that the others are dealt with.
ONE, TWO, THREE = session_id(1), session_id(3), session_id(5)
TABLES = ("sessions", "utterances", "windows", "progress")


def deletion(name: str = ONE) -> Deletion:
    return Deletion(session_id=name, requested_at=datetime(2026, 1, 2, tzinfo=UTC), requested_by="me")


async def write(settings: Settings, *events: Event) -> None:
    """Write events where and as the parts do."""
    topics: dict[type[Event], Topic] = {
        Partial: PARTIALS,
        Session: SESSIONS,
        Utterance: UTTERANCES,
        Mark: UTTERANCES,
        Window: WINDOWS,
        Transcript: TRANSCRIPTS,
        Deletion: DELETIONS,
    }
    async with open_publisher(settings) as publisher:
        for event in events:
            where = topics[type(event)]
            assert isinstance(event, Session | Partial | Utterance | Mark | Window | Transcript | Deletion)
            key = event.session_id
            if where is UTTERANCES:
                key = event.utterance_id if isinstance(event, Utterance) else mark_key(event.session_id)
            elif isinstance(event, Window):
                key = window_key(event.session_id, event.size_ms, event.start_ms)
            await publisher.publish(where, event.session_id, event, key)


def of(name: str, records: Sequence[Record]) -> list[Record]:
    return [record for record in records if (record.key or b"").startswith(name.encode())]


def latest(records: Sequence[Record]) -> dict[bytes, bytes | None]:
    """What compaction leaves."""
    return {record.key: record.value for record in records if record.key is not None}


class Mortal(Outputs):
    """Dies at its ``last`` write, just before it or right behind it: the process would be gone."""

    def __init__(self, outputs: Outputs, last: int, *, behind: bool) -> None:
        super().__init__(outputs.publisher, outputs.presence)
        self._left = last
        self._behind = behind

    async def _retry(self, write: Callable[[], Awaitable[int]]) -> int:
        self._left -= 1
        if self._left == 0 and not self._behind:
            raise RuntimeError("killed")
        offset = await super()._retry(write)
        if self._left <= 0:
            raise RuntimeError("killed")
        return offset


@asynccontextmanager
async def archiving(settings: Settings, last: int = 0, *, behind: bool = False) -> AsyncIterator[Adapter]:
    """The archivist; it dies at its ``last`` write to Kafka, if there is one."""
    async with open_publisher(settings) as publisher:
        outputs = Outputs(publisher, Presence(60))
        mortal = Mortal(outputs, last, behind=behind) if last else outputs
        dead_letters = DeadLetters("archivist", outputs)
        async with open_archivist(settings, mortal, dead_letters) as app:
            adapter = Adapter(app, settings, dead_letters)
            app.attach(adapter)
            await adapter.start()
            try:
                yield adapter
            finally:
                await adapter.stop()


def rows(settings: Settings, name: str) -> dict[str, int]:
    """How many rows each table has of a session."""
    found = {}
    with psycopg.connect(settings.database_url()) as connection:
        for table in TABLES:
            query = f"SELECT count(*) FROM {table} WHERE session_id = %s".encode()
            row = connection.execute(query, [name]).fetchone()
            assert row is not None
            found[table] = row[0]
    return found


def dump(settings: Settings) -> str:
    """Every cell of every table."""
    with psycopg.connect(settings.database_url()) as connection:
        tables = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
        return "\n".join(
            str(row) for (name,) in tables for row in connection.execute(f"SELECT * FROM {name}".encode()).fetchall()
        )


def conversation(number: int, finals: int) -> list[Event]:
    """A session as it is in the topics; what is said in the first is a secret."""
    word = "secret" if number == 1 else "public"
    said = [utterance(number, seq, text=f"{word} {seq}") for seq in range(1, finals + 1)]
    windows = [window(number, start_ms=10_000 * n, seq=finals) for n in range(3)]
    return [session(number, seq=finals, title=word, tags=(word,)), *said, *windows, window(number, 0, seq=finals)]


NONE = dict.fromkeys(TABLES, 0)


async def is_settled(settings: Settings, app: str, topic: Topic) -> bool:
    """Whether an app is done with all that there is in the partition of these sessions."""
    partition = place(ONE, settings.partitions)
    ends = [record.offset + 1 for record in await read_records(settings, topic) if record.partition == partition]
    return await committed(settings, app, topic, partition) == max(ends, default=None)


async def assert_nothing_is_left(settings: Settings, name: str, said: str) -> None:
    """No row and no word, a tombstone for each key that had text, and memories that say nothing."""
    assert rows(settings, name) == NONE
    assert said not in dump(settings)
    for topic in (UTTERANCES, WINDOWS):
        records = of(name, await read_records(settings, topic))
        assert records
        assert set(latest(records).values()) == {None}
    known = [event for event in await read_events(settings, SESSIONS) if isinstance(event, Session)]
    last = max((event for event in known if event.session_id == name), key=lambda event: event.seq)
    assert (last.state, last.title, last.tags, last.through) == ("deleted", None, (), 0)
    kept = [event for event in await read_events(settings, STATISTICS) if isinstance(event, Statistics)]
    assert [event for event in kept if event.session_id == name][-1].windows == ()


async def assert_nothing_is_shown(address: str, name: str, token: str, cut: str) -> None:
    """Neither with the session's token nor without, to nobody who comes and nobody who resumes at ``cut``."""
    async with httpx.AsyncClient(base_url=address) as client:
        for path in ("", "/utterances", "/windows", "/statistics", "/events"):
            for query in ({}, {"token": token}, {"token": token, "last_event_id": cut}):
                answer = await client.get(f"/v1/sessions/{name}{path}", params=query)
                assert (answer.status_code, answer.json()["code"]) == (410, "session_deleted"), path
        assert name not in (await client.get("/v1/sessions")).text
    async with watching(address, "/v1/events") as stream:
        assert name not in str(await stream.until("snapshot"))
