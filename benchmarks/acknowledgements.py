"""How soon ingest acknowledges live audio, and what reading the log back costs each ingest process.

    python -m benchmarks.acknowledgements [--speakers 1 --speakers 24] [--seconds 30] [--json]

An embedded Kafka and two ingest processes run, and nothing else. Speakers send frames of 100 ms in real time to the
first process. ``acknowledged_ms`` is from sending a frame to the acknowledgement that covers it. ``produced_ms`` is
what a bare producer with ingest's own settings takes on the same broker in the same run, until Kafka has a record of
that size. The second process has no recorder: it only reads the log. What it uses of a core for each second of
audio is the cost of reading back.
"""

import argparse
import asyncio
import json
import struct
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import psutil
from pydantic import SecretStr
from websockets.asyncio.client import ClientConnection, connect

from ingest_api.limits import ENCODING
from ingest_api.publishers import LINGER_MS
from tests.serving import WebProcess, running_web
from undertone.audio import SAMPLE_RATE, to_samples
from undertone.bootstrap import apply_topics
from undertone.identifiers import make_session_id
from undertone.kafka import open_publisher
from undertone.local.jars import provide_jars, read_pins
from undertone.local.kafka import EmbeddedKafka
from undertone.records import Audio
from undertone.session_keys import create_session
from undertone.settings import Settings

FRAME_MS = 100
FRAME_SAMPLES = to_samples(FRAME_MS)
FRAME = bytes(2 * FRAME_SAMPLES)


@dataclass(frozen=True)
class Figures:
    """One number of speakers; costs are milliseconds of a core for each second of audio."""

    speakers: int
    frames: int
    acknowledged_p50_ms: float
    acknowledged_p95_ms: float
    produced_p50_ms: float
    produced_p95_ms: float
    writing_ms_per_audio_s: float
    reading_ms_per_audio_s: float


@asynccontextmanager
async def two_ingests(home: Path) -> AsyncIterator[tuple[Settings, WebProcess, WebProcess]]:
    """Kafka and two ingest processes."""
    kafka = EmbeddedKafka(home, provide_jars(Settings().cache, read_pins()))
    await kafka.start()
    try:
        settings = kafka.reached(
            Settings(
                home=home / "home", access="open", secret=SecretStr("a-secret-of-the-benchmark-alone-and-no-other")
            )
        )
        await apply_topics(settings)
        async with (
            running_web("ingest", settings, home / "first") as first,
            running_web("ingest", settings, home / "second") as second,
        ):
            yield settings, first, second
    finally:
        await kafka.stop()


async def speak(address: str, seconds: float) -> list[float]:
    """Milliseconds from each frame to its acknowledgement."""
    keys = await create_session(address)
    url = f"{address.replace('http', 'ws', 1)}/v1/sessions/{keys.session_id}/audio?token={keys.write_token}"
    sent_s: list[float] = []
    took_ms: list[float] = []
    count = round(1000 * seconds / FRAME_MS)

    async def listen(socket: ClientConnection) -> None:
        while len(took_ms) < count:
            message = json.loads(await socket.recv())
            if message["type"] == "ack":
                known, now_s = message["next_sample"] // FRAME_SAMPLES, time.monotonic()
                took_ms.extend(1000 * (now_s - at_s) for at_s in sent_s[len(took_ms) : known])

    async with connect(url) as socket:
        await socket.send(json.dumps({"type": "start", "sample_rate": SAMPLE_RATE, "encoding": ENCODING}))
        while json.loads(await socket.recv())["type"] != "ready":
            pass
        listening = asyncio.create_task(listen(socket))
        began_s = time.monotonic()
        for number in range(count):
            await asyncio.sleep(max(0.0, began_s + number * FRAME_MS / 1000 - time.monotonic()))
            sent_s.append(time.monotonic())
            await socket.send(struct.pack("<Q", number * FRAME_SAMPLES) + FRAME)
        await listening
    return took_ms


async def produce(settings: Settings, seconds: float) -> list[float]:
    """Milliseconds that Kafka takes for each of as many records of the same size."""
    session_id = make_session_id(time.time_ns() // 1_000_000, 1)
    took_ms = []
    async with open_publisher(settings, LINGER_MS) as publisher:
        for number in range(round(1000 * seconds / FRAME_MS)):
            began_s = time.monotonic()
            await publisher.publish_audio(Audio(session_id, "bare", number * FRAME_SAMPLES, FRAME))
            took_ms.append(1000 * (time.monotonic() - began_s))
            await asyncio.sleep(max(0.0, FRAME_MS / 1000 - (time.monotonic() - began_s)))
    return took_ms


async def measure(speakers: Sequence[int], seconds: float) -> list[Figures]:
    """The figures for each number of speakers."""
    found = []
    async with AsyncExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="undertone-"))
        settings, first, second = await stack.enter_async_context(two_ingests(Path(folder)))
        for count in speakers:
            before = cpu_s(first), cpu_s(second)
            took = await asyncio.gather(*(speak(first.address, seconds) for _ in range(count)))
            writing_s, reading_s = cpu_s(first) - before[0], cpu_s(second) - before[1]
            acknowledged, bare = [one for some in took for one in some], await produce(settings, seconds)
            found.append(
                Figures(
                    speakers=count,
                    frames=len(acknowledged),
                    acknowledged_p50_ms=percentile(acknowledged, 50),
                    acknowledged_p95_ms=percentile(acknowledged, 95),
                    produced_p50_ms=percentile(bare, 50),
                    produced_p95_ms=percentile(bare, 95),
                    writing_ms_per_audio_s=round(1000 * writing_s / (count * seconds), 2),
                    reading_ms_per_audio_s=round(1000 * reading_s / (count * seconds), 2),
                )
            )
    return found


def cpu_s(process: WebProcess) -> float:
    """Seconds of a core that the process has used."""
    times = psutil.Process(process.child.pid).cpu_times()
    return float(times.user + times.system)


def percentile(values: Sequence[float], share: float) -> float:
    """Rounded to a tenth."""
    return round(float(np.percentile(values, share)), 1)


def main(arguments: Sequence[str]) -> None:
    """The command."""
    summary = str(__doc__).partition("\n")[0]
    parser = argparse.ArgumentParser(prog="python -m benchmarks.acknowledgements", description=summary)
    parser.add_argument("--speakers", type=int, action="append", help="how many at once; may be repeated")
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args(arguments)
    for figures in asyncio.run(measure(given.speakers or [1, 24], given.seconds)):
        shown = asdict(figures)
        line = json.dumps(shown) if given.json else ", ".join(f"{name} {value}" for name, value in shown.items())
        sys.stdout.write(f"{line}\n")


if __name__ == "__main__":
    main(sys.argv[1:])
