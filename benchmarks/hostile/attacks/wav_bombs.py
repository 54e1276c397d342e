"""Uploads small files that decode to gigabytes: a WAV of 20 kB at 199,999,991 Hz first of all."""

from benchmarks.hostile.stranger import Stranger
from tests.bombs import BOMBS, make_wav

FILES = (make_wav(199_999_991, 1, bytes(20_000)), *BOMBS.values())
SIDE_BY_SIDE = 2
ANSWER_WITHIN_S = 600.0


async def attack(stranger: Stranger) -> None:
    """Send all of them in turn, each to a new session where the one before was used up."""

    async def upload(number: int) -> None:
        keys = await stranger.make_session()
        async with stranger.connection() as connection:
            for file in FILES[number:] + FILES[:number]:
                path = f"/v1/sessions/{keys.session_id}/file?token={keys.write_token}"
                answer = await connection.ask("POST", path, file, within_s=ANSWER_WITHIN_S)
                stranger.tally.acknowledged += answer.status == 200
                if answer.status not in {413, 415, 422}:
                    return

    await stranger.side_by_side(SIDE_BY_SIDE, upload)
