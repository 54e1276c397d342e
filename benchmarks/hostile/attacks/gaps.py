"""Declares gaps of 20 ms: 16 sessions in real time, and a session made 20 hours ago as fast as they are taken."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from websockets.asyncio.client import ClientConnection

from benchmarks.hostile.stranger import Stranger, pace
from undertone.audio import to_samples

GAP_MS = 20
GAP_SAMPLES = to_samples(GAP_MS)
LIVE = 16
BURST = 50
FAR_SAMPLES = to_samples(20 * 3_600_000)


async def attack(stranger: Stranger) -> None:
    """Both at once."""
    reached = 0

    async def in_real_time(_: int) -> None:
        keys = await stranger.make_session()
        async with stranger.socket(keys) as socket, _reading(stranger, socket, 0):
            began_s, number = time.monotonic(), 0
            while True:
                number += 1
                await stranger.say(socket, "gap", next_sample=number * GAP_SAMPLES)
                await pace(began_s, number, GAP_MS / 1000)

    async def at_once() -> None:
        nonlocal reached
        at = reached
        async with stranger.socket(stranger.given.old, at) as socket, _reading(stranger, socket, at) as last:
            try:
                while at < FAR_SAMPLES:
                    for _ in range(BURST):
                        at += GAP_SAMPLES
                        await stranger.say(socket, "gap", next_sample=at)
                    await asyncio.sleep(0)
            finally:
                reached = max(reached, *last)

    async with asyncio.TaskGroup() as group:
        group.create_task(stranger.side_by_side(LIVE, in_real_time))
        group.create_task(stranger.repeat(at_once))


@asynccontextmanager
async def _reading(stranger: Stranger, socket: ClientConnection, at: int) -> AsyncIterator[list[int]]:
    """Reads acknowledgements meanwhile; the list holds the sample that the last one reached."""
    last = [at]

    async def read() -> None:
        async for text in socket:
            message = json.loads(text)
            if message["type"] == "ack":
                stranger.tally.acknowledged += (message["next_sample"] - last[0]) // GAP_SAMPLES
                last[0] = message["next_sample"]
            elif message["type"] == "error":
                stranger.tally.answers[f"error {message['code']}"] += 1

    reading = asyncio.create_task(read())
    try:
        yield last
    finally:
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)
