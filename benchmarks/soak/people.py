"""Those who come and go: speakers with real speech in real time, and viewers."""

import asyncio
import time
from collections.abc import Sequence
from contextlib import suppress
from random import Random

import httpx

from undertone.audio import to_samples
from undertone.captions import read_stream
from undertone.errors import UndertoneError
from undertone.recorder import Recorder
from undertone.session_keys import create_session

FRAME_MS = 100
FRAME_BYTES = 2 * to_samples(FRAME_MS)
PAUSE_MS = 1400
REST_S = 5.0
SPEAK_S = (20.0, 90.0)
WATCH_S = (10.0, 90.0)


class People:
    """What they did; ``behind_ms`` is that of the recorder that is furthest behind."""

    def __init__(self, url: str, clips: Sequence[bytes], random: Random) -> None:
        self.sessions = self.utterances = self.visits = 0
        self.troubles: list[str] = []
        self._url = url
        self._clips = clips
        self._random = random
        self._recorders: set[Recorder] = set()

    @property
    def behind_ms(self) -> int:
        """Of those who speak now."""
        return max((recorder.behind_ms or 0 for recorder in self._recorders), default=0)

    async def speak_for_ever(self) -> None:
        """One session after the other, each for a while."""
        while True:
            try:
                await self._speak(self._random.uniform(*SPEAK_S))
            except UndertoneError as error:
                self.troubles.append(f"a recording ended: {error}")
            await asyncio.sleep(self._random.uniform(0, REST_S))

    async def watch_for_ever(self) -> None:
        """All sessions' events, for a while, then again; every other time from where it was."""
        last_id: str | None = None
        async with httpx.AsyncClient(base_url=self._url, timeout=httpx.Timeout(30)) as http:
            while True:
                headers = {"Last-Event-ID": last_id} if last_id and self._random.random() < 0.5 else {}
                with suppress(TimeoutError):
                    try:
                        async with (
                            asyncio.timeout(self._random.uniform(*WATCH_S)),
                            http.stream("GET", "/v1/events", headers=headers) as answer,
                        ):
                            async for event_id, _ in read_stream(answer):
                                last_id = event_id or last_id
                    except httpx.HTTPError as error:
                        self.troubles.append(f"a viewer was cut off: {error!r}")
                self.visits += 1
                await asyncio.sleep(self._random.uniform(0, 1))

    async def _speak(self, seconds: float) -> None:
        keys = await create_session(self._url, language="en", patience_s=60)
        recorder = Recorder(self._url, keys, language="en")
        self._recorders.add(recorder)
        try:
            began_s = time.monotonic()
            sent = 0
            while sent * FRAME_MS < seconds * 1000:
                speech = self._random.choice(self._clips) + bytes(2 * to_samples(PAUSE_MS))
                for start in range(0, len(speech), FRAME_BYTES):
                    await recorder.write(speech[start : start + FRAME_BYTES])
                    sent += 1
                    await asyncio.sleep(max(0.0, began_s + sent * FRAME_MS / 1000 - time.monotonic()))
            self.utterances += (await recorder.stop()).utterances
            self.sessions += 1
        finally:
            self._recorders.discard(recorder)
            await recorder.close()
