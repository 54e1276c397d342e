"""Many who speak at once, in real time: what the workers would write of each, at its own moments."""

import asyncio
import math
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

from tests.browser.crowd import EACH_MS, SPOKEN_MS, Speaker, gather
from tests.browser.long_session import keep
from tests.viewing import Writer
from undertone.settings import Settings

EACH_S, SPOKEN_S = EACH_MS / 1000, SPOKEN_MS / 1000
WITH_A_FINAL = 5
"""Itself, its three windows, and the session's state."""
SAID_BEFORE = 60
_TURN = 6
"""So many utterances, times two pi, from one high mood to the next: within a minute many cards change their places."""


@dataclass
class Written:
    """How much was written, and by how much the writing fell behind at most."""

    events: int = 0
    late_s: float = 0.0


async def assemble(settings: Settings, count: int) -> list[Speaker]:
    """Speakers whose first five minutes are in the history; their moods rise and fall, each at another time."""
    speakers = gather(count)
    for number, speaker in enumerate(speakers):
        speaker.scores = [round(0.9 * math.sin((said + 7 * number) / _TURN), 2) for said in range(1000)]
        await keep(settings, speaker.speak(SAID_BEFORE), f"before {number}")
    return speakers


@asynccontextmanager
async def speaking(speakers: Sequence[Speaker], writer: Writer, events_a_second: float) -> AsyncIterator[Written]:
    """All of them speak for the block, none in step with another."""
    written = Written()
    began_s = time.monotonic()
    partials = round(events_a_second * EACH_S) - WITH_A_FINAL
    tasks = [
        asyncio.create_task(_speak(speaker, writer, partials, began_s + EACH_S * number / len(speakers), written))
        for number, speaker in enumerate(speakers)
    ]
    try:
        yield written
    finally:
        for task in tasks:
            task.cancel()
        for task in tasks:
            with suppress(asyncio.CancelledError):
                await task


async def _speak(speaker: Speaker, writer: Writer, partials: int, began_s: float, written: Written) -> None:
    while True:
        for number in range(1, partials + 1):
            share = number / partials
            await _wait_until(began_s + SPOKEN_S * share, written)
            await writer.write(speaker.changing(share))
            written.events += 1
        began_s += EACH_S
        await _wait_until(began_s, written)
        await writer.write(*speaker.speak())
        written.events += WITH_A_FINAL


async def _wait_until(due_s: float, written: Written) -> None:
    left_s = due_s - time.monotonic()
    written.late_s = max(written.late_s, -left_s)
    await asyncio.sleep(max(left_s, 0.0))
