"""The order in which utterances are decoded: finals first and oldest first, then speculations, then partials.

Pure but for the engine and its threads: one thread per replica, batch 1, so what one session says never changes what
another session's samples become.
"""

import asyncio
import itertools
import math
import time
from collections.abc import Callable
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
    """One decode that was asked for, of so many ``seconds``; await ``hearing``. Cancelled before it starts, it is
    never decoded, and its samples are let go at once.
    """

    def __init__(self, samples: Samples, language: str | None, urgency: Urgency) -> None:
        self.samples = samples
        self.seconds = len(samples) / SAMPLE_RATE
        self.language = language
        self.urgency = urgency
        self.hearing: asyncio.Future[Hearing] = asyncio.get_running_loop().create_future()


class Load:
    """How busy the replicas were of late: an exponential mean, in which a moment weighs 1/e after ``memory_s``."""

    def __init__(self, replicas: int, memory_s: float = 4.0) -> None:
        self._replicas = replicas
        self._memory_s = memory_s
        self._load = 0.0
        self._since_s: float | None = None

    def at(self, now_s: float, running: int) -> float:
        """The load at ``now_s``, with ``running`` decodes under way since the last call."""
        if self._since_s is not None:
            kept = math.exp(-(now_s - self._since_s) / self._memory_s)
            self._load = kept * self._load + (1 - kept) * running / self._replicas
        self._since_s = now_s
        return self._load


class Pace:
    """How long decodes take of late, whoever else wants the processor: an exponential mean over decodes.

    A decode costs a part that is the same for all (the least window) and a part by its length: for Whisper base about
    as much as four more seconds. The first guess is for that model on one core; it is forgotten after some decodes.
    """

    FIXED_S = 4.0
    FIRST_GUESS = 0.03
    WEIGHT = 0.05

    def __init__(self) -> None:
        self._pace = self.FIRST_GUESS

    def note(self, seconds: float, took_s: float) -> None:
        """A decode of so many seconds of audio took so long."""
        self._pace += self.WEIGHT * (took_s / (self.FIXED_S + seconds) - self._pace)

    def expected_s(self, seconds: float) -> float:
        """How long a decode of so many seconds of audio will take once it has begun."""
        return self._pace * (self.FIXED_S + seconds)


class Scheduler:
    """Decodes with one engine on ``replicas`` threads. ``on_decoded`` hears of each decode and its seconds."""

    def __init__(
        self,
        engine: SpeechEngine,
        replicas: int,
        on_decoded: Callable[[Urgency, float], None] = lambda _urgency, _seconds: None,
    ) -> None:
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
        self._on_decoded = on_decoded
        self._load = Load(replicas)
        self.pace = Pace()

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
        decode.hearing.add_done_callback(lambda _: self._let_go(decode))
        return decode

    def promote(self, decode: Decode, urgency: Urgency) -> None:
        """Let a waiting decode go before others; one that runs or is done is left alone."""
        if urgency < decode.urgency and decode in self._waiting:
            decode.urgency = urgency
            self._queue.put_nowait((urgency, next(self._numbers), decode))

    def drop(self, decode: Decode) -> None:
        """Nobody waits for this decode any more: it is not begun, if it has not begun yet."""
        if decode in self._waiting:
            decode.hearing.cancel()
            self._let_go(decode)

    @property
    def load(self) -> float:
        """The share of the replicas' time that was used of late, 0 to 1."""
        return self._load.at(time.monotonic(), self._running)

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

    def _let_go(self, decode: Decode) -> None:
        """It waits no more. Its place in the queue stays until it is reached, so the samples must not hang on it."""
        self._waiting.discard(decode)
        decode.samples = decode.samples[:0].copy()

    async def _work(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            _, _, decode = await self._queue.get()
            if decode not in self._waiting or decode.hearing.cancelled():
                continue  # dropped, or promoted and already taken under its other place in the queue
            samples = decode.samples.astype(np.float32) / 32768.0
            self._let_go(decode)
            began_s = time.monotonic()
            self._load.at(began_s, self._running)
            self._running += 1
            try:
                hearing = await loop.run_in_executor(self._threads, self.engine.transcribe, samples, decode.language)
            except Exception as error:  # noqa: BLE001 - whoever asked decides what a failure means
                if not decode.hearing.done():
                    decode.hearing.set_exception(error)
            else:
                if not decode.hearing.done():
                    decode.hearing.set_result(hearing)
            finally:
                ended_s = time.monotonic()
                self._load.at(ended_s, self._running)
                self._running -= 1
                self._busy_s += ended_s - began_s
                self._heard_s += decode.seconds
                self.pace.note(decode.seconds, ended_s - began_s)
                self._on_decoded(decode.urgency, ended_s - began_s)
