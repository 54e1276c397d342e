"""What the archivist stores, on a real PostgreSQL: round trips, first final wins, higher seq wins, repeats."""

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncEngine

from storage import queries
from storage.engine import make_engine
from storage.migrations import upgrade
from storage.schema import utterances
from storage.upserts import Sourced, store
from tests.storage_events import mark, session, session_id, utterance, window
from undertone.errors import PoisonError
from undertone.events import Event, Resume, Session, Utterance


@pytest.fixture
async def engine(database: str) -> AsyncIterator[AsyncEngine]:
    upgrade(database)
    engine = make_engine(database)
    yield engine
    await engine.dispose()


async def keep(engine: AsyncEngine, topic: str, events: Sequence[Event], first_offset: int = 0) -> int:
    return await store(engine, [Sourced(topic, 0, first_offset + i, event) for i, event in enumerate(events)])


async def stored_session(engine: AsyncEngine) -> Session | None:
    async with engine.connect() as connection:
        return await queries.one_session(connection, session_id())


async def stored_utterances(engine: AsyncEngine) -> list[Utterance]:
    async with engine.connect() as connection:
        return (await queries.utterance_page(connection, session_id())).items


async def test_rows_give_back_equal_events(engine: AsyncEngine) -> None:
    korea = timezone(timedelta(hours=9))
    given = session(
        state="ended",
        reason="idle",
        seq=7,
        through=10**9,
        language="ko",
        language_probability=1 / 3,
        title="회의 \U0001f642 'quoted' \\ back",
        tags=("a", "b,c", ""),
        started_at=datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=korea),
        ended_at=datetime(2026, 1, 2, 4, tzinfo=UTC),
        utterances=3,
        suppressed=1,
        resume=Resume(offset=99, connection="c-1", speaking=True),
    )
    finals = [utterance(seq=1), utterance(seq=2, sentiment=None, language=None, language_probability=None)]
    unknown: dict[str, Any] = dict.fromkeys(
        ("score", "score_min", "score_max", "longest_pause_ms", "words_per_minute", "loudness_dbfs")
    )
    windows = [window(), window(size_ms=0, final=True, **unknown)]
    await keep(engine, "sessions", [given])
    await keep(engine, "utterances", finals)
    await keep(engine, "windows", windows)
    assert await stored_session(engine) == given
    assert await stored_utterances(engine) == finals
    async with engine.connect() as connection:
        for given_window in windows:
            page = await queries.window_page(connection, session_id(), size_ms=given_window.size_ms)
            assert page.items == [given_window]


async def test_sql_sees_what_statistics_are_made_of(engine: AsyncEngine) -> None:
    quality = utterance().quality.model_copy(update={"suppressed": "no_speech"})
    await keep(engine, "utterances", [utterance(seq=1), utterance(seq=2, quality=quality, sentiment=None)])
    async with engine.connect() as connection:
        counted = await connection.execute(
            select(utterances.c.label, func.sum(utterances.c.score), func.count())
            .where(utterances.c.suppressed.is_(None))
            .group_by(utterances.c.label)
        )
        assert [tuple(row) for row in counted] == [("negative", -0.81, 1)]


async def test_a_zero_character_is_replaced(engine: AsyncEngine) -> None:
    await keep(engine, "utterances", [utterance(text="a\0b")])
    await keep(engine, "sessions", [session(title="\0", tags=("x\0",), resume=Resume(connection="\0"))])
    assert (await stored_utterances(engine))[0].text == "a\ufffdb"
    found = await stored_session(engine)
    assert found is not None
    assert (found.title, found.tags, found.resume.connection) == ("\ufffd", ("x\ufffd",), "\ufffd")


async def test_the_first_final_wins(engine: AsyncEngine) -> None:
    first = utterance(seq=1, text="first")
    await keep(engine, "utterances", [first, utterance(seq=1, text="second"), utterance(seq=2, first_sample=0)])
    await keep(engine, "utterances", [utterance(seq=1, first_sample=5, text="late, and cut elsewhere")], 10)
    assert await stored_utterances(engine) == [first]


async def test_a_final_behind_a_mark_is_a_repeat(engine: AsyncEngine) -> None:
    await keep(engine, "utterances", [mark(seq=3)])
    await keep(engine, "utterances", [utterance(seq=3), utterance(seq=4)], 1)
    assert [found.seq for found in await stored_utterances(engine)] == [4]
    async with engine.connect() as connection:
        assert await queries.through_of(connection, [session_id()]) == {session_id(): 288_000}


@pytest.mark.parametrize(
    ("then", "kept"),
    [
        (window(seq=2, words=9), 9),
        (window(seq=1, words=9), 2),
        (window(seq=0, words=9), 2),
    ],
)
async def test_a_window_is_replaced_by_a_higher_seq_alone(engine: AsyncEngine, then: Any, kept: int) -> None:
    await keep(engine, "windows", [window(seq=1), then])
    async with engine.connect() as connection:
        (found,) = (await queries.window_page(connection, session_id())).items
    assert found.words == kept


async def test_a_session_is_replaced_by_seq_then_by_log_position(engine: AsyncEngine) -> None:
    await keep(engine, "sessions", [session(seq=2, title="two")])
    await keep(engine, "sessions", [session(seq=1, title="older, later in the log")], 1)
    found = await stored_session(engine)
    assert found is not None
    assert found.title == "two"
    await keep(engine, "sessions", [session(seq=2, title="two again")], 2)
    found = await stored_session(engine)
    assert found is not None
    assert found.title == "two again"


async def test_records_below_the_stored_offset_change_nothing(engine: AsyncEngine) -> None:
    events = [utterance(seq=1), utterance(seq=2)]
    assert await keep(engine, "utterances", events) == 2
    assert await keep(engine, "utterances", events) == 0
    assert await keep(engine, "utterances", [utterance(seq=9, first_sample=1)], 1) == 0
    assert await stored_utterances(engine) == events
    async with engine.connect() as connection:
        assert await queries.stored_offsets(connection) == {("utterances", 0): 2}


async def test_a_value_that_does_not_fit_is_poison_and_leaves_nothing(engine: AsyncEngine) -> None:
    with pytest.raises(PoisonError, match="rejects a value"):
        await keep(engine, "utterances", [utterance(seq=1), utterance(seq=2).model_copy(update={"end_ms": 2**70})])
    assert await stored_utterances(engine) == []
    assert await keep(engine, "utterances", [utterance(seq=1)]) == 1


async def test_many_rows_in_one_batch(engine: AsyncEngine) -> None:
    events = [utterance(seq=seq) for seq in range(1, 1001)]
    assert await keep(engine, "utterances", events) == 1000
    async with engine.connect() as connection:
        assert (await connection.execute(select(func.count()).select_from(utterances))).scalar_one() == 1000
