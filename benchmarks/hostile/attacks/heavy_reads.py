"""Reads the largest answers that a session's read token opens, in four loops."""

from benchmarks.hostile.stranger import Stranger

SIDE_BY_SIDE = 4
PATHS = ("windows?limit=5000&", "windows?limit=5000&", "windows?limit=5000&", "export?format=json&")


async def attack(stranger: Stranger) -> None:
    """Each loop asks again as soon as it has the answer."""
    keys = stranger.given.long

    async def read(number: int) -> None:
        async with stranger.connection() as connection:
            while True:
                path = f"/v1/sessions/{keys.session_id}/{PATHS[number]}token={keys.read_token}"
                answer = await connection.ask("GET", path)
                stranger.tally.acknowledged += answer.status == 200

    await stranger.side_by_side(SIDE_BY_SIDE, read)
