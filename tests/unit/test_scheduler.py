"""The order of decodes: finals before speculations before partials, oldest first; promotion; failure."""

import asyncio
import math
import threading
import time

import numpy as np
import pytest

from models.speech.engines import Hearing, Samples
from models.speech.scheduler import Decode, Load, Scheduler, Urgency
from tests.waiting import until
from undertone.errors import FatalError


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
        scheduler.promote(late[2], Urgency.FINAL, time.monotonic())
        late[4].hearing.cancel()
        assert scheduler.backlog_s == pytest.approx(1 + 4 / 16_000)
        engine.open.set()
        heard = await asyncio.gather(blocking.hearing, *(decode.hearing for decode in late[:4]))
        assert [hearing.text for hearing in heard] == ["1", "2", "3", "4", "16000"]
        assert engine.began == [1, 16_000, 4, 3, 2]
    finally:
        await scheduler.stop()


async def test_what_came_faster_than_speech_waits_for_everybody_else_but_not_for_ever() -> None:
    engine = Gate()
    scheduler = Scheduler(engine, 1)
    scheduler.start()
    try:
        now_s = time.monotonic()
        blocking = scheduler.submit(samples(1), None, Urgency.FINAL, now_s)
        while not engine.began:
            await asyncio.sleep(0)
        flood = [scheduler.submit(samples(length), None, Urgency.FINAL, now_s + 60) for length in (2, 3, 4)]
        assert scheduler.backlog_s == 0
        overdue = scheduler.submit(samples(5), None, Urgency.FINAL, now_s - 60)
        waiting = [
            scheduler.submit(samples(6), None, Urgency.PARTIAL, now_s),
            scheduler.submit(samples(7), None, Urgency.SPECULATION, now_s + 0.5),
            scheduler.submit(samples(8), None, Urgency.SPECULATION, now_s + 0.2),
            scheduler.submit(samples(9), None, Urgency.FINAL, now_s),
        ]
        scheduler.promote(waiting[1], Urgency.FINAL, now_s + 0.5)
        flood[2].due_s = now_s - 1  # as a minute later
        engine.open.set()
        await asyncio.gather(*(decode.hearing for decode in (blocking, *flood, overdue, *waiting)))
        assert engine.began == [1, 5, 4, 9, 7, 8, 6, 2, 3]
    finally:
        await scheduler.stop()


async def test_what_can_wait_becomes_due() -> None:
    decode = Decode(samples(1), None, Urgency.FINAL, due_s=100.0)
    assert decode.is_ahead(now_s=98.9)
    assert not decode.is_ahead(now_s=99.0)
    assert decode.place(98.9) > (Urgency.PARTIAL, 98.9) > decode.place(99.0)
    assert not Decode(samples(1), None, Urgency.SPECULATION, due_s=1000.0).is_ahead(98.9)


async def test_work_that_can_wait_is_no_load() -> None:
    engine = Gate()
    scheduler = Scheduler(engine, 1)
    scheduler.start()
    try:
        ahead = scheduler.submit(samples(1), None, Urgency.FINAL, time.monotonic() + 60)
        while not engine.began:
            await asyncio.sleep(0)
        assert scheduler.has_room
        assert (scheduler.load, scheduler.demand) == (0, 0)
        partial = scheduler.submit(samples(2), None, Urgency.PARTIAL)
        assert not scheduler.has_room
        engine.open.set()
        await asyncio.gather(ahead.hearing, partial.hearing)
        assert scheduler.load > 0
        assert scheduler.demand == 0  # partials thin out before anybody is refused
        assert scheduler.speed == pytest.approx(6 / scheduler.pace.expected_s(6))
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


async def test_a_decoding_task_that_ends_is_a_failure() -> None:
    """What waits for it would wait without end, and its session would stand still."""

    def broken(_: Urgency, __: float) -> None:
        raise RuntimeError("no such metric")

    failures: list[FatalError] = []
    engine = Gate()
    engine.open.set()
    scheduler = Scheduler(engine, 1, broken, failures.append)
    scheduler.start()
    try:
        scheduler.submit(samples(1), None, Urgency.FINAL)
        await until(lambda: failures, 10)
        assert "decode on replica 0" in str(failures[0])
    finally:
        await scheduler.stop()
