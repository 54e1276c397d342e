"""Honest speakers: each records the same speech in real time in every round, and a viewer of its session measures."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import httpx

from benchmarks.capacity.delays import known, measure_utterances
from benchmarks.capacity.seen import Seen
from benchmarks.capacity.undertone import STILL_S, note
from benchmarks.hostile.figures import Final, Spoken
from benchmarks.materials import Material
from benchmarks.platform import read_utterances
from undertone.audio import BYTES_PER_SAMPLE, SAMPLE_RATE, to_samples
from undertone.captions import read_stream
from undertone.errors import UndertoneError
from undertone.recorder import Finished, Recorder
from undertone.session_keys import SessionKeys, create_session

FRAME_SAMPLES = to_samples(100)
FRAME_BYTES = BYTES_PER_SAMPLE * FRAME_SAMPLES
LOOK_EVERY_S = 0.005
FINISHED_WITHIN_S = 120.0
STORED_WITHIN_S = 180.0
AGAIN_AFTER_S = 0.1
MADE_WITHIN_S = 600.0  # a round before may have left audio that waits
SILENT_FOR_S = 40.0


@dataclass
class Speaker:
    """One speaker in one round: ``speak`` records, ``report`` gathers what came of it once the attackers are gone."""

    url: str
    keys: SessionKeys
    material: Material
    seen: Seen = field(default_factory=Seen)
    acks_s: list[float] = field(default_factory=list)
    acknowledged: int = 0
    finished: Finished | None = None
    trouble: str | None = None

    async def speak(self, wait_s: float) -> None:
        """Record all of it in real time, and wait until it is final, for two minutes at most."""
        await asyncio.sleep(wait_s)
        following = asyncio.create_task(follow(self.url, self.keys, self.seen))
        recorder = Recorder(self.url, self.keys, language="en")
        self.seen.began_s = time.monotonic()
        looking = asyncio.create_task(self._look(recorder))
        try:
            pcm = self.material.pcm
            for start in range(0, len(pcm), FRAME_BYTES):
                due_s = self.seen.began_s + (start + FRAME_BYTES) / BYTES_PER_SAMPLE / SAMPLE_RATE
                await asyncio.sleep(max(0.0, due_s - time.monotonic()))
                await recorder.write(pcm[start : start + FRAME_BYTES])
            async with asyncio.timeout(FINISHED_WITHIN_S):
                self.finished = await recorder.stop()
            await asyncio.sleep(STILL_S)
        except (UndertoneError, TimeoutError) as error:
            self.trouble = f"{type(error).__name__}: {error}"
        finally:
            self.acknowledged = recorder.acknowledged
            for task in (looking, following):
                task.cancel()
            await recorder.close()
            await asyncio.gather(looking, following, return_exceptions=True)

    async def report(self) -> Spoken:
        """What was sent, acknowledged, heard, stored and shown."""
        delays = measure_utterances(self.seen)[0]
        finals = await self._stored()
        return Spoken(
            sent=len(self.material.pcm) // BYTES_PER_SAMPLE,
            acknowledged=self.acknowledged,
            heard=None if self.finished is None else self.finished.samples,
            counted=None if self.finished is None else self.finished.utterances,
            finals=finals,
            final_s=tuple(known([delay.final_s for delay in delays])),
            shown_s=tuple(known([delay.shown_s for delay in delays])),
            ack_s=tuple(self.acks_s),
            unseen=max(0, len(finals) - len(self.seen.finals)),
            trouble=self.trouble,
        )

    async def _look(self, recorder: Recorder) -> None:
        """Note how long after it was due each frame was acknowledged."""
        frames = 0
        while True:
            now_s = time.monotonic()
            while (frames + 1) * FRAME_SAMPLES <= recorder.acknowledged:
                frames += 1
                self.acks_s.append(now_s - self.seen.began_s - frames * FRAME_SAMPLES / SAMPLE_RATE)
            await asyncio.sleep(LOOK_EVERY_S)

    async def _stored(self) -> tuple[Final, ...]:
        """The utterances in the history; none where it does not have all of them in time."""
        counted = self.finished.utterances if self.finished else 0
        with suppress(TimeoutError):
            async with asyncio.timeout(STORED_WITHIN_S):
                while True:
                    with suppress(httpx.HTTPError):
                        found = await read_utterances(self.url, self.keys, counted, STORED_WITHIN_S)
                        return tuple(map(_final, found))
                    await asyncio.sleep(AGAIN_AFTER_S)
        return ()


def _final(item: Mapping[str, Any]) -> Final:
    return item["first_sample"], item["end_sample"], "" if item["quality"]["suppressed"] else item["text"]


async def make_speakers(url: str, key: str, materials: Sequence[Material]) -> list[Speaker]:
    """A speaker with a new session for each material."""
    return [
        Speaker(url, await create_session(url, language="en", credential=key, patience_s=MADE_WITHIN_S), material)
        for material in materials
    ]


async def follow(url: str, keys: SessionKeys, seen: Seen) -> None:
    """Note what a viewer of the session sees, until cancelled; it comes back with its last id, as browsers do."""
    last_id: str | None = None
    path = f"/v1/sessions/{keys.session_id}/events"
    async with httpx.AsyncClient(base_url=url, timeout=SILENT_FOR_S) as http:
        while True:
            with suppress(httpx.HTTPError):
                headers = {"Last-Event-ID": last_id} if last_id else {}
                async with http.stream("GET", path, params={"token": keys.read_token}, headers=headers) as answer:
                    async for event_id, event in read_stream(answer):
                        last_id = event_id or last_id
                        held = event["utterances"] if event["type"] == "snapshot" else [event]
                        for each in held:
                            if event["type"] != "snapshot" or each["utterance_id"] not in seen.finals:
                                note(seen, time.monotonic(), each)
            await asyncio.sleep(AGAIN_AFTER_S)
