"""Sends the smallest WebSocket frames, ten thousand in one write: each costs the server far more than the sender."""

import asyncio
import json

from benchmarks.hostile.stranger import READ_BYTES, Stranger, error_code, read_head
from undertone.session_keys import SessionKeys

SOCKETS = 8
FRAMES = 10_000
MASK = bytes(4)  # of zeros, so that the bytes are the same masked and not
PING = b"\x89\x80" + MASK
FRAGMENTS = b"\x01\x80" + MASK + (b"\x00\x80" + MASK) * 900 + b"\x80\x80" + MASK
CONTROL = b'{"type":"ping"}'
MESSAGE = bytes([0x81, 0x80 | len(CONTROL)]) + MASK + CONTROL
KINDS = (PING * FRAMES, FRAGMENTS * (FRAMES // 900), MESSAGE * FRAMES)


async def attack(stranger: Stranger) -> None:
    """All answers are read, so that nothing waits for the sockets at the server."""

    async def flood(number: int) -> None:
        keys = await stranger.make_session()
        reader, writer = await stranger.connect()
        reading: asyncio.Task[None] | None = None
        try:
            if not await _shake_hands(stranger, keys, reader, writer):
                return
            reading = asyncio.create_task(_read(stranger, reader))
            while not reading.done():
                data = KINDS[number % len(KINDS)]
                writer.write(data)
                await writer.drain()
                stranger.tally.sent_bytes += len(data)
                await asyncio.sleep(0)
        finally:
            if reading is not None:
                reading.cancel()
            writer.transport.abort()

    await stranger.side_by_side(SOCKETS, flood)


async def _shake_hands(
    stranger: Stranger, keys: SessionKeys, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> bool:
    """Become a WebSocket and send ``start``; whether the server agreed."""
    lines = (
        f"GET /v1/sessions/{keys.session_id}/audio?token={keys.write_token} HTTP/1.1",
        f"Host: {stranger.host}",
        "Upgrade: websocket",
        "Connection: Upgrade",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        "Sec-WebSocket-Version: 13",
    )
    writer.write(("\r\n".join(lines) + "\r\n\r\n").encode())
    status, _ = read_head(await reader.readuntil(b"\r\n\r\n"))
    if status != 101:
        stranger.tally.answers[f"{status} {error_code(status, await reader.read(1000))}".strip()] += 1
        return False
    start = json.dumps({"type": "start", "sample_rate": 16_000, "encoding": "pcm_s16le"}).encode()
    writer.write(bytes([0x81, 0x80 | len(start)]) + MASK + start)
    stranger.tally.answers["101"] += 1
    stranger.tally.acknowledged += 1
    return True


async def _read(stranger: Stranger, reader: asyncio.StreamReader) -> None:
    while data := await reader.read(READ_BYTES):
        stranger.tally.received_bytes += len(data)
    stranger.tally.answers["closed"] += 1
