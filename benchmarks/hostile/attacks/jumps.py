"""Jumps to the end of a day in new sessions: ``stop``, ``start`` and chunks with a far ``next_sample``."""

import struct
from itertools import count

from benchmarks.hostile.stranger import Stranger
from undertone.audio import to_samples
from undertone.session_keys import SessionKeys

FAR_SAMPLES = to_samples(24 * 3_600_000)
CHUNK_SAMPLES = to_samples(100)
SIDE_BY_SIDE = 3


async def attack(stranger: Stranger) -> None:
    """As many new sessions as the key may make; of each the three ways in turn."""
    turns = count()

    async def jump(_: int) -> None:
        keys = await stranger.make_session()
        ways = (_stop, _start, _chunk)
        await ways[next(turns) % len(ways)](stranger, keys)

    await stranger.side_by_side(SIDE_BY_SIDE, jump)


async def _stop(stranger: Stranger, keys: SessionKeys) -> None:
    async with stranger.connection() as connection:
        path = f"/v1/sessions/{keys.session_id}/stop?token={keys.write_token}&next_sample={FAR_SAMPLES}"
        answer = await connection.ask("POST", path)
        stranger.tally.acknowledged += answer.status < 300


async def _start(stranger: Stranger, keys: SessionKeys) -> None:
    async with stranger.socket(keys, FAR_SAMPLES) as socket:
        stranger.tally.acknowledged += 1
        await stranger.say(socket, "stop")
        async for _ in socket:
            pass


async def _chunk(stranger: Stranger, keys: SessionKeys) -> None:
    async with stranger.connection() as connection:
        path = f"/v1/sessions/{keys.session_id}/audio?token={keys.write_token}"
        for far in (FAR_SAMPLES // 2, FAR_SAMPLES - CHUNK_SAMPLES):
            answer = await connection.ask("POST", path, struct.pack("<Q", far) + bytes(2 * CHUNK_SAMPLES))
            stranger.tally.acknowledged += answer.status == 200
