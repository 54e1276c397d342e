"""Takes over one's own sessions from oneself: two sockets of each, and the one that is closed opens at once again."""

import asyncio

from benchmarks.hostile.stranger import Stranger

SESSIONS = 8
SOCKETS = 2


async def attack(stranger: Stranger) -> None:
    """Every ``start`` is a record in the log and a handshake at the server."""
    made = [asyncio.create_task(stranger.make_session()) for _ in range(SESSIONS)]

    async def take_over(number: int) -> None:
        keys = await made[number % SESSIONS]
        async with stranger.socket(keys) as socket:
            stranger.tally.acknowledged += 1
            async for _ in socket:
                pass

    await stranger.side_by_side(SESSIONS * SOCKETS, take_over)
