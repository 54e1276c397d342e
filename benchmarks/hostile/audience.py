"""Honest viewers, in a process of their own: half follow all sessions, half one of the speakers'.

    python -m benchmarks.hostile.audience

Standard input gets one line of JSON: the address, a key that reads, the sessions with their read tokens, and how many
viewers. A line comes back once all have begun. The second line in is the finals that each session has: each viewer then
waits for those that it lacks, for half a minute at most, and the line that comes back says what they missed.
"""

import asyncio
import json
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from typing import Any
from urllib.parse import urlsplit

from benchmarks.hostile.figures import Watched
from benchmarks.viewers.stream import Block, Wire
from tests.waiting import until
from undertone.local.file_limit import raise_file_limit

READ_BYTES = 65_536
AGAIN_AFTER_S = 0.5
RESTLESS = 5
STAY_S = 20.0
BEGUN_WITHIN_S = 120.0
CAUGHT_UP_WITHIN_S = 30.0


@dataclass
class Viewer:
    """One viewer. ``sessions`` are those whose finals it should see; every fifth viewer comes back every 20 s."""

    url: str
    path: str
    sessions: tuple[str, ...]
    key: str | None = None
    is_restless: bool = False
    held: set[str] = field(default_factory=set)
    repeated: int = 0
    resets: int = 0
    refused: int = 0
    last_id: str = ""
    has_begun: asyncio.Event = field(default_factory=asyncio.Event)

    async def follow(self) -> None:
        """Watch until cancelled, over one connection after another, each from where the one before ended."""
        while True:
            with suppress(OSError, TimeoutError):
                async with asyncio.timeout(STAY_S if self.is_restless else None):
                    await self._watch()
            await asyncio.sleep(AGAIN_AFTER_S)

    def take(self, block: Block) -> None:
        """Note what one event shows."""
        if block.id is not None:
            self.last_id = block.id.decode()
        self.resets += block.name == b"reset"
        if block.name == b"snapshot":
            self.has_begun.set()
        for name in map(bytes.decode, block.utterance_ids()):
            if name[:36] in self.sessions:
                self.repeated += block.name == b"utterance" and name in self.held
                self.held.add(name)

    def lacks(self, finals: Mapping[str, Sequence[str]]) -> set[str]:
        """The finals that it should have seen and has not."""
        return {name for session in self.sessions for name in finals.get(session, ())} - self.held

    async def _watch(self) -> None:
        parts = urlsplit(self.url)
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port, limit=READ_BYTES)
        try:
            lines = [f"GET {self.path} HTTP/1.1", f"Host: {parts.netloc}"]
            lines += [f"Authorization: Bearer {self.key}"] if self.key else []
            lines += [f"Last-Event-ID: {self.last_id}"] if self.last_id else []
            writer.write(("\r\n".join(lines) + "\r\n\r\n").encode())
            wire = Wire()
            while data := await reader.read(READ_BYTES):
                with suppress(ValueError):  # the body of an error comes in one piece and not in chunks
                    for block in wire.feed(data):
                        self.take(block)
                if wire.status not in {0, 200}:
                    self.refused += 1
                    return
        finally:
            writer.transport.abort()


def make_viewers(given: Mapping[str, Any]) -> list[Viewer]:
    """Viewers of all sessions and of each one in turn."""
    sessions: list[tuple[str, str]] = [tuple(each) for each in given["sessions"]]
    viewers = []
    for number in range(given["viewers"]):
        is_restless = number % RESTLESS == 0
        if number % 2 == 0:
            every = tuple(session for session, _ in sessions)
            viewers.append(Viewer(given["url"], "/v1/events", every, given["key"], is_restless))
        else:
            session, token = sessions[number // 2 % len(sessions)]
            path = f"/v1/sessions/{session}/events?token={token}"
            viewers.append(Viewer(given["url"], path, (session,), None, is_restless))
    return viewers


def gather(viewers: Sequence[Viewer], finals: Mapping[str, Sequence[str]]) -> Watched:
    """What all of them together missed or saw twice."""
    return Watched(
        missed=sum(len(viewer.lacks(finals)) for viewer in viewers),
        repeated=sum(viewer.repeated for viewer in viewers),
        resets=sum(viewer.resets for viewer in viewers),
        refused=sum(viewer.refused for viewer in viewers),
    )


async def run() -> None:
    """The process, from its first line to its last."""
    loop = asyncio.get_running_loop()
    viewers = make_viewers(json.loads(await loop.run_in_executor(None, sys.stdin.readline)))
    following = [asyncio.create_task(viewer.follow()) for viewer in viewers]
    async with asyncio.timeout(BEGUN_WITHIN_S):
        for viewer in viewers:
            await viewer.has_begun.wait()
    print("begun", flush=True)
    finals: dict[str, list[str]] = json.loads(await loop.run_in_executor(None, sys.stdin.readline))
    with suppress(AssertionError):
        await until(lambda: not any(viewer.lacks(finals) for viewer in viewers), CAUGHT_UP_WITHIN_S, "all is seen")
    print(json.dumps(asdict(gather(viewers, finals))), flush=True)
    for task in following:
        task.cancel()
    await asyncio.wait(following)


if __name__ == "__main__":
    raise_file_limit()
    asyncio.run(run())
