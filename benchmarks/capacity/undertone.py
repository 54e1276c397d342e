"""Undertone as the system that is measured: `undertone up` as it comes, recorders, and one viewer of all sessions."""

import asyncio
import os
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any

import httpx

from benchmarks.capacity.seen import Final, Seen, Text
from benchmarks.capacity.systems import Session, System
from undertone.captions import read_stream
from undertone.local.ports import free_ports
from undertone.recorder import Recorder
from undertone.session_keys import create_session

PARTS = ("up", "transcriber", "classifier", "statistics", "archivist", "serve", "postgres", "java")
STILL_S = 2.0  # what the viewer has not been shown so long after the end, counts as lost


@asynccontextmanager
async def running_up(**extra: str) -> AsyncIterator[tuple[str, int]]:
    """`undertone up` in a fresh home: its address, once it is ready, and its process id. ``extra`` holds settings."""
    (port,) = free_ports(1)
    url = f"http://127.0.0.1:{port}"
    with tempfile.TemporaryDirectory() as home:
        command = [sys.executable, "-m", "undertone.cli", "up", "--port", str(port), "--home", home]
        environment = {"UNDERTONE_ACCESS": "open", **extra, **os.environ}
        process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE, env=environment)
        assert process.stdout is not None
        try:
            async for line in process.stdout:
                if url.encode() in line:
                    break
            reading = asyncio.create_task(process.stdout.read())
            yield url, process.pid
            reading.cancel()
        finally:
            process.terminate()
            await process.wait()


@dataclass(frozen=True)
class Platform:
    """A running `undertone up`, and a viewer that follows all its sessions."""

    url: str
    pid: int
    viewer: "Viewer"


@asynccontextmanager
async def running_platform(**extra: str) -> AsyncIterator[Platform]:
    """`undertone up`, with a viewer that follows all sessions."""
    async with running_up(**extra) as (url, pid):
        viewer = Viewer(url)
        following = asyncio.create_task(viewer.follow())
        yield Platform(url, pid, viewer)
        following.cancel()


@asynccontextmanager
async def running_undertone() -> AsyncIterator[System]:
    """`undertone up` as a system: how much it hears, not whom it refuses."""
    async with running_platform(UNDERTONE_REFUSE_ABOVE_S="0") as platform:
        yield System("undertone", platform.pid, lambda: _session(platform.url, platform.viewer), name_part)


def name_part(name: str, command: list[str]) -> str:
    """The parts of `undertone up` by what they are."""
    for word in PARTS:
        name = word if word in command or word in name else name
    return name


class Viewer:
    """Follows the events of all sessions, and notes what it sees of those that are in ``seen``."""

    def __init__(self, url: str) -> None:
        self.seen: dict[str, Seen] = {}
        self._url = url
        self._last_id: str | None = None

    async def follow(self) -> None:
        """Until cancelled. Connections rotate after some minutes: the next one goes on where the last ended."""
        async with httpx.AsyncClient(base_url=self._url, timeout=None) as http:
            while True:
                with suppress(httpx.HTTPError):
                    headers = {"Last-Event-ID": self._last_id} if self._last_id else {}
                    async with http.stream("GET", "/v1/events", headers=headers) as answer:
                        async for event_id, event in read_stream(answer):
                            self._last_id = event_id or self._last_id
                            seen = self.seen.get(event.get("session_id", ""))
                            if seen is not None:
                                note(seen, time.monotonic(), event)
                await asyncio.sleep(0.1)


def note(seen: Seen, now_s: float, event: dict[str, Any]) -> None:
    """Add what a viewer sees by an event."""
    if event["type"] == "partial":
        seen.texts.append(Text(now_s, event["first_sample"], event["rev"], event["text"]))
    elif event["type"] == "utterance":
        seen.repeated += event["utterance_id"] in seen.finals
        text = event["text"] if event["quality"]["suppressed"] is None else ""
        final = Final(now_s, event["first_sample"], event["end_sample"], text)
        seen.finals.setdefault(event["utterance_id"], final)
        seen.texts.append(Text(now_s, final.start, final.end, final.text))
    else:
        return
    finals = sorted(seen.finals.values(), key=lambda final: final.start)
    latest = seen.texts[-1]
    is_pending = all(latest.start >= final.end for final in finals[-1:])
    seen.show(now_s, " ".join(final.text for final in finals if final.text), latest.text if is_pending else "")


class _RecorderSession:
    def __init__(self, recorder: Recorder, seen: Seen) -> None:
        self.seen = seen
        self._recorder = recorder

    async def write(self, pcm: bytes) -> None:
        await self._recorder.write(pcm)

    async def stop(self) -> None:
        finished = await self._recorder.stop()
        self.seen.finished_s = time.monotonic()
        self.seen.counted = finished.utterances
        await asyncio.sleep(STILL_S)


@asynccontextmanager
async def _session(url: str, viewer: Viewer) -> AsyncIterator[Session]:
    keys = await create_session(url, language="en")
    seen = viewer.seen[keys.session_id] = Seen()
    recorder = Recorder(url, keys, language="en")
    try:
        yield _RecorderSession(recorder, seen)
    finally:
        await recorder.close()
