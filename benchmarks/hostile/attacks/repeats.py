"""Sends the same chunk of audio over HTTP without end: large ones for their bytes, small ones for their opens."""

import asyncio
import struct
from random import Random

from benchmarks.hostile.stranger import Stranger
from undertone.audio import to_samples

LARGE_SAMPLES, SMALL_SAMPLES = to_samples(10_000), to_samples(20)
HISS = struct.pack(f"<{LARGE_SAMPLES}h", *Random(1).choices(range(-9, 10), k=LARGE_SAMPLES))
SIDE_BY_SIDE = 8
REFUSED_REST_S = 0.5


async def attack(stranger: Stranger) -> None:
    """Half of the connections send large chunks, half small ones; each repeats in a session of its own.

    What is repeated was heard to its end before, and so is ahead of nothing.
    """

    async def resend(number: int) -> None:
        keys = await stranger.make_session()
        path = f"/v1/sessions/{keys.session_id}/audio?token={keys.write_token}"
        async with stranger.connection() as connection:
            for at in (0, LARGE_SAMPLES):
                await connection.ask("POST", path, struct.pack("<Q", at) + HISS)
            samples = SMALL_SAMPLES if number % 2 else LARGE_SAMPLES
            chunk = struct.pack("<Q", 0) + HISS[: 2 * samples]
            while True:
                answer = await connection.ask("POST", path, chunk)
                stranger.tally.acknowledged += answer.status == 200
                if answer.status != 200:
                    await asyncio.sleep(REFUSED_REST_S)

    await stranger.side_by_side(SIDE_BY_SIDE, resend)
