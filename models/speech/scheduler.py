"""The order in which utterances are decoded: finals first and oldest first, then speculations, then partials.

Pure but for the engine and its threads: one thread per replica, batch 1, so what one session says never changes what
another session's samples become.
"""

import asyncio
import itertools
import time
from concurrent.futures import ThreadPoolExecutor
from enum import IntEnum

import numpy as np

from models.speech.engines import Hearing, SpeechEngine
from models.speech.segmenter import Samples
from undertone.audio import SAMPLE_RATE


class Urgency(IntEnum):
    """Lower goes first."""

    FINAL = 0
    SPECULATION = 1
    PARTIAL = 2


class Decode:
    """One decode that was asked for; await ``hearing``. Cancelling it before it starts costs nothing."""

    def __init__(self, samples: Samples, language: str | None, urgency: Urgency) -> None:
        self.samples = samples
        self.language = language
        self.urgency = urgency
        self.started = False
        self.hearing: asyncio.Future[Hearing] = asyncio.get_running_loop().create_future()

    @property
    def seconds(self) -> float:
        """Seconds of audio to decode."""
        return len(self.samples) / SAMPLE_RATE


class Scheduler:
    """Decodes with one engine on ``replicas`` threads."""

    def __init__(self, engine: SpeechEngine, replicas: int) -> None:
        self.engine = engine
        self._replicas = replicas
        self._threads = ThreadPoolExecutor(replicas, "whisper")
        self._queue: asyncio.PriorityQueue[tuple[int, int, Decode]] = asyncio.PriorityQueue()
        self._numbers = itertools.count()
        self._waiting: set[Decode] = set()
        self._running = 0
        self._workers: list[asyncio.Task[None]] = []
        self._heard_s = 0.0
        self._busy_s = 0.0

    def start(self) -> None:
        """Begin to decode."""
        self._workers = [asyncio.create_task(self._work()) for _ in range(self._replicas)]

    async def stop(self) -> None:
        """Stop; what has not started is never decoded."""
        for worker in self._workers:
            worker.cancel()
        await asyncio.gather(*self._workers, return_exceptions=True)
        self._threads.shutdown(wait=False, cancel_futures=True)

    def submit(self, samples: Samples, language: str | None, urgency: Urgency) -> Decode:
        """Ask for a decode of int16 samples; ``language`` None detects it."""
        decode = Decode(samples, language, urgency)
        self._waiting.add(decode)
        self._queue.put_nowait((urgency, next(self._numbers), decode))
        return decode

    def promote(self, decode: Decode, urgency: Urgency) -> None:
        """Let a waiting decode go before others; one that runs or is done is left alone."""
        if urgency < decode.urgency and decode in self._waiting:
            decode.urgency = urgency
            self._queue.put_nowait((urgency, next(self._numbers), decode))

    @property
    def has_room(self) -> bool:
        """Whether a decode asked for now would start now."""
        return self._running + len(self._waiting) < self._replicas

    @property
    def backlog_s(self) -> float:
        """Seconds of audio in finals that wait."""
        return sum(decode.seconds for decode in self._waiting if decode.urgency == Urgency.FINAL)

    @property
    def speed(self) -> float | None:
        """Seconds of audio heard per second of one busy replica, since the start; None before the first decode."""
        return self._heard_s / self._busy_s if self._busy_s else None

    async def _work(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            _, _, decode = await self._queue.get()
            if decode not in self._waiting:
                continue  # promoted, and already taken under its other place in the queue
            self._waiting.discard(decode)
            if decode.hearing.cancelled():
                continue
            samples = decode.samples.astype(np.float32) / 32768.0
            self._running += 1
            began_s = time.monotonic()
            try:
                hearing = await loop.run_in_executor(self._threads, self.engine.transcribe, samples, decode.language)
            except Exception as error:  # noqa: BLE001 - whoever asked decides what a failure means
                if not decode.hearing.done():
                    decode.hearing.set_exception(error)
            else:
                if not decode.hearing.done():
                    decode.hearing.set_result(hearing)
            finally:
                self._running -= 1
                self._busy_s += time.monotonic() - began_s
                self._heard_s += decode.seconds
