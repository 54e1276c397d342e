"""The order of decodes: finals before speculations before partials, oldest first; promotion; failure."""

import asyncio
import math
import threading

import numpy as np
import pytest

from models.speech.engines import Hearing, Samples
from models.speech.scheduler import Load, Scheduler, Urgency


class Gate:
    """An engine whose decodes wait for a gate, and which notes in what order they began (by length)."""

    name = "gate@0"
    languages = frozenset({"en"})

    def __init__(self) -> None:
        self.open = threading.Event()
        self.began: list[int] = []

    def transcribe(self, samples: Samples, language: str | None) -> Hearing:
        self.began.append(len(samples))
        assert self.open.wait(10)
        if len(samples) == 13:
            raise RuntimeError("unlucky")
        return Hearing(str(len(samples)), "en", None, -0.1, 0.0, 1.0, 1)

    def warm(self) -> None:
        """Nothing to warm."""


def samples(length: int) -> np.ndarray[tuple[int], np.dtype[np.int16]]:
    return np.zeros(length, np.int16)


async def test_finals_go_first_and_a_promoted_speculation_goes_as_a_final() -> None:
    engine = Gate()
    scheduler = Scheduler(engine, 1)
    scheduler.start()
    try:
        blocking = scheduler.submit(samples(1), None, Urgency.PARTIAL)
        while not engine.began:
            await asyncio.sleep(0)
        assert not scheduler.has_room
        late = [
            scheduler.submit(samples(2), None, Urgency.PARTIAL),
            scheduler.submit(samples(3), None, Urgency.SPECULATION),
            scheduler.submit(samples(4), None, Urgency.SPECULATION),
            scheduler.submit(samples(16_000), None, Urgency.FINAL),
            scheduler.submit(samples(6), None, Urgency.PARTIAL),
        ]
        scheduler.promote(late[2], Urgency.FINAL)
        late[4].hearing.cancel()
        assert scheduler.backlog_s == pytest.approx(1 + 4 / 16_000)
        engine.open.set()
        heard = await asyncio.gather(blocking.hearing, *(decode.hearing for decode in late[:4]))
        assert [hearing.text for hearing in heard] == ["1", "2", "3", "4", "16000"]
        assert engine.began == [1, 16_000, 4, 3, 2]
    finally:
        await scheduler.stop()


async def test_a_failing_decode_fails_alone() -> None:
    engine = Gate()
    engine.open.set()
    scheduler = Scheduler(engine, 2)
    scheduler.start()
    try:
        with pytest.raises(RuntimeError, match="unlucky"):
            await scheduler.submit(samples(13), None, Urgency.FINAL).hearing
        assert (await scheduler.submit(samples(5), None, Urgency.FINAL).hearing).text == "5"
    finally:
        await scheduler.stop()


async def test_what_nobody_waits_for_any_more_is_not_begun() -> None:
    engine = Gate()
    scheduler = Scheduler(engine, 1)
    scheduler.start()
    try:
        first = scheduler.submit(samples(1), None, Urgency.PARTIAL)
        while not engine.began:
            await asyncio.sleep(0)
        scheduler.drop(scheduler.submit(samples(2), None, Urgency.FINAL))
        scheduler.drop(first)  # it has begun: it goes on
        third = scheduler.submit(samples(3), None, Urgency.PARTIAL)
        engine.open.set()
        assert [(await first.hearing).text, (await third.hearing).text] == ["1", "3"]
        assert engine.began == [1, 3]
    finally:
        await scheduler.stop()


def test_load_is_the_share_of_the_replicas_in_use_of_late() -> None:
    load = Load(replicas=2, memory_s=4)
    assert load.at(100, 0) == 0
    assert load.at(1000, 1) == pytest.approx(0.5)
    assert load.at(1004, 2) == pytest.approx(0.5 / math.e + (1 - 1 / math.e))
    assert load.at(1100, 0) == pytest.approx(0, abs=1e-9)
