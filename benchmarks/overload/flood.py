"""What a flood does to those who speak: their delays alone, then beside recorders that send as fast as they are let."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.capacity.delays import known, measure_utterances
from benchmarks.capacity.driver import FRAME_SAMPLES
from benchmarks.capacity.seen import Seen
from benchmarks.capacity.undertone import STILL_S, Platform
from undertone.audio import SAMPLE_RATE
from undertone.recorder import Recorder
from undertone.session_keys import create_session

FRAME_BYTES = 2 * FRAME_SAMPLES


@dataclass(frozen=True)
class Beside:
    """Delays of those who speak, sorted, and how much of the flood was heard meanwhile, in times real time."""

    floods: int
    final_s: list[float]
    shown_s: list[float]
    flood_speed: float


async def speak_beside(platform: Platform, pcms: Sequence[bytes], floods: int) -> Beside:
    """Those who speak, one for each of ``pcms``, in real time and to the end, beside so many floods."""
    began_s = time.monotonic()
    flooding = [asyncio.create_task(_flood(platform, pcms[number % len(pcms)])) for number in range(floods)]
    try:
        seen = await asyncio.gather(*(_speak(platform, pcm) for pcm in pcms))
    finally:
        for task in flooding:
            task.cancel()
        await asyncio.gather(*flooding, return_exceptions=True)
    heard = sum(_heard(one) for one in platform.viewer.seen.values() if not any(one is each for each in seen))
    took_s = time.monotonic() - began_s
    platform.viewer.seen.clear()
    delays = [delay for one in seen for delay in measure_utterances(one)[0]]
    return Beside(
        floods=floods,
        final_s=sorted(known([delay.final_s for delay in delays])),
        shown_s=sorted(known([delay.shown_s for delay in delays])),
        flood_speed=heard / SAMPLE_RATE / took_s,
    )


async def _speak(platform: Platform, pcm: bytes) -> Seen:
    keys = await create_session(platform.url, language="en")
    seen = platform.viewer.seen[keys.session_id] = Seen(began_s=time.monotonic())
    recorder = Recorder(platform.url, keys, language="en")
    try:
        for start in range(0, len(pcm), FRAME_BYTES):
            due_s = seen.began_s + (start + FRAME_BYTES) / 2 / SAMPLE_RATE
            await asyncio.sleep(max(0.0, due_s - time.monotonic()))
            await recorder.write(pcm[start : start + FRAME_BYTES])
        await recorder.stop()
        await asyncio.sleep(STILL_S)
    finally:
        await recorder.close()
    return seen


async def _flood(platform: Platform, pcm: bytes) -> None:
    """The same again and again, as fast as it is taken, until cancelled."""
    keys = await create_session(platform.url, language="en")
    platform.viewer.seen[keys.session_id] = Seen()
    recorder = Recorder(platform.url, keys, language="en", keep_samples=60 * SAMPLE_RATE)
    try:
        while True:
            for start in range(0, len(pcm), FRAME_BYTES):
                await recorder.write(pcm[start : start + FRAME_BYTES])
    finally:
        await recorder.close()


def _heard(seen: Seen) -> int:
    return max((final.end for final in seen.finals.values()), default=0)
