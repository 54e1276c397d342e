"""The search terms of an archive are renewed in batches, while sessions are searched, stored and deleted."""

import asyncio
import signal
import sys
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from itertools import chain
from typing import Any

import psycopg
import pytest
from psycopg.types.json import Jsonb
from sqlalchemy import delete, select, text
from sqlalchemy.ext.asyncio import AsyncEngine

from storage import search as searching
from storage import term_renewal, terms_1
from storage.engine import make_engine
from storage.forgetting import drop, forget
from storage.migrations import upgrade
from storage.questions import read_question, without_earlier
from storage.rows import row_of
from storage.schema import utterances
from storage.search import search
from storage.term_renewal import renew_terms
from storage.upserts import Sourced, store
from tests.storage_events import utterance
from undertone.events import Deletion, Utterance

TEXTS = (
    "Un café noir",
    "cafe\u0301 and refunds",
    "อากาศดีมาก",
    "날씨가 좋다",
    "don’t say café",
    "El Niño",
    "水曜日の天気",
)
BOTH_VERSIONS = ("refund", "날씨", "niño", "水曜", "say", "อากาศดี")
NEW_ONLY = ("cafe", "ดี")
BATCH, BATCHES = 7, 20
# Stops itself within the transaction that follows so many batches.
RENEW = f"""import asyncio, os, signal, sys
from itertools import count
from storage import term_renewal
from tests.integration.test_term_renewal import renew_all
make, number = term_renewal.map_in_parts, count()
async def stop_in_the_middle(*given):
    if next(number) == {BATCHES}:
        os.kill(os.getpid(), signal.SIGSTOP)
    return await make(*given)
term_renewal.map_in_parts = stop_in_the_middle
asyncio.run(renew_all(sys.argv[1]))"""


@pytest.fixture
async def engine(database: str) -> AsyncIterator[AsyncEngine]:
    upgrade(database)
    engine = make_engine(database)
    yield engine
    await engine.dispose()


def archive(sessions: Sequence[int], each: int = 20) -> list[Utterance]:
    """Utterances of some sessions, every text equally often."""
    return [
        utterance(number, seq, text=TEXTS[(number + seq) % len(TEXTS)])
        for number in sessions
        for seq in range(1, each + 1)
    ]


def store_as_version_1(database: str, events: Sequence[Utterance]) -> None:
    """Store utterances as an archivist of the version before does: it knows no version of terms."""
    with psycopg.connect(database) as connection:
        for event in events:
            found_by = terms_1.search_columns(event.session_id, event.text, event.quality.suppressed)
            row = {
                name: Jsonb(value) if isinstance(value, dict) else value
                for name, value in (row_of(event) | found_by | {"words": event.words}).items()
            }
            names, places = ", ".join(row), ", ".join(["%s"] * len(row))
            connection.execute(f"INSERT INTO utterances ({names}) VALUES ({places})".encode(), list(row.values()))


async def renew_all(database: str, limit: int = BATCH) -> None:
    """Renew until nothing is left, as the archivist does, in small batches and without a pause."""
    engine = make_engine(database)
    while await renew_terms(engine, limit):
        pass
    await engine.dispose()


async def find(engine: AsyncEngine, question: str) -> list[str]:
    found, cursor = list[str](), None
    while True:
        async with engine.connect() as connection:
            page = await search(connection, read_question(question), cursor=cursor, limit=40)
        found += [event.utterance_id for event in page.items]
        assert all(any(match for _, match in read_question(question).parts(event.text)) for event in page.items)
        if (cursor := page.next) is None:
            return found


def expected(events: Sequence[Utterance], question: str) -> list[str]:
    """What is found of these once their terms are new."""
    asked = without_earlier(read_question(question))
    return sorted(
        (event.utterance_id for event in events if any(match for _, match in asked.parts(event.text))), reverse=True
    )


def versions(database: str) -> dict[int, int]:
    with psycopg.connect(database) as connection:
        asked = "SELECT terms_version, count(*) FROM utterances WHERE terms IS NOT NULL GROUP BY 1"
        return dict(connection.execute(asked).fetchall())


async def test_a_search_asks_each_row_by_the_version_of_its_terms(engine: AsyncEngine, database: str) -> None:
    old, new = archive([1, 2]), archive([3])
    store_as_version_1(database, old)
    await store(engine, [Sourced("x", 0, offset, event) for offset, event in enumerate(new)])
    assert versions(database) == {1: 40, 2: 20}
    for question in BOTH_VERSIONS:
        assert await find(engine, question) == expected([*old, *new], question), question
    for question in NEW_ONLY:
        assert await find(engine, question) == expected(new, question), question
    accented = await find(engine, "café")  # spelled so in both, though the new terms have no accent
    assert accented == expected([*old, *new], "café")
    await renew_all(database)
    assert versions(database) == {2: 60}
    for question in (*BOTH_VERSIONS, *NEW_ONLY):
        assert await find(engine, question) == expected([*old, *new], question), question


@pytest.mark.parametrize("newest", [5, 4000], ids=["by the index", "as they lie"])
async def test_a_renewal_that_is_killed_is_resumed_by_others_while_all_else_goes_on(
    engine: AsyncEngine, database: str, newest: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(searching, "NEWEST", newest)
    monkeypatch.setattr(searching, "FIRST_STRETCH", 1)
    kept = archive(range(1, 31))
    deleted, expired = archive([40]), archive([41])
    store_as_version_1(database, [*kept, *deleted, *expired])
    texts = {event.utterance_id: event.text for event in kept}
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", RENEW, database)
    try:
        async with asyncio.timeout(60):
            while versions(database).get(2, 0) < BATCH * BATCHES:
                for question in BOTH_VERSIONS:
                    assert await find(engine, question) == expected([*kept, *deleted, *expired], question)
            for question in BOTH_VERSIONS:
                assert await find(engine, question) == expected([*kept, *deleted, *expired], question)
            process.send_signal(signal.SIGKILL)
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
    assert versions(database)[2] == BATCH * BATCHES

    at = datetime.now(UTC)
    await forget(engine, [Deletion(session_id=deleted[0].session_id, requested_at=at, requested_by="test")])
    await drop(engine, expired[0].session_id)
    late = archive([50], each=7)
    store_as_version_1(database, late)  # by an archivist of the old version that still runs
    renewing = [asyncio.create_task(renew_all(database)) for _ in range(3)]
    while not all(task.done() for task in renewing):
        for question in BOTH_VERSIONS:
            assert await find(engine, question) == expected([*kept, *late], question), question
    await asyncio.gather(*renewing)
    await renew_all(database)  # what one skipped since another held it, who is done
    assert versions(database) == {2: len(kept) + len(late)}
    for question in (*BOTH_VERSIONS, *NEW_ONLY):
        assert await find(engine, question) == expected([*kept, *late], question), question
    async with engine.connect() as connection:
        rows = await connection.execute(select(utterances.c.utterance_id, utterances.c.text))
        stored = {row.utterance_id: row.text for row in rows}
    assert stored == texts | {event.utterance_id: event.text for event in late}


async def test_a_row_that_another_holds_is_left_and_a_deleted_one_stays_deleted(
    engine: AsyncEngine, database: str
) -> None:
    events = archive([1], each=6)
    store_as_version_1(database, events)
    async with engine.begin() as connection:
        await connection.execute(delete(utterances).where(utterances.c.utterance_id == events[0].utterance_id))
        assert await renew_terms(engine) == 5
    assert versions(database) == {2: 5}
    assert await renew_terms(engine) == 0


async def test_a_renewal_that_hangs_gives_its_rows_back(
    engine: AsyncEngine, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    bound = text("SET LOCAL idle_in_transaction_session_timeout = 200")
    monkeypatch.setattr(term_renewal, "_BOUND", bound)
    store_as_version_1(database, archive([1]))
    never, holds = asyncio.Event(), asyncio.Event()

    async def hang(*_: Any) -> list[str]:
        holds.set()
        await never.wait()
        return []

    monkeypatch.setattr(term_renewal, "map_in_parts", hang)
    hanging = asyncio.create_task(renew_terms(engine))
    async with asyncio.timeout(30):
        await holds.wait()
        at = datetime.now(UTC)
        await forget(engine, [Deletion(session_id=archive([1])[0].session_id, requested_at=at, requested_by="test")])
    hanging.cancel()
    await asyncio.gather(hanging, return_exceptions=True)
    assert versions(database) == {}


def test_all_texts_are_used() -> None:
    assert {event.text for event in archive([1, 2])} == set(TEXTS)
    assert list(chain(*(expected(archive([1]), question) for question in NEW_ONLY)))
