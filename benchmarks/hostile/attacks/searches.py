"""Searches for 32 beginnings of words that nearly every text has, 500 hits a page."""

from urllib.parse import quote

from benchmarks.hostile.stranger import Stranger

SIDE_BY_SIDE = 10
WORDS = quote("a* b* c* f* g* h* i* l* m* n* o* p* r* s* t* w*")


async def attack(stranger: Stranger) -> None:
    """With the read token of a long session, so that every hit is marked."""
    keys = stranger.given.long

    async def search(_: int) -> None:
        async with stranger.connection() as connection:
            while True:
                path = f"/v1/sessions/{keys.session_id}/search?token={keys.read_token}&limit=500&q={WORDS}"
                answer = await connection.ask("GET", path)
                stranger.tally.acknowledged += answer.status == 200

    await stranger.side_by_side(SIDE_BY_SIDE, search)
