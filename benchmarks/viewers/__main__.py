"""Many viewers of one dashboards process: delays, memory, one that never reads, and a kill under all of them.

    python -m benchmarks.viewers [--viewers 1000] [--minutes 1] [--rate 5] [--json]

Kafka, PostgreSQL and ``undertone serve dashboards`` run here, the viewers in a process of their own: half of them
follow one session, half all sessions. ``--rate`` finals a second are written, each with a partial before it and
windows behind it. Three rounds: all read; one stands still behind its snapshot; dashboards is killed in the middle.
A delay is from Kafka's acknowledgement of a final to its arrival at a viewer.
"""

import argparse
import asyncio
import json
import os
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from benchmarks.hall import running_hall
from tests.serving import WebProcess
from tests.storage_events import partial, session, session_id, utterance, window
from tests.viewing import Writer
from undertone.kafka import open_publisher

THAW_AFTER_S = 45.0
TEXT = "and so we beat on, boats against the current, borne back ceaselessly into the past " * 2


@dataclass(frozen=True)
class Round:
    """One round. Delays are in milliseconds over all finals and viewers, but those that stood still."""

    name: str
    viewers: int
    finals: int
    p50_ms: float
    p95_ms: float
    p99_ms: float
    slowest_ms: float
    wrong: int
    resets: int
    incomplete: int
    rss_before_mb: float
    rss_after_mb: float
    cores: float
    back_p50_s: float | None = None
    back_slowest_s: float | None = None


@asynccontextmanager
async def audience(
    dashboards: WebProcess, name: str, count: int, frozen: int, out: Path
) -> AsyncIterator[asyncio.subprocess.Process]:
    """The viewers' process, once each has its snapshot; the block's end waits for its own."""
    command = [sys.executable, "-m", "benchmarks.viewers.audience", dashboards.address, name, "--out", str(out)]
    command += ["--viewers", str(count), "--frozen", str(frozen), "--thaw-after-s", str(THAW_AFTER_S)]
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE, env=dict(os.environ))
    try:
        assert process.stdout is not None
        assert await process.stdout.readline() == b"begun\n", "the viewers did not begin"
        yield process
        await process.wait()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def speak(writer: Writer, number: int, count: int, rate: float) -> dict[str, int]:
    """Finals with what goes round them; each one's id and when (``monotonic_ns``) it was in the log."""
    written = {}
    began_s = time.monotonic()
    for seq in range(1, count + 1):
        final = utterance(number, seq, text=f"{seq} {TEXT}")
        await writer.write(partial(number, final.first_sample, final.end_sample, text=final.text))
        await writer.write(final)
        written[final.utterance_id] = time.monotonic_ns()
        await writer.write(window(number, seq=seq), window(number, size_ms=0, seq=seq))
        await asyncio.sleep(max(0.0, began_s + seq / rate - time.monotonic()))
    await writer.write(session(number, state="ended", reason="stop", seq=count + 1))
    return written


async def play(
    name: str,
    number: int,
    writer: Writer,
    dashboards: WebProcess,
    given: argparse.Namespace,
    *,
    frozen: int = 0,
    meanwhile: Callable[[], Awaitable[int]] | None = None,
) -> Round:
    """One round; ``meanwhile`` runs beside it, and says since when viewers had to come back."""
    out = Path(given.folder) / f"{number}.json"
    count = round(given.minutes * 60 * given.rate)
    await writer.write(session(number))
    since_ns: int | None = None
    async with audience(dashboards, session_id(number), given.viewers, frozen, out):
        process = psutil.Process(dashboards.child.pid)
        before, began, began_s = process.memory_info().rss, process.cpu_times(), time.monotonic()
        speaking = asyncio.create_task(speak(writer, number, count, given.rate))
        if meanwhile is not None:
            await asyncio.sleep(given.minutes * 30)
            since_ns = await meanwhile()
            process = psutil.Process(dashboards.child.pid)
            before, began, began_s = process.memory_info().rss, process.cpu_times(), time.monotonic()
        written = await speaking
        spent, took_s = process.cpu_times(), time.monotonic() - began_s
        after = process.memory_info().rss
    seen: list[dict[str, Any]] = json.loads(out.read_text())
    reading = seen[: given.viewers - frozen]
    delays = [
        (at_ns - written[final]) / 1e6
        for one in reading
        for final, at_ns in zip(one["finals"], one["at_ns"], strict=True)
    ]
    back = [min(at for at in one["began_ns"] if at > since_ns) - since_ns for one in seen] if since_ns else []
    p50, p95, p99, slowest = np.percentile(delays, (50, 95, 99, 100)).round(1).tolist()
    return Round(
        name=name,
        viewers=len(seen),
        finals=len(delays),
        p50_ms=p50,
        p95_ms=p95,
        p99_ms=p99,
        slowest_ms=slowest,
        wrong=sum(one["finals"] != list(written) for one in seen),
        resets=sum(one["resets"] for one in seen),
        incomplete=sum(one["incomplete"] for one in seen),
        rss_before_mb=round(before / 1e6, 1),
        rss_after_mb=round(after / 1e6, 1),
        cores=round((spent.user + spent.system - began.user - began.system) / took_s, 2),
        back_p50_s=round(float(np.median(back)) / 1e9, 2) if back else None,
        back_slowest_s=round(max(back) / 1e9, 2) if back else None,
    )


async def measure(given: argparse.Namespace) -> list[Round]:
    """All rounds."""
    async with running_hall(Path(given.folder)) as (settings, dashboards), open_publisher(settings) as publisher:
        writer = Writer(publisher, settings)

        async def kill() -> int:
            dashboards.child.kill()
            at_ns = time.monotonic_ns()
            await dashboards.start()
            return at_ns

        await play("(warm-up)", 1, writer, dashboards, argparse.Namespace(**vars(given) | {"minutes": 0.1}))
        rounds = [await play("all read", 2, writer, dashboards, given)]
        rounds.append(await play("one never reads", 3, writer, dashboards, given, frozen=1))
        rounds.append(await play("dashboards killed", 4, writer, dashboards, given, meanwhile=kill))
        return rounds


def main(arguments: Sequence[str]) -> None:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.viewers", description=str(__doc__).partition("\n")[0])
    parser.add_argument("--viewers", type=int, default=1000)
    parser.add_argument("--minutes", type=float, default=1.0, help="of each round")
    parser.add_argument("--rate", type=float, default=5.0, help="finals a second")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as given.folder:
        rounds = asyncio.run(measure(given))
    if given.json:
        print(json.dumps([asdict(one) for one in rounds], indent=1))
        return
    for one in rounds:
        print("\n".join(f"{name:<16} {value}" for name, value in asdict(one).items() if value is not None), "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
