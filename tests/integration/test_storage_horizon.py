"""The horizon of the retention of text on real PostgreSQL: how far it moves, and how often."""

from collections.abc import AsyncIterator

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from storage.engine import make_engine
from storage.horizon import move_horizon, read_horizon
from storage.migrations import upgrade
from storage.upserts import Sourced, store
from tests.storage_events import session
from undertone.identifiers import make_session_id
from undertone.topics import DAY_MS

HOUR_S = 3600.0
START_MS = 1_790_000_000_000


def made(day: float, number: int = 0) -> str:
    """A session made so many days after the start."""
    return make_session_id(START_MS + round(day * DAY_MS), number)


@pytest.fixture
async def engine(database: str) -> AsyncIterator[AsyncEngine]:
    """A database with sessions of four days in a month."""
    upgrade(database)
    opened = make_engine(database)
    days = (0, 3, 10, 30)
    events = [session(session_id=made(day, 1)) for day in days]
    await store(opened, [Sourced("sessions", 0, offset, event) for offset, event in enumerate(events)])
    yield opened
    await opened.dispose()


async def test_it_reaches_what_is_past_its_retention_and_nothing_else(engine: AsyncEngine) -> None:
    assert await read_horizon(engine) == ""
    step = await move_horizon(engine, made(5), HOUR_S)
    assert (step.kept_from, step.left_ms) == (made(5), 0)
    assert await read_horizon(engine) == made(5)
    assert (await move_horizon(engine, made(6), HOUR_S)).kept_from == made(6)  # an hour is only kept while more is left


async def test_a_clock_that_jumps_moves_it_by_a_week_however_often_somebody_asks(engine: AsyncEngine) -> None:
    for _ in range(3):
        step = await move_horizon(engine, made(365), HOUR_S)
        assert (step.kept_from, step.left_ms) == (made(7), 358 * DAY_MS)
    assert (await move_horizon(engine, made(365), 0)).kept_from == made(7)  # the rows are still there
    assert (await move_horizon(engine, made(2), HOUR_S)).kept_from == made(2)  # the clock is set right
    assert await read_horizon(engine) == made(7)


async def test_what_comes_in_later_moves_it_too(engine: AsyncEngine) -> None:
    await move_horizon(engine, made(20), 0)
    await store(engine, [Sourced("sessions", 0, 10, session(session_id=made(2, 7)))])
    step = await move_horizon(engine, made(20), 0)
    assert step.kept_from == made(7)


async def test_it_stays_where_nothing_stored_is_so_old(engine: AsyncEngine) -> None:
    step = await move_horizon(engine, made(-1), HOUR_S)
    assert (step.kept_from, step.left_ms) == ("", 0)
    assert await read_horizon(engine) == ""
