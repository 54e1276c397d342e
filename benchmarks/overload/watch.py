"""What can be seen of the platform while it is loaded: a line every few seconds."""

import asyncio
import time
from collections import defaultdict
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field

import httpx
import psutil

from benchmarks.capacity.ends import RULES
from benchmarks.capacity.seen import Seen
from benchmarks.capacity.undertone import Platform, name_part
from undertone.audio import SAMPLE_RATE

EVERY_S = 5.0
BACKLOG = "undertone_ingest_backlog_seconds"
PARTS = ("transcriber", "serve", "java", "classifier", "statistics", "archivist", "postgres")


@dataclass(frozen=True)
class Crowd:
    """Who speaks, who waits for a session, how often one was refused, and how far text is behind, in seconds."""

    speaking: int
    asking: int
    refused: int
    behind_s: float


@dataclass(frozen=True)
class Line:
    """One moment; ``final_s`` are delays of the finals since the last, ``partials`` those of a speaker in a minute."""

    at_s: float
    crowd: Crowd
    backlog_s: float
    final_s: tuple[float, ...]
    partials: float
    megabytes: dict[str, float]


@dataclass
class Watch:
    """Looks every ``EVERY_S`` while ``run`` runs."""

    platform: Platform
    crowd: Callable[[], Crowd]
    lines: list[Line] = field(default_factory=list)
    began_s: float = field(default_factory=time.monotonic)

    async def run(self, say: Callable[[Line], object]) -> None:
        """Until cancelled; ``say`` hears of every line."""
        since_s = self.began_s
        async with httpx.AsyncClient(base_url=self.platform.url, timeout=10) as http:
            while True:
                await asyncio.sleep(EVERY_S)
                now_s, crowd, seen = time.monotonic(), self.crowd(), list(self.platform.viewer.seen.values())
                partials = sum(since_s <= text.at_s < now_s for one in seen for text in one.texts)
                delays = tuple(delays_between(seen, since_s, now_s))
                minutes = max(1, crowd.speaking) * (now_s - since_s) / 60
                line = Line(
                    at_s=now_s - self.began_s,
                    crowd=crowd,
                    backlog_s=await read_metric(http, BACKLOG),
                    final_s=delays,
                    partials=(partials - _finals(seen, since_s, now_s)) / minutes,
                    megabytes=megabytes(self.platform.pid),
                )
                self.lines.append(line)
                say(line)
                since_s = now_s


def delays_between(seen: Iterable[Seen], since_s: float, until_s: float) -> list[float]:
    """Seconds from the end of speech to the final at the viewer, of the finals that came in between, sorted."""
    return sorted(
        final.at_s - one.began_s - (final.end - RULES.hang_over) / SAMPLE_RATE
        for one in seen
        for final in one.finals.values()
        if since_s <= final.at_s < until_s
    )


def share(values: list[float] | tuple[float, ...], part: float) -> float:
    """The value below which so much of the sorted values lies; 0 for none."""
    return values[min(len(values) - 1, int(part * len(values)))] if values else 0.0


def megabytes(pid: int) -> dict[str, float]:
    """Memory by part of the platform."""
    found: dict[str, float] = defaultdict(float)
    root = psutil.Process(pid)
    for process in root.children(recursive=True):
        with suppress(psutil.NoSuchProcess):
            found[name_part(process.name(), process.cmdline())] += process.memory_info().rss / 1_000_000
    return dict(found)


async def read_metric(http: httpx.AsyncClient, name: str) -> float:
    """The value of a metric without labels, as ingest says it; -1 if it does not say it in time."""
    with suppress(httpx.HTTPError):
        for line in (await http.get("/metrics")).text.splitlines():
            if line.startswith(f"{name} "):
                return float(line.split()[1])
    return -1.0


def _finals(seen: Iterable[Seen], since_s: float, until_s: float) -> int:
    return sum(since_s <= final.at_s < until_s for one in seen for final in one.finals.values())
