"""Asks for public addresses with 64 KiB of short headers, over many connections at once."""

from benchmarks.hostile.stranger import Stranger

SIDE_BY_SIDE = 50
HEADERS = b"a:\r\n" * 16_000


async def attack(stranger: Stranger) -> None:
    """No key is needed."""

    async def ask(_: int) -> None:
        async with stranger.connection() as connection:
            while True:
                answer = await connection.ask("GET", "/healthz", more=HEADERS)
                stranger.tally.acknowledged += answer.status == 200

    await stranger.side_by_side(SIDE_BY_SIDE, ask)
