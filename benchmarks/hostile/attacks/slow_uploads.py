"""Occupies the places for files: eight uploads at 4.2 kB/s, and two FLACs of 350 kB with 24 hours of silence."""

import asyncio
import time

from benchmarks.hostile.stranger import Stranger, head_of, pace
from tests.bombs import LARGEST_BLOCK, make_flac, make_wav
from undertone.audio import SAMPLE_RATE

SLOW = 8
SLOW_BYTES_PER_S = 4_200
STEP_S = 0.2
LONG = 2
DAY = make_flac(SAMPLE_RATE, 24 * 3600 * SAMPLE_RATE // LARGEST_BLOCK)
TALK = make_wav(SAMPLE_RATE, 1, bytes(5_000_000))
ANSWER_WITHIN_S = 1800.0


async def attack(stranger: Stranger) -> None:
    """The long ones first, since each needs a place to arrive as well."""

    async def upload(number: int) -> None:
        keys = await stranger.make_session()
        path = f"/v1/sessions/{keys.session_id}/file?token={keys.write_token}"
        async with stranger.connection() as connection:
            if number < LONG:
                answer = await connection.ask("POST", path, DAY, within_s=ANSWER_WITHIN_S)
                stranger.tally.acknowledged += answer.status == 200
                await asyncio.sleep(1.0)
                return
            await asyncio.sleep(2.0)
            connection.send(head_of(stranger, "POST", path, len(TALK)))
            answering = asyncio.create_task(connection.answer())
            try:
                began_s, step = time.monotonic(), round(SLOW_BYTES_PER_S * STEP_S)
                for start in range(0, len(TALK), step):
                    if answering.done():
                        break
                    connection.send(TALK[start : start + step])
                    await pace(began_s, start // step, STEP_S)
                stranger.tally.acknowledged += (await answering).status == 200
            finally:
                answering.cancel()
        await asyncio.sleep(1.0)

    await stranger.side_by_side(LONG + SLOW, upload)
