"""Opens and leaves streams of events with odd ids to go on from: each is looked up, waited for, or begun anew."""

import asyncio
import base64
from itertools import count

from benchmarks.hostile.stranger import Stranger, head_of, read_head

SIDE_BY_SIDE = 50
READ_BYTES = 2_000
IDS = ("", "0", "x" * 4000, "9" * 4000, "-1", ".", "é", base64.urlsafe_b64encode(bytes(600)).decode())


async def attack(stranger: Stranger) -> None:
    """Each stream is left as soon as its first bytes are there."""
    keys, turns = stranger.given.long, count()

    async def resume(_: int) -> None:
        last = IDS[next(turns) % len(IDS)]
        reader, writer = await stranger.connect()
        try:
            path = f"/v1/sessions/{keys.session_id}/events?token={keys.read_token}"
            head = head_of(stranger, "GET", path, 0, more=f"Last-Event-ID: {last}\r\n".encode())
            stranger.tally.sent_bytes += len(head)
            writer.write(head)
            async with asyncio.timeout(30):
                status = read_head(await reader.readuntil(b"\r\n\r\n"))[0]
                stranger.tally.answers[str(status)] += 1
                stranger.tally.acknowledged += status == 200
                stranger.tally.received_bytes += len(await reader.read(READ_BYTES))
        finally:
            writer.transport.abort()

    await stranger.side_by_side(SIDE_BY_SIDE, resume)
