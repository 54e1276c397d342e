"""The supervisor over real, tiny processes: order, restarts, giving up, and the order of the end."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from tests.waiting import until
from undertone.errors import FatalError
from undertone.local.child import Child, Command
from undertone.local.parts import EndedError
from undertone.local.plan import ATTEMPTS
from undertone.local.supervisor import Supervisor

SLEEPS = "import time; time.sleep(60)"
CANNOT = "import sys; sys.exit('error: the reason')"


class Script:
    """A part that is ready as soon as its process has run for a moment without ending."""

    def __init__(self, name: str, code: str, folder: Path, events: list[str], started: asyncio.Event) -> None:
        self._command = Command(name, [sys.executable, "-c", code], folder / f"{name}.log")
        self._events = events
        self._may_start = started
        self._child: Child | None = None

    @property
    def child(self) -> Child:
        assert self._child is not None
        return self._child

    async def start(self) -> None:
        await self._may_start.wait()
        self._events.append(f"{self._command.name} starts")
        self._child = Child(self._command)
        if self._command.arguments[-1] == CANNOT:
            raise EndedError(await self._child.wait(), self._child.last_line())

    async def stop(self, grace_s: float) -> None:
        if self._child is not None:
            self._events.append(f"{self._command.name} stops")
            await self._child.stop(grace_s)


@asynccontextmanager
async def running(supervisor: Supervisor) -> AsyncIterator[asyncio.Task[None]]:
    task = asyncio.create_task(supervisor.run())
    try:
        yield task
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError, FatalError):
            await task
        await supervisor.stop()


async def test_parts_start_when_their_needs_are_met_and_stop_in_order(tmp_path: Path) -> None:
    events: list[str] = []
    gate, now = asyncio.Event(), asyncio.Event()
    now.set()

    async def topics() -> None:
        events.append("topics")

    parts = {
        "statistics": Script("statistics", SLEEPS, tmp_path, events, now),
        "kafka": Script("kafka", SLEEPS, tmp_path, events, gate),
        "web": Script("web", SLEEPS, tmp_path, events, now),
    }
    supervisor = Supervisor(parts, {"topics": topics}, lambda name, line: None)
    async with running(supervisor):
        await until(lambda: supervisor.missing() == ["statistics", "kafka", "web", "topics"], 10)
        assert events == []
        gate.set()
        async with asyncio.timeout(10):
            await supervisor.until_ready()
        assert events[:2] == ["kafka starts", "topics"]
        assert sorted(events[2:]) == ["statistics starts", "web starts"]
        events.clear()
    assert events == ["web stops", "statistics stops", "kafka stops"]
    assert all(part.child.status is not None for part in parts.values())


async def test_a_part_that_dies_is_started_again_and_it_is_said(tmp_path: Path) -> None:
    said: list[str] = []
    now = asyncio.Event()
    now.set()
    part = Script("statistics", f"print('hello', flush=True); {SLEEPS}", tmp_path, [], now)
    supervisor = Supervisor({"statistics": part}, {}, lambda name, line: said.append(f"{name}: {line}"))
    async with running(supervisor):
        async with asyncio.timeout(10):
            await supervisor.until_ready()
        await until(lambda: part.child.last_line() == "hello", 10)
        first = part.child
        first.kill()
        await until(lambda: part.child is not first, 10, "it starts again")
        async with asyncio.timeout(10):
            await supervisor.until_ready()
        assert part.child.status is None
    assert any(
        "statistics: was ended by SIGKILL, starts again in 0.5 s; its last words: hello" in line for line in said
    )


async def test_a_part_that_cannot_start_ends_the_run_with_its_own_words(tmp_path: Path) -> None:
    events: list[str] = []
    now = asyncio.Event()
    now.set()
    supervisor = Supervisor({"web": Script("web", CANNOT, tmp_path, events, now)}, {}, lambda name, line: None)
    async with running(supervisor) as task:
        with pytest.raises(FatalError, match=r"^web cannot start: the reason$"):
            async with asyncio.timeout(30):
                await task
    assert events.count("web starts") == ATTEMPTS


async def test_a_step_that_fails_ends_the_run(tmp_path: Path) -> None:
    async def fails() -> None:
        raise FatalError("no disk")

    now = asyncio.Event()
    now.set()
    part = Script("web", SLEEPS, tmp_path, [], now)
    async with running(Supervisor({"web": part}, {"jars": fails}, lambda name, line: None)) as task:
        with pytest.raises(FatalError, match="no disk"):
            async with asyncio.timeout(10):
                await task
