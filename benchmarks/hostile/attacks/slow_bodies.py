"""Holds connections with bodies that never end: 20,600 that no route reads, and 600 chunks 100 bytes short."""

import asyncio
import socket
import struct
import time
from collections import deque
from contextlib import suppress
from urllib.parse import urlsplit

from benchmarks.hostile.stranger import Stranger, head_of
from undertone.audio import to_samples
from undertone.local.file_limit import raise_file_limit

UNREAD = 20_600
HANDS = 2  # processes: one may not have so many files open
OPEN_A_SECOND = 400
BYTE_EVERY_S = 3.0
STEP_S = 0.1
CHUNKS = 600
SHORT_BYTES = 100
CHUNK = struct.pack("<Q", 0) + bytes(2 * to_samples(10_000))
CHUNK_BYTE_EVERY_S = 20.0


async def attack(stranger: Stranger) -> None:
    """The first process holds half of the unread bodies, the second the other half and all of the chunks."""
    raise_file_limit()
    async with asyncio.TaskGroup() as group:
        group.create_task(_hold_unread(stranger, UNREAD // HANDS))
        if stranger.given.hand == HANDS - 1:
            keys = await stranger.make_session()
            path = f"/v1/sessions/{keys.session_id}/audio?token={keys.write_token}"
            group.create_task(stranger.side_by_side(CHUNKS, lambda number: _hold_chunk(stranger, path, number)))


async def _hold_unread(stranger: Stranger, count: int) -> None:
    """Open connections until there are ``count``; each is sent one byte every three seconds, and reopened when cut."""
    parts = urlsplit(stranger.given.url)
    server = (str(parts.hostname), int(parts.port or 80))
    head = head_of(stranger, "GET", "/healthz", 1_000_000)
    held: deque[tuple[float, socket.socket]] = deque()
    while True:
        began_s = time.monotonic()
        for _ in range(min(int(OPEN_A_SECOND * STEP_S), count - len(held))):
            if (wire := await _open(stranger, server)) is None:
                break
            with suppress(OSError):
                wire.send(head)
                stranger.tally.sent_bytes += len(head)
            held.append((began_s + BYTE_EVERY_S, wire))
        while held and held[0][0] <= time.monotonic():
            _, wire = held.popleft()
            try:
                stranger.tally.sent_bytes += wire.send(b"x")
                held.append((time.monotonic() + BYTE_EVERY_S, wire))
            except BlockingIOError:
                held.append((time.monotonic() + BYTE_EVERY_S, wire))
            except OSError as error:
                stranger.tally.answers[_told(wire) or type(error).__name__] += 1
                wire.close()
        await asyncio.sleep(max(0.0, began_s + STEP_S - time.monotonic()))


async def _open(stranger: Stranger, server: tuple[str, int]) -> socket.socket | None:
    """A connection as a bare socket, without the memory of a stream; None where the server takes none now."""
    wire = socket.socket()
    wire.setblocking(False)
    try:
        wire.bind((stranger.given.address, 0))
        async with asyncio.timeout(1.0):
            await asyncio.get_running_loop().sock_connect(wire, server)
    except (OSError, TimeoutError) as error:
        stranger.tally.answers[type(error).__name__] += 1
        wire.close()
        return None
    stranger.tally.connections += 1
    return wire


def _told(wire: socket.socket) -> str:
    """The status of the answer that came before the connection was cut, if one did."""
    with suppress(OSError):
        return wire.recv(64)[9:12].decode(errors="replace")
    return ""


async def _hold_chunk(stranger: Stranger, path: str, number: int) -> None:
    """Send a chunk but for its last bytes, and those one every 20 s, for as long as the server waits."""
    await asyncio.sleep(number / CHUNKS)
    async with stranger.connection() as connection:
        connection.send(head_of(stranger, "POST", path, len(CHUNK)) + CHUNK[:-SHORT_BYTES])
        answering = asyncio.create_task(connection.answer())
        for _ in range(SHORT_BYTES):
            done, _ = await asyncio.wait([answering], timeout=CHUNK_BYTE_EVERY_S)
            if done:
                break
            connection.send(CHUNK[-1:])
        await answering
