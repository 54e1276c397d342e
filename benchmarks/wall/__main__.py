"""A wall of many live sessions in a real browser, measured by the browser's own tracing.

    python -m benchmarks.wall [--sessions 100] [--events 5] [--seconds 60] [--trace FOLDER] [--json]

Kafka, PostgreSQL and ``undertone serve dashboards`` run here, and write what the workers would write of ``--sessions``
live ones, each ``--events`` events a second: text that changes, and every five seconds a final with its windows and the
session's state. Their moods rise and fall, so cards change their places. A headless Chromium looks at the wall, small
and large; its page's main thread is summed up as the Performance panel does it (``trace.py``), apart for the first
seconds (loading, the first snapshot) and for what follows. ``--trace`` keeps the traces: the panel opens them.
"""

import argparse
import asyncio
import json
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, Page, expect

from benchmarks.hall import running_hall
from benchmarks.wall.speaking import Written, assemble, speaking
from benchmarks.wall.trace import CATEGORIES, NAVIGATION, Stretch, find_mark, sum_up
from tests.browser.chromium import browser
from tests.viewing import Writer
from undertone.kafka import open_publisher

SCREENS = ((1280, 900), (2560, 1440))
FIRST_S = 5.0
APPEAR_S = 60.0
COUNT_EVENTS = """
window.received = 0;
const listen = EventSource.prototype.addEventListener;
EventSource.prototype.addEventListener = function (name, take, ...rest) {
  const isEvent = ["session", "partial", "utterance", "window"].includes(name);
  return listen.call(this, name, isEvent ? (event) => { window.received += 1; take(event); } : take, ...rest);
};
"""
IN_SIGHT = """
cards => cards.filter(card => {
  const { top, bottom } = card.getBoundingClientRect();
  return bottom > 0 && top < innerHeight;
}).length
"""


@dataclass(frozen=True)
class Look:
    """The wall on one screen. Rates are events a second, sizes megabytes after a collection of garbage."""

    screen: str
    cards: int
    in_sight: int
    written: float
    received: float
    writing_late_s: float
    opened_s: float
    first: Stretch
    then: Stretch
    heap_before_mb: float
    heap_after_mb: float
    load_average: float


async def look(
    chromium: Browser, address: str, screen: tuple[int, int], written: Written, given: argparse.Namespace
) -> Look:
    """Open the wall, wait until everybody is there, and watch it."""
    context = await chromium.new_context(
        viewport={"width": screen[0], "height": screen[1]}, locale="en-US", service_workers="block"
    )
    page = await context.new_page()
    await page.add_init_script(COUNT_EVENTS)
    await chromium.start_tracing(categories=list(CATEGORIES))
    began_s = time.monotonic()
    await page.goto(address)
    await expect(page.locator(".card")).to_have_count(given.sessions, timeout=1000 * APPEAR_S)
    opened_s = time.monotonic() - began_s
    await asyncio.sleep(FIRST_S)
    heap_before = await _heap_mb(page)
    received, wrote, began_s = await _mark(page, "wall-begin"), written.events, time.monotonic()
    await asyncio.sleep(given.seconds)
    received, wrote = await _mark(page, "wall-end") - received, written.events - wrote
    took_s = time.monotonic() - began_s
    raw = await chromium.stop_tracing()
    name = f"{screen[0]} x {screen[1]}"
    if given.trace:
        (given.trace / f"wall {name}.json").write_bytes(raw)
    trace: list[dict[str, Any]] = json.loads(raw)["traceEvents"]
    end = find_mark(trace, "wall-end")
    begin = find_mark(trace, "wall-begin", end)
    cards = page.locator(".card")
    found = Look(
        screen=name,
        cards=await cards.count(),
        in_sight=await cards.evaluate_all(IN_SIGHT),
        written=round(wrote / took_s, 1),
        received=round(received / took_s, 1),
        writing_late_s=round(written.late_s, 2),
        opened_s=round(opened_s, 2),
        first=sum_up(trace, find_mark(trace, NAVIGATION, begin), begin),
        then=sum_up(trace, begin, end),
        heap_before_mb=heap_before,
        heap_after_mb=await _heap_mb(page),
        load_average=round(os.getloadavg()[0], 2),
    )
    await context.close()
    return found


async def _mark(page: Page, name: str) -> int:
    """Mark a moment in the trace; how many events the page has received by then."""
    received: int = await page.evaluate("name => (performance.mark(name), window.received)", name)
    return received


async def _heap_mb(page: Page) -> float:
    client = await page.context.new_cdp_session(page)
    await client.send("HeapProfiler.collectGarbage")
    used = (await client.send("Runtime.getHeapUsage"))["usedSize"]
    await client.detach()
    return round(float(used) / 1e6, 2)


async def measure(given: argparse.Namespace) -> list[Look]:
    """All screens, one after the other, while the same sessions go on."""
    with tempfile.TemporaryDirectory() as folder:
        async with running_hall(Path(folder)) as (settings, dashboards), open_publisher(settings) as publisher:
            speakers = await assemble(settings, given.sessions)
            async with browser() as chromium, speaking(speakers, Writer(publisher, settings), given.events) as written:
                return [await look(chromium, dashboards.address, screen, written, given) for screen in SCREENS]


def tell(found: Look) -> str:
    """A look in words."""
    first, then = found.first, found.then
    return "\n".join(
        (
            f"{found.screen}: {found.cards} cards, {found.in_sight} in sight; load average {found.load_average}",
            f"  events a second   written {found.written}, late by {found.writing_late_s} s; received {found.received}",
            f"  first {first.seconds:.0f} s         all cards after {found.opened_s} s; {_tell(first)}",
            f"  then {then.seconds:.0f} s         {_tell(then)}",
            f"  JS heap           {found.heap_before_mb} MB, then {found.heap_after_mb}",
        )
    )


def _tell(found: Stretch) -> str:
    on_core = "" if found.scripting_on_core is None else f" ({found.scripting_on_core:.1%} by the thread's clock)"
    return (
        f"scripting {found.scripting:.1%} of one core{on_core}, rendering {found.rendering:.1%}, "
        f"painting {found.painting:.1%}, busy {found.busy:.1%}; longest task {found.longest_task_ms} ms, "
        f"over 50 ms: {found.tasks_over_50_ms}, over 100 ms: {found.tasks_over_100_ms}"
    )


def main(arguments: Sequence[str]) -> None:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.wall", description=str(__doc__).partition("\n")[0])
    parser.add_argument("--sessions", type=int, default=100)
    parser.add_argument("--events", type=float, default=5.0, help="a second, of each")
    parser.add_argument("--seconds", type=float, default=60.0, help="of each screen, behind the first")
    parser.add_argument("--trace", type=Path, help="a folder for the traces")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args(arguments)
    looks = asyncio.run(measure(given))
    print(json.dumps([asdict(one) for one in looks], indent=1) if given.json else "\n".join(map(tell, looks)))


if __name__ == "__main__":
    main(sys.argv[1:])
