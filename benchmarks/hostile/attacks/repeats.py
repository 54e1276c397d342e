"""Sends the same chunk of audio over HTTP without end: large ones for their bytes, small ones for their opens."""

import struct
from random import Random

from benchmarks.hostile.stranger import Stranger
from undertone.audio import to_samples

LARGE = struct.pack("<Q", 0) + Random(1).randbytes(2 * to_samples(10_000))
SMALL = struct.pack("<Q", 0) + bytes(2 * to_samples(20))
SIDE_BY_SIDE = 8


async def attack(stranger: Stranger) -> None:
    """Half of the connections send large chunks, half small ones; each repeats in a session of its own."""

    async def resend(number: int) -> None:
        keys = await stranger.make_session()
        path = f"/v1/sessions/{keys.session_id}/audio?token={keys.write_token}"
        async with stranger.connection() as connection:
            while True:
                answer = await connection.ask("POST", path, SMALL if number % 2 else LARGE)
                stranger.tally.acknowledged += answer.status == 200

    await stranger.side_by_side(SIDE_BY_SIDE, resend)
