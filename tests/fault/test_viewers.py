"""Many viewers of one dashboards process: one that never reads hurts nobody, a kill under all of them loses nothing."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import psutil
import pytest

from benchmarks.viewers.audience import Seen, Viewer, assemble
from tests.serving import WebProcess, running_web
from tests.storage_events import partial, session, session_id, utterance, window
from tests.viewing import Writer
from tests.waiting import until
from undertone.kafka import open_publisher
from undertone.settings import Settings

VIEWERS = 60
FROZEN_S = 2
MEGABYTE = 1_000_000


@pytest.fixture
async def writer(whole: Settings) -> AsyncIterator[Writer]:
    async with open_publisher(whole) as publisher:
        await (writer := Writer(publisher, whole)).write(session())
        await writer.archive()
        yield writer


class Speaker:
    """Finals, in order, with what goes round them, and when each was in the log."""

    def __init__(self, writer: Writer) -> None:
        self.said: list[str] = []
        self.at_ns: dict[str, int] = {}
        self._writer = writer

    async def say(self, count: int, text: str = "words") -> None:
        for seq in range(len(self.said) + 1, len(self.said) + 1 + count):
            final = utterance(seq=seq, text=f"{text} {seq}")
            await self._writer.write(partial(first_sample=final.first_sample, rev=seq), final, window(seq=seq))
            self.said.append(final.utterance_id)
            self.at_ns[final.utterance_id] = time.monotonic_ns()

    async def end(self) -> None:
        await self._writer.write(session(state="ended", reason="stop", seq=len(self.said) + 1))


@asynccontextmanager
async def following(viewers: list[Viewer]) -> AsyncIterator[list[asyncio.Task[Seen]]]:
    """All of them follow; the block begins when each has its snapshot."""
    tasks = [asyncio.create_task(viewer.follow()) for viewer in viewers]
    try:
        async with asyncio.timeout(30):
            for viewer in viewers:
                await viewer.has_begun.wait()
        yield tasks
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)


async def viewers_now(dashboards: WebProcess) -> int:
    async with httpx.AsyncClient(base_url=dashboards.address, trust_env=False) as client:
        lines = (await client.get("/metrics")).text.splitlines()
    return next(round(float(line.split()[1])) for line in lines if line.startswith("undertone_viewers "))


def wires_now(dashboards: WebProcess) -> int:
    """Connections to its port, those included that are closed and still hold what was sent."""
    assert dashboards.health is not None
    found = psutil.Process(dashboards.child.pid).net_connections("tcp")
    return sum(wire.laddr.port == dashboards.health[1] and bool(wire.raddr) for wire in found)


def check(seen: list[Seen], speaker: Speaker) -> None:
    """Each saw every final once, in order, without a reset."""
    for number, one in enumerate(seen):
        assert one.finals == speaker.said, f"viewer {number}"
        assert (one.resets, one.incomplete) == (0, 0), f"viewer {number}"


async def test_a_viewer_that_never_reads_is_let_go_and_resumes_and_nobody_notices(
    whole: Settings, writer: Writer, tmp_path: Path
) -> None:
    """It takes its snapshot and stands still, while six megabytes of finals are said."""
    speaker = Speaker(writer)
    extra = {"UNDERTONE_VIEWER_TIMEOUT_S": str(FROZEN_S)}
    async with running_web("dashboards", whole, tmp_path, **extra) as dashboards:
        viewers = assemble(dashboards.address, session_id(), VIEWERS, frozen=1)
        async with following(viewers) as tasks:
            memory = psutil.Process(dashboards.child.pid).memory_info
            await speaker.say(20)
            before = memory().rss
            await speaker.say(100, "가" * 19_000)
            *others, frozen = viewers

            async def all_have_it() -> bool:
                return all(len(viewer.seen.finals) == len(speaker.said) for viewer in others)

            await until(all_have_it, 30)
            slowest_s = max(
                (at_ns - speaker.at_ns[final]) / 1e9
                for viewer in others
                for final, at_ns in zip(viewer.seen.finals, viewer.seen.at_ns, strict=True)
            )
            assert slowest_s < 5
            await until(lambda: wires_now(dashboards) == VIEWERS - 1, 5 * FROZEN_S)
            assert await viewers_now(dashboards) == VIEWERS - 1
            assert frozen.seen.finals == []
            # the ring keeps what was said, once, for all of them, and a piece or two more
            assert memory().rss - before < 60 * MEGABYTE
            frozen.thaw()
            await speaker.say(5)
            await speaker.end()
            seen = await asyncio.wait_for(asyncio.gather(*tasks), 30)
    check(seen, speaker)


async def test_a_kill_under_all_of_them_loses_and_repeats_nothing(
    whole: Settings, writer: Writer, tmp_path: Path
) -> None:
    speaker = Speaker(writer)
    async with running_web("dashboards", whole, tmp_path) as dashboards:
        viewers = assemble(dashboards.address, session_id(), VIEWERS)
        async with following(viewers) as tasks:
            for _ in range(2):
                speaking = asyncio.create_task(speaker.say(60))
                reached = len(speaker.said) + 30
                await until(lambda: len(speaker.said) >= reached, 20)  # noqa: B023 - asked in this round alone
                dashboards.child.kill()
                await speaking
                await dashboards.start()
                await until(lambda: all(len(viewer.seen.finals) == len(speaker.said) for viewer in viewers), 30)
            await speaker.end()
            seen = await asyncio.wait_for(asyncio.gather(*tasks), 30)
    check(seen, speaker)
    assert all(len(one.began_ns) >= 3 for one in seen), "not all of them had to come back"
