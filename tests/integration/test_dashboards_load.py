"""Heavy readers and many viewers of a long session: no step takes the event loop for long, and nothing is kept."""

import asyncio
import gc
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import psutil
import pytest

from dashboards.app import make_app
from storage.engine import make_engine
from storage.upserts import Sourced, store
from tests.serving import running_web
from tests.storage_events import session, session_id, utterance, window
from tests.viewing import served
from undertone.events import Event
from undertone.settings import Settings

WINDOWS = 5000
STORED = 500
"""The other windows are empty, so that they are made when they are asked for."""
UTTERANCES = 600
VIEWERS = 50
KEPT_BEFORE_BYTES = 9_200_000
"""What each viewer kept while it watched, when snapshots lived as long as their viewers."""
ONE = f"/v1/sessions/{session_id()}"


@pytest.fixture
async def long(whole: Settings) -> Settings:
    """A session with thousands of windows and utterances in the history."""
    events: list[Event] = [session(1, through=UTTERANCES * 80_000)]
    events += [window(start_ms=10_000 * place, seq=place) for place in range(STORED)]
    events.append(window(size_ms=0, talk_ms=10_000 * STORED, silence_ms=10_000 * (WINDOWS - STORED)))
    events += [utterance(seq=seq + 1) for seq in range(UTTERANCES)]
    engine = make_engine(whole.database_url())
    for start in range(0, len(events), 500):
        await store(engine, [Sourced("x", 0, start + n, each) for n, each in enumerate(events[start : start + 500])])
    await engine.dispose()
    return whole


class Ticker:
    """The processor time of the event loop's thread between two of its turns. Other processes do not matter."""

    def __init__(self) -> None:
        self.steps_s: list[float] = []

    async def run(self) -> None:
        before_s = time.thread_time()
        while True:
            await asyncio.sleep(0)
            now_s = time.thread_time()
            self.steps_s.append(now_s - before_s)
            before_s = now_s


@asynccontextmanager
async def ticking() -> AsyncIterator[Ticker]:
    ticker = Ticker()
    task = asyncio.create_task(ticker.run())
    try:
        yield ticker
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


@contextmanager
def without_garbage_collection() -> Iterator[None]:
    """The collector looks at everything that this test session has made, which is not what is measured."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


async def read_all(client: httpx.AsyncClient, path: str) -> int:
    """The size of an answer, read piece by piece."""
    async with client.stream("GET", path) as answer:
        assert answer.status_code == 200
        return sum([len(piece) async for piece in answer.aiter_raw()])


async def read_snapshot(client: httpx.AsyncClient, path: str) -> int:
    """The size of a stream's snapshot."""
    async with client.stream("GET", path) as answer:
        size = 0
        async for piece in answer.aiter_raw():
            size += len(piece)
            if piece.endswith(b"\n\n"):
                return size
    raise AssertionError("the stream ended within its snapshot")


@pytest.mark.parametrize(
    ("path", "read"),
    [
        (f"{ONE}/windows?limit=5000", read_all),
        (f"{ONE}/utterances?limit=500", read_all),
        (f"{ONE}/search?limit=500&q=words", read_all),
        (f"{ONE}/export?format=json", read_all),
        (f"{ONE}/events", read_snapshot),
    ],
    ids=["windows", "utterances", "search", "export", "snapshot"],
)
async def test_no_step_of_a_heavy_read_takes_the_loop_for_long(
    long: Settings, path: str, read: Callable[[httpx.AsyncClient, str], Awaitable[int]]
) -> None:
    """A step is compared with the processor time of 5,000 windows that are made and written in one go."""
    made = [window(start_ms=place) for place in range(WINDOWS)]
    began_s = time.thread_time()
    json.dumps([type(each).model_validate(each.model_dump()).model_dump(mode="json") for each in made])
    in_one_go_s = time.thread_time() - began_s
    async with served(make_app(long)) as address, httpx.AsyncClient(base_url=address, timeout=60) as client:
        await read(client, path)  # what is prepared once is prepared
        with without_garbage_collection():
            async with ticking() as ticker:
                assert await read(client, path) > 100_000
    assert max(ticker.steps_s) < in_one_go_s / 3


async def test_a_page_read_in_steps_is_the_page(long: Settings) -> None:
    async with served(make_app(long)) as address, httpx.AsyncClient(base_url=address, timeout=60) as client:
        answer = (await client.get(f"{ONE}/windows", params={"limit": 5000, "size_ms": 10_000})).json()
        starts = [each["start_ms"] for each in answer["windows"]]
        assert starts == [10_000 * place for place in range(WINDOWS)]
        assert answer["next"] is None
        page: Any = {"next": None}
        found = []
        while True:
            given = {"cursor": page["next"]} if page["next"] else {}
            page = (await client.get(f"{ONE}/utterances", params={"limit": 450, **given})).json()
            found += [each["seq"] for each in page["utterances"]]
            if page["next"] is None:
                break
        assert found == list(range(1, UTTERANCES + 1))


async def test_viewers_who_watch_keep_no_snapshot(long: Settings, tmp_path: Path) -> None:
    async with running_web("dashboards", long, tmp_path) as dashboards, AsyncExitStack() as stack:
        memory = psutil.Process(dashboards.child.pid).memory_info
        port = urlsplit(dashboards.address).port
        assert port is not None

        async def watch() -> None:
            reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=10_000_000)
            stack.callback(writer.close)
            writer.write(f"GET {ONE}/events HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
            async with asyncio.timeout(60):
                await reader.readuntil(b'"partials":[')

        for _ in range(5):
            await watch()
        before = memory().rss
        for _ in range(VIEWERS):
            await watch()
        assert memory().rss - before < VIEWERS * KEPT_BEFORE_BYTES / 10
