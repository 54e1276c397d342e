"""The load: speakers paced in real time, begun over ten seconds so that they do not speak in step."""

import asyncio
import time
from collections.abc import Sequence

from benchmarks.capacity.seen import Seen
from benchmarks.capacity.systems import System
from benchmarks.materials import Material
from undertone.audio import SAMPLE_RATE, to_samples

FRAME_SAMPLES = to_samples(100)
BEGIN_WITHIN_S = 10.0


async def speak_all(system: System, materials: Sequence[Material]) -> list[Seen]:
    """All speakers at once, until the last has finished; what was seen of each."""
    apart_s = BEGIN_WITHIN_S / len(materials)
    async with asyncio.TaskGroup() as group:
        speaking = [group.create_task(speak(system, one, number * apart_s)) for number, one in enumerate(materials)]
    return [task.result() for task in speaking]


async def speak(system: System, material: Material, wait_s: float) -> Seen:
    """One speaker: a session from start to finished, paced in real time."""
    await asyncio.sleep(wait_s)
    async with system.open_session() as session:
        seen = session.seen
        seen.began_s = time.monotonic()
        step = 2 * FRAME_SAMPLES
        for start in range(0, len(material.pcm), step):
            due_s = seen.began_s + (start + step) / 2 / SAMPLE_RATE  # a frame can be sent once it has been spoken
            await asyncio.sleep(max(0.0, due_s - time.monotonic()))
            await session.write(material.pcm[start : start + step])
        seen.stopped_s = time.monotonic()
        await session.stop()
    return seen
