"""A crowd that wants more than the machine carries: everybody asks for a session, again when told, and then speaks."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random

from benchmarks.capacity.driver import FRAME_SAMPLES
from benchmarks.capacity.seen import Seen
from benchmarks.capacity.undertone import STILL_S, Platform
from benchmarks.overload.watch import Crowd
from undertone.audio import SAMPLE_RATE
from undertone.errors import Refusal, TransientError
from undertone.recorder import Recorder
from undertone.session_keys import create_session

BEGIN_WITHIN_S = 10.0
FRAME_BYTES = 2 * FRAME_SAMPLES


@dataclass
class Offered:
    """The load that is offered until ``ends_s`` (monotonic), and what became of it."""

    platform: Platform
    pcms: Sequence[bytes]
    ends_s: float
    random: Random
    recorders: set[Recorder] = field(default_factory=set)
    asking: int = 0
    refused: int = 0
    admitted: int = 0
    failed: list[str] = field(default_factory=list)
    finished_s: float = 0.0

    def look(self) -> Crowd:
        """How it is now."""
        behind_ms = max((recorder.behind_ms or 0 for recorder in self.recorders), default=0)
        return Crowd(len(self.recorders), self.asking, self.refused, behind_ms / 1000)

    async def come(self, speakers: int) -> None:
        """Everybody, spread over some seconds, until all that was said is final."""
        async with asyncio.TaskGroup() as group:
            for number in range(speakers):
                group.create_task(self._take_part(number, BEGIN_WITHIN_S * number / speakers))

    async def _take_part(self, number: int, wait_s: float) -> None:
        await asyncio.sleep(wait_s)
        self.asking += 1
        try:
            recorder = await self._ask()
        finally:
            self.asking -= 1
        if recorder is None:
            return
        self.admitted += 1
        self.recorders.add(recorder)
        try:
            await self._speak(
                recorder, self.platform.viewer.seen[recorder.keys.session_id], self.pcms[number % len(self.pcms)]
            )
        except (Refusal, TransientError) as error:
            self.failed.append(str(error))
        finally:
            self.recorders.discard(recorder)
            await recorder.close()

    async def _ask(self) -> Recorder | None:
        while time.monotonic() < self.ends_s:
            try:
                keys = await create_session(self.platform.url, language="en")
            except Refusal as refusal:
                self.refused += 1
                wait_s = (refusal.retry_after_ms or 1000) / 1000 * (1 + self.random.random() / 4)
                await asyncio.sleep(min(wait_s, max(0.0, self.ends_s - time.monotonic())))
            else:
                self.platform.viewer.seen[keys.session_id] = Seen()
                return Recorder(self.platform.url, keys, language="en")
        return None

    async def _speak(self, recorder: Recorder, seen: Seen, pcm: bytes) -> None:
        seen.began_s, at = time.monotonic(), 0
        while time.monotonic() < self.ends_s:
            at += FRAME_BYTES
            await asyncio.sleep(max(0.0, seen.began_s + at / 2 / SAMPLE_RATE - time.monotonic()))
            start = (at - FRAME_BYTES) % (len(pcm) // FRAME_BYTES * FRAME_BYTES)
            await recorder.write(pcm[start : start + FRAME_BYTES])
        seen.stopped_s = time.monotonic()
        finished = await recorder.stop()
        seen.finished_s = self.finished_s = time.monotonic()
        seen.counted = finished.utterances
        await asyncio.sleep(STILL_S)


async def probe(platform: Platform, pcm: bytes, bar_s: float, within_s: float) -> float | None:
    """Seconds until a session is admitted whose first final comes within the bar; None if there is none in time."""
    began_s = time.monotonic()
    while time.monotonic() - began_s < within_s:
        try:
            keys = await create_session(platform.url, language="en")
        except Refusal:
            await asyncio.sleep(1.0)
            continue
        admitted_s = time.monotonic() - began_s
        seen = platform.viewer.seen[keys.session_id] = Seen(began_s=time.monotonic())
        recorder = Recorder(platform.url, keys, language="en")
        try:
            for start in range(0, len(pcm), FRAME_BYTES):
                if seen.finals:
                    break
                due_s = seen.began_s + (start + FRAME_BYTES) / 2 / SAMPLE_RATE
                await asyncio.sleep(max(0.0, due_s - time.monotonic()))
                await recorder.write(pcm[start : start + FRAME_BYTES])
            final = next(iter(seen.finals.values()), None)
            if final is not None and final.at_s - seen.began_s - final.end / SAMPLE_RATE < bar_s:
                return admitted_s
        finally:
            await recorder.close()
    return None
