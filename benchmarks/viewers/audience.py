"""Viewers: many in one event loop, each with a wire of its own, who come back with their last id until it is over.

    python -m benchmarks.viewers.audience ADDRESS SESSION --viewers 1000 --frozen 1 --out FILE

follows half of them the session, half of them all sessions, until each has seen the session's end. Standard output
gets a line when all have their snapshot. ``--out`` gets, as JSON, what each saw and when (``time.monotonic_ns``, one
clock for all processes of a machine).
"""

import argparse
import asyncio
import json
import random
import socket
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from benchmarks.viewers.stream import Block, Wire
from undertone.local.file_limit import raise_file_limit

SMALL_BUFFER_BYTES = 4096
AGAIN_S = 0.5


@dataclass
class Seen:
    """What one viewer saw: finals in order with the times at which they came, and how its connections went."""

    finals: list[str] = field(default_factory=list)
    at_ns: list[int] = field(default_factory=list)
    resets: int = 0
    incomplete: int = 0
    refused: int = 0
    began_ns: list[int] = field(default_factory=list)
    last_id: str = ""
    is_over: bool = False


class Viewer:
    """Follows ``path`` until the session's end. One that is ``frozen`` reads its snapshot, then nothing."""

    def __init__(self, address: str, path: str, session_id: str, *, frozen: bool = False) -> None:
        self.seen = Seen()
        self.has_begun = asyncio.Event()
        self.is_frozen = frozen
        parts = urlsplit(address)
        self._host, self._port = str(parts.hostname), int(parts.port or 80)
        self._path = path
        self._session_id = session_id.encode()
        self._transport: asyncio.Transport | None = None

    def thaw(self) -> None:
        """Read on."""
        self.is_frozen = False
        if self._transport is not None and not self._transport.is_closing():
            self._transport.resume_reading()

    async def follow(self) -> Seen:
        """Until it has seen the end; comes back whenever the wire ends before."""
        while not self.seen.is_over:
            try:
                await self._once()
            except OSError:
                self.seen.refused += 1
            if not self.seen.is_over:
                await asyncio.sleep(AGAIN_S * random.random())
        return self.seen

    async def _once(self) -> None:
        loop = asyncio.get_running_loop()
        wire = socket.socket()
        wire.setblocking(False)
        if self.is_frozen:
            wire.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALL_BUFFER_BYTES)
        try:
            await loop.sock_connect(wire, (self._host, self._port))
        except OSError:
            wire.close()
            raise
        ended: asyncio.Future[None] = loop.create_future()
        transport, _ = await loop.create_connection(lambda: _Reader(self, ended), sock=wire)
        self._transport = transport
        resume = f"Last-Event-ID: {self.seen.last_id}\r\n" if self.seen.last_id else ""
        transport.write(f"GET {self._path} HTTP/1.1\r\nHost: {self._host}:{self._port}\r\n{resume}\r\n".encode())
        try:
            await ended
        finally:
            transport.abort()

    def take(self, block: Block, now_ns: int) -> None:
        """Note what a block shows."""
        seen = self.seen
        if block.id is not None:
            seen.last_id = block.id.decode()
        if block.name == b"reset":
            seen.resets += 1
        elif block.name == b"snapshot":
            seen.incomplete += b'"complete":true' not in block.data
        elif block.name == b"session" and self._session_id in block.data:
            seen.is_over = b'"state":"ended"' in block.data
        for name in block.utterance_ids():
            if name.startswith(self._session_id):
                seen.finals.append(name.decode())
                seen.at_ns.append(now_ns)
        if not self.has_begun.is_set() and block.name == b"snapshot":
            self.has_begun.set()
            if self.is_frozen and self._transport is not None:
                self._transport.pause_reading()


class _Reader(asyncio.Protocol):
    def __init__(self, viewer: Viewer, ended: asyncio.Future[None]) -> None:
        self._viewer = viewer
        self._ended = ended
        self._wire = Wire()
        self._is_fresh = True

    def data_received(self, data: bytes) -> None:
        now_ns = time.monotonic_ns()
        for block in self._wire.feed(data):
            if self._is_fresh:
                self._viewer.seen.began_ns.append(now_ns)
                self._is_fresh = False
            self._viewer.take(block, now_ns)
        if self._wire.status not in {0, 200}:
            self._viewer.seen.refused += 1
            self._finish()
        elif self._viewer.seen.is_over:
            self._finish()

    def eof_received(self) -> None:
        self._finish()

    def connection_lost(self, _: Exception | None) -> None:
        self._finish()

    def _finish(self) -> None:
        if not self._ended.done():
            self._ended.set_result(None)


def assemble(address: str, session_id: str, count: int, frozen: int = 0) -> list[Viewer]:
    """Viewers: every other one of all sessions; the last ``frozen`` of them read nothing behind their snapshot."""
    paths = ("/v1/events", f"/v1/sessions/{session_id}/events")
    return [Viewer(address, paths[number % 2], session_id, frozen=number >= count - frozen) for number in range(count)]


async def attend(viewers: Sequence[Viewer], on_begun: Callable[[], None], thaw_after_s: float) -> list[Seen]:
    """Follow with all of them to the end; those that are frozen read on after ``thaw_after_s``."""
    following = [asyncio.create_task(viewer.follow()) for viewer in viewers]
    for viewer in viewers:
        await viewer.has_begun.wait()
    on_begun()
    if any(viewer.is_frozen for viewer in viewers):
        await asyncio.sleep(thaw_after_s)
        for viewer in viewers:
            viewer.thaw()
    return await asyncio.gather(*following)


def main(arguments: Sequence[str]) -> None:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.viewers.audience")
    parser.add_argument("address")
    parser.add_argument("session")
    parser.add_argument("--viewers", type=int, required=True)
    parser.add_argument("--frozen", type=int, default=0)
    parser.add_argument("--thaw-after-s", type=float, default=60.0)
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args(arguments)
    raise_file_limit()

    async def run() -> list[Seen]:
        viewers = assemble(given.address, given.session, given.viewers, given.frozen)
        return await attend(viewers, lambda: print("begun", flush=True), given.thaw_after_s)

    seen = asyncio.run(run())
    given.out.write_text(json.dumps([asdict(one) for one in seen]))


if __name__ == "__main__":
    main(sys.argv[1:])
