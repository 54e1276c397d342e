"""Whose turn it is to read, and how many answers a caller may have under way. Without a network."""

import asyncio
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import pytest
from starlette.requests import HTTPConnection

from dashboards.reads import STEP_ITEMS, FairPace, Reader, Reads, paged
from storage.queries import Page
from tests.storage_events import window
from undertone.access.rights import Caller
from undertone.errors import Refusal
from undertone.events import Window


async def test_callers_take_turns_however_many_reads_each_has() -> None:
    pace = FairPace(every_s=0.001)
    await pace.turn("first")  # nobody was there: it begins at once
    begun: list[str] = []

    async def read(name: str) -> None:
        await pace.turn(name)
        begun.append(name)

    async with asyncio.TaskGroup() as group:
        for name in ["greedy"] * 20 + ["ana", "ben"]:
            group.create_task(read(name))
    assert sorted(begun[:3]) == ["ana", "ben", "greedy"]
    assert len(begun) == 22
    assert not pace._waiting


async def test_a_reader_who_leaves_takes_no_turn_from_others() -> None:
    pace = FairPace(every_s=0.001)
    await pace.turn("ana")
    leaving = [asyncio.create_task(pace.turn("ben")) for _ in range(3)]
    await asyncio.sleep(0)
    for task in leaving:
        task.cancel()
    async with asyncio.timeout(10):
        await pace.turn("ana")


def connection(host: str, name: str = "ana") -> HTTPConnection:
    scope: dict[str, Any] = {"type": "http", "client": (host, 1), "headers": [], "state": {}}
    found = HTTPConnection(scope)
    found.state.caller = Caller(name)
    return found


async def test_a_caller_has_so_many_answers_under_way_at_one_address_and_gets_them_back() -> None:
    reads = Reads(is_open=False, most_per_caller=2)
    reader = asynccontextmanager(reads.reader)
    async with AsyncExitStack() as stack:
        for _ in range(2):
            await stack.enter_async_context(reader(connection("192.0.2.1")))
        with pytest.raises(Refusal) as refused:
            await stack.enter_async_context(reader(connection("192.0.2.1")))
        assert (refused.value.code, refused.value.status, refused.value.retryable) == ("too_many_reads", 429, True)
        await stack.enter_async_context(reader(connection("192.0.2.2")))
        await stack.enter_async_context(reader(connection("192.0.2.1", "ben")))
    assert not reads._under_way
    async with AsyncExitStack() as stack:
        for _ in range(9):
            await stack.enter_async_context(asynccontextmanager(Reads(is_open=True).reader)(connection("192.0.2.1")))


async def test_a_large_page_is_read_in_steps_and_says_where_it_ends() -> None:
    asked: list[tuple[str | None, int]] = []

    async def read(cursor: str | None, limit: int) -> Page[Window]:
        asked.append((cursor, limit))
        start = int(cursor or 0)
        return Page([window(start_ms=start + place) for place in range(limit)], str(start + limit))

    reader = Reader("ana", FairPace(every_s=0))
    answer = await paged("windows", read, None, 2 * STEP_ITEMS + 7, reader)
    said = "".join([str(piece) async for piece in answer.body_iterator])
    assert asked == [(None, STEP_ITEMS), (str(STEP_ITEMS), STEP_ITEMS), (str(2 * STEP_ITEMS), 7)]
    assert said.count('"type":"window"') == 2 * STEP_ITEMS + 7
    assert said.endswith(f'],"next":"{2 * STEP_ITEMS + 7}"}}')
