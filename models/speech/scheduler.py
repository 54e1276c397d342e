"""The order in which utterances are decoded: finals that are due, the one due longest first; then speculations, then
partials; last the finals of sessions that came faster than anybody speaks.

Pure but for the engine and its threads: one thread per replica, batch 1, so what one session says never changes what
another session's samples become.
"""

import asyncio
import math
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from enum import IntEnum

import numpy as np

from models.speech.engines import Hearing, SpeechEngine
from models.speech.segmenter import Samples
from undertone.audio import SAMPLE_RATE
from undertone.background import BackgroundTasks, OnFailure, terminate


class Urgency(IntEnum):
    """Lower goes first."""

    FINAL = 0
    SPECULATION = 1
    PARTIAL = 2


DEMAND_MEMORY_S = 8.0
USUAL_S = 6.0
# A final that is due so soon counts as due: the network's jitter makes nobody a flood.
DUE_WITHIN_S = 1.0


class Decode:
    """One decode that was asked for, of so many ``seconds``; await ``hearing``. Cancelled before it starts, it is
    never decoded, and its samples are let go at once. ``due_s`` is monotonic.
    """

    def __init__(self, samples: Samples, language: str | None, urgency: Urgency, due_s: float) -> None:
        self.samples = samples
        self.seconds = len(samples) / SAMPLE_RATE
        self.language = language
        self.urgency = urgency
        self.due_s = due_s
        self.hearing: asyncio.Future[Hearing] = asyncio.get_running_loop().create_future()

    def is_ahead(self, now_s: float) -> bool:
        """Whether it can wait: a final that is not due yet."""
        return self.urgency == Urgency.FINAL and self.due_s > now_s + DUE_WITHIN_S

    def place(self, now_s: float) -> tuple[int, float]:
        """Lower goes first. What can wait goes behind everything, until it is due: so nothing waits for ever."""
        return (len(Urgency) if self.is_ahead(now_s) else self.urgency, self.due_s)


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
    """Decodes with one engine on ``replicas`` threads. ``on_decoded`` hears of each decode and its seconds.

    ``on_failure`` ends the process if a replica's task ends by itself: what waits for it would wait without end.
    """

    def __init__(
        self,
        engine: SpeechEngine,
        replicas: int,
        on_decoded: Callable[[Urgency, float], None] = lambda _urgency, _seconds: None,
        on_failure: OnFailure = terminate,
    ) -> None:
        self._background = BackgroundTasks(on_failure)
        self.engine = engine
        self.replicas = replicas
        self._threads = ThreadPoolExecutor(replicas, "whisper")
        self._waiting: dict[Decode, None] = {}  # in the order in which they were asked for
        self._asked = asyncio.Event()
        self._running: set[Decode] = set()
        self._on_decoded = on_decoded
        self._load = Load(replicas)
        self._demand = Load(replicas, DEMAND_MEMORY_S)
        self.pace = Pace()

    def start(self) -> None:
        """Begin to decode."""
        for number in range(self.replicas):
            self._background.start(f"decode on replica {number}", self._work())

    async def stop(self) -> None:
        """Stop; what has not started is never decoded."""
        await self._background.stop()
        self._threads.shutdown(wait=False, cancel_futures=True)

    def submit(self, samples: Samples, language: str | None, urgency: Urgency, due_s: float | None = None) -> Decode:
        """Ask for a decode of int16 samples, due at ``due_s`` (None: now); ``language`` None detects it."""
        decode = Decode(samples, language, urgency, time.monotonic() if due_s is None else due_s)
        self._waiting[decode] = None
        self._asked.set()
        decode.hearing.add_done_callback(lambda _: self._let_go(decode))
        return decode

    def promote(self, decode: Decode, urgency: Urgency, due_s: float) -> None:
        """Let a waiting decode go before others; one that runs or is done is left alone."""
        if urgency < decode.urgency and decode in self._waiting:
            decode.urgency, decode.due_s = urgency, due_s

    def drop(self, decode: Decode) -> None:
        """Nobody waits for this decode any more: it is not begun, if it has not begun yet."""
        if decode in self._waiting:
            decode.hearing.cancel()
            self._let_go(decode)

    @property
    def load(self) -> float:
        """The share of the replicas' time that was used of late, 0 to 1, but for what could wait."""
        now_s = time.monotonic()
        return self._load.at(now_s, self._pressing(now_s))

    @property
    def demand(self) -> float:
        """As ``load``, over a longer time and without partials: what is left of 1 is room for more sessions."""
        now_s = time.monotonic()
        return self._demand.at(now_s, self._needed(now_s))

    @property
    def has_room(self) -> bool:
        """Whether a decode asked for now would start as soon as what can wait lets it."""
        now_s = time.monotonic()
        waiting = sum(not decode.is_ahead(now_s) for decode in self._waiting)
        return self._pressing(now_s) + waiting < self.replicas

    @property
    def backlog_s(self) -> float:
        """Seconds of audio in finals that wait and are due."""
        now_s = time.monotonic()
        finals = (decode for decode in self._waiting if decode.urgency == Urgency.FINAL)
        return sum(decode.seconds for decode in finals if not decode.is_ahead(now_s))

    @property
    def speed(self) -> float:
        """Seconds of audio that one busy replica hears in a second, of late, in utterances of a usual length."""
        return USUAL_S / self.pace.expected_s(USUAL_S)

    def _pressing(self, now_s: float) -> int:
        return sum(not decode.is_ahead(now_s) for decode in self._running)

    def _needed(self, now_s: float) -> int:
        return sum(not decode.is_ahead(now_s) for decode in self._running if decode.urgency != Urgency.PARTIAL)

    def _let_go(self, decode: Decode) -> None:
        """It waits no more, and its samples are not kept for whoever still holds it."""
        self._waiting.pop(decode, None)
        decode.samples = decode.samples[:0].copy()

    def _note_load(self, now_s: float) -> None:
        self._load.at(now_s, self._pressing(now_s))
        self._demand.at(now_s, self._needed(now_s))

    async def _next(self) -> Decode:
        while not self._waiting:
            self._asked.clear()
            await self._asked.wait()
        now_s = time.monotonic()
        return min(self._waiting, key=lambda decode: decode.place(now_s))

    async def _work(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            decode = await self._next()
            samples = decode.samples.astype(np.float32) / 32768.0
            self._let_go(decode)
            if decode.hearing.cancelled():
                continue
            began_s = time.monotonic()
            self._note_load(began_s)
            self._running.add(decode)
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
                self._note_load(ended_s)
                self._running.discard(decode)
                self.pace.note(decode.seconds, ended_s - began_s)
                self._on_decoded(decode.urgency, ended_s - began_s)
