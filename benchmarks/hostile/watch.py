"""Watches the platform from outside during a round: health checks, the memory of each process, which processes end."""

import asyncio
import time
from collections import defaultdict
from contextlib import suppress
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import psutil

from benchmarks.capacity.undertone import PARTS, name_part
from benchmarks.soak.sampling import NAMES, bytes_of, parts_of

PROBE_EVERY_S = 0.5
PROBE_WITHIN_S = 10.0
SAMPLE_EVERY_S = 0.5
SUMMED = "postgres"
HELPER = "'s helper"


@dataclass
class Watch:
    """Runs until cancelled. ``probes_s`` are delays of health checks, each on a new connection as a monitor's would be.

    ``peaks`` is the highest memory in MB of each process by name. PostgreSQL's processes share most of their memory and
    come and go, so they count as one; of others with the same name the largest counts.
    """

    url: str
    pid: int
    probes_s: list[float] = field(default_factory=list)
    unanswered: int = 0
    peaks: dict[str, float] = field(default_factory=dict)
    parts: dict[int, str] = field(default_factory=dict)

    async def run(self) -> None:
        """Probe and sample until cancelled."""
        self.parts = parts_of(self.pid)
        async with asyncio.TaskGroup() as group:
            group.create_task(self._probe_all(group))
            group.create_task(self._sample())

    def ended(self) -> tuple[str, ...]:
        """The processes that were there at the beginning and are not any more."""
        now = parts_of(self.pid)
        return tuple(part for pid, part in self.parts.items() if pid not in now)

    async def _probe_all(self, group: asyncio.TaskGroup) -> None:
        while True:
            group.create_task(self._probe())
            await asyncio.sleep(PROBE_EVERY_S)

    async def _probe(self) -> None:
        parts = urlsplit(self.url)
        began_s = time.monotonic()
        try:
            async with asyncio.timeout(PROBE_WITHIN_S):
                reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
                try:
                    writer.write(f"GET /healthz HTTP/1.1\r\nHost: {parts.netloc}\r\n\r\n".encode())
                    status = (await reader.readuntil(b"\r\n")).split(b" ")[1]
                finally:
                    writer.transport.abort()
        except (OSError, EOFError, TimeoutError, IndexError):
            status = b""
        if status == b"200":
            self.probes_s.append(time.monotonic() - began_s)
        else:
            self.unanswered += 1

    async def _sample(self) -> None:
        while True:
            for name, megabytes in (await asyncio.to_thread(sample, self.pid)).items():
                self.peaks[name] = max(self.peaks.get(name, 0.0), megabytes)
            await asyncio.sleep(SAMPLE_EVERY_S)


def sample(pid: int) -> dict[str, float]:
    """The memory of each process of the ``up`` with this process id, in MB; see ``Watch``."""
    root = psutil.Process(pid)
    names = {pid: "up"}
    values: dict[str, float] = defaultdict(float, up=root.memory_info().rss / 1e6)
    for process in root.children(recursive=True):  # parents come before their children
        with suppress(psutil.NoSuchProcess):
            parent = process.ppid()
            name = names[process.pid] = _name(process, names.get(parent, "another") if parent != pid else None)
            if name == SUMMED:
                values[name] += bytes_of(process) / 1e6
            else:
                values[name] = max(values[name], process.memory_info().rss / 1e6)
    return dict(values)


def _name(process: psutil.Process, parent: str | None) -> str:
    """A part's name; what has none and was started by a part is a helper of that part."""
    name = name_part(process.name(), process.cmdline())
    if name not in PARTS and parent is not None:
        return f"{parent.removesuffix(HELPER)}{HELPER}"
    return NAMES.get(name, name)
