"""Watches a session with thousands of windows as a hundred viewers: half of them read nothing, half all of it."""

import asyncio
import socket

from benchmarks.hostile.stranger import READ_BYTES, Stranger, error_code, head_of, read_head

VIEWERS = 100
SMALL_BUFFER_BYTES = 4096
STAY_S = 60.0


async def attack(stranger: Stranger) -> None:
    """Each opens a stream, stays, and opens the next one when that is closed."""
    await stranger.side_by_side(VIEWERS, lambda number: watch(stranger, reads=number % 2 == 0))


async def watch(stranger: Stranger, *, reads: bool) -> None:
    """One stream, from its snapshot on."""
    keys = stranger.given.long
    reader, writer = await stranger.connect()
    if not reads:
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALL_BUFFER_BYTES)
    try:
        head = head_of(stranger, "GET", f"/v1/sessions/{keys.session_id}/events?token={keys.read_token}", 0)
        stranger.tally.sent_bytes += len(head)
        writer.write(head)
        async with asyncio.timeout(STAY_S):
            answer = await reader.readuntil(b"\r\n\r\n")
            status, _ = read_head(answer)
            if status != 200:
                body = await reader.read(1000)
                stranger.tally.answers[f"{status} {error_code(status, body)}".strip()] += 1
                await asyncio.sleep(1.0)
                return
            stranger.tally.answers["200"] += 1
            stranger.tally.acknowledged += 1
            if not reads:
                await asyncio.Event().wait()
            while data := await reader.read(READ_BYTES):
                stranger.tally.received_bytes += len(data)
        stranger.tally.answers["closed"] += 1
    except TimeoutError:
        stranger.tally.answers["left"] += 1
    finally:
        writer.transport.abort()
