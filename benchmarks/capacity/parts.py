"""What each part of a running system spends: cores, memory, and how much its memory grows."""

import asyncio
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

import psutil

from benchmarks.capacity.systems import System

SETTLED_S = 60.0


@dataclass(frozen=True, slots=True)
class Spent:
    """By part: cores busy on average, megabytes at the end, and megabytes more than after the first minute.

    ``elsewhere`` is what all else on the machine kept busy: with more than a tenth of a core of it, nothing here is
    worth much.
    """

    elsewhere: float
    cores: dict[str, float]
    megabytes: dict[str, int]
    growth: dict[str, int]


@dataclass(frozen=True, slots=True)
class _Process:
    part: str
    pid: int
    busy_s: float
    megabytes: float


class Meter:
    """Measures from its making on; what memory grows is counted from ``settled_s`` later."""

    def __init__(self, system: System, settled_s: float = SETTLED_S) -> None:
        self._system = system
        self._began_s = time.monotonic()
        began = list(_processes(system))
        self._busy_s = {process.pid: process.busy_s for process in began}
        self._all_busy_s = _all_busy_s()
        self._settled = _megabytes(began)
        self._settling = asyncio.create_task(self._settle(settled_s))

    def read(self) -> Spent:
        """What was spent up to now; the end of the measurement. Processes that have come since count, too."""
        self._settling.cancel()
        took_s = time.monotonic() - self._began_s
        now = list(_processes(self._system))
        cores: dict[str, float] = defaultdict(float)
        for process in now:
            cores[process.part] += (process.busy_s - self._busy_s.get(process.pid, 0.0)) / took_s
        megabytes = _megabytes(now)
        return Spent(
            elsewhere=round(max(0.0, (_all_busy_s() - self._all_busy_s) / took_s - sum(cores.values())), 2),
            cores={part: round(value, 2) for part, value in sorted(cores.items())},
            megabytes={part: round(value) for part, value in sorted(megabytes.items())},
            growth={part: round(value - self._settled.get(part, 0.0)) for part, value in sorted(megabytes.items())},
        )

    async def _settle(self, settled_s: float) -> None:
        await asyncio.sleep(settled_s)
        self._settled = _megabytes(list(_processes(self._system)))


def _processes(system: System) -> Iterator[_Process]:
    """Those of the system, and this one, which is the driver. One that ends meanwhile is left out."""
    root = psutil.Process(system.pid)
    for process in (psutil.Process(), root, *root.children(recursive=True)):
        with suppress(psutil.NoSuchProcess):
            is_driver = process == psutil.Process()
            part = "driver" if is_driver else system.name_part(process.name(), process.cmdline())
            times = process.cpu_times()
            yield _Process(part, process.pid, times.user + times.system, process.memory_info().rss / 1_000_000)


def _all_busy_s() -> float:
    """Seconds that all processors of this machine have been busy since it started."""
    times = psutil.cpu_times()
    return float(sum(times) - times.idle - getattr(times, "iowait", 0.0) - getattr(times, "guest", 0.0))


def _megabytes(processes: list[_Process]) -> dict[str, float]:
    megabytes: dict[str, float] = defaultdict(float)
    for process in processes:
        megabytes[process.part] += process.megabytes
    return megabytes
