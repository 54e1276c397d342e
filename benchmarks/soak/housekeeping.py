"""Hours of Kafka's housekeeping in as many minutes: do its open files and its memory find their level?

    python -m benchmarks.soak.housekeeping [--hours 6] [--speakers 6]

The soak is too short to tell: some topics close a segment every ten minutes, and compaction joins those only when an
hour has passed since their last record, so that Kafka's open files rise for the first hour and more. Here an embedded
Kafka has the topics as `undertone topics apply` makes them, but every time of theirs and of the broker's housekeeping
is a sixtieth, and records of about the size and in about the number that the workers write come sixty times as fast.
Every ten minutes of that time it prints open files and memory; it ends with status 1 if the last two hours rise by more
than the soak's bounds.
"""

import argparse
import asyncio
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from benchmarks.soak.__main__ import BOUNDS, WIDER
from benchmarks.soak.sampling import bytes_of
from benchmarks.soak.slopes import HOUR_S, fit
from undertone.bootstrap import apply_topics
from undertone.kafka import client_options, topic_name
from undertone.local.jars import provide_jars, read_pins
from undertone.local.kafka import EmbeddedKafka
from undertone.settings import Settings, read_settings
from undertone.topics import (
    AUDIO,
    PARTIALS,
    SESSIONS,
    STATISTICS,
    TOPICS,
    TRANSCRIPTS,
    UTTERANCES,
    WINDOWS,
    WORKERS,
    Topic,
    place,
)

HASTE = 60
SAMPLE_S = 600.0
FILES, MEGABYTES = BOUNDS["files"], WIDER["kafka", "MB"]
"""The soak's bounds of what may be gained in an hour; of files not the wider one, which is for the hours before."""

BROKER = {
    "log.retention.check.interval.ms": 300_000,
    "log.segment.delete.delay.ms": 60_000,
    "log.cleaner.backoff.ms": 15_000,
}
"""Kafka's own times, before they are hastened."""


@dataclass(frozen=True)
class Habit:
    """What is written to a topic while one person speaks: how often, how much, and under how many keys a session."""

    topic: Topic
    every_s: float
    size_bytes: int
    keys: int = 1


SESSION_S = 60.0
HABITS = (
    Habit(AUDIO, 0.25, 8000),
    Habit(PARTIALS, 0.5, 400),
    Habit(SESSIONS, 1.5, 2000),
    Habit(TRANSCRIPTS, 4.0, 900),
    Habit(UTTERANCES, 4.0, 1200, keys=15),
    Habit(STATISTICS, 4.0, 3000),
    Habit(WINDOWS, 1.3, 600, keys=8),
)
REPORT = Habit(WORKERS, 1.0, 300)


def hasten(config: dict[str, str]) -> dict[str, str]:
    """A topic's settings with every time a sixtieth."""
    return {name: str(int(value) // HASTE) if name.endswith(".ms") else value for name, value in config.items()}


def due(habit: Habit, since_s: float, until_s: float, speaker: int) -> Iterator[tuple[str, str]]:
    """Session and key of each record that a speaker causes in a stretch of time."""
    for number in range(round(since_s / habit.every_s), round(until_s / habit.every_s)):
        session = f"{speaker}-{int(number * habit.every_s / SESSION_S)}"
        yield session, f"{session}-{number % habit.keys}"


async def make_topics(settings: Settings) -> None:
    """The topics as they are made everywhere, and then hastened."""
    await apply_topics(settings)
    admin = AIOKafkaAdminClient(**client_options(settings))
    await admin.start()
    topics = [(topic_name(settings, topic), hasten(topic.config())) for topic in TOPICS]
    answers = await admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, *topic) for topic in topics])
    await admin.close()
    assert all(each["error_code"] == 0 for answer in answers for each in answer.to_object()["resources"])


async def write(settings: Settings, given: argparse.Namespace, began_s: float) -> None:
    """For ever: what is due by now, sixty times as fast as people speak."""
    async with AIOKafkaProducer(**client_options(settings), linger_ms=20, max_request_size=1 << 20) as producer:
        done_s = 0.0
        while True:
            now_s = (time.monotonic() - began_s) * HASTE
            for speaker in range(given.speakers):
                for habit in (*HABITS, *([REPORT] if speaker == 0 else [])):
                    for session, key in due(habit, done_s, now_s, speaker):
                        at = place(session, settings.partitions)
                        name = topic_name(settings, habit.topic)
                        await producer.send(name, bytes(habit.size_bytes), key.encode(), partition=at)
            done_s = now_s
            await asyncio.sleep(0.05)


async def watch(pid: int, hours: float, began_s: float) -> list[tuple[float, int, float]]:
    """Time in seconds as the topics count it, open files and megabytes, every ten minutes of that time."""
    process, samples = psutil.Process(pid), list[tuple[float, int, float]]()
    for number in range(1, round(hours * HOUR_S / SAMPLE_S) + 1):
        await asyncio.sleep(max(0.0, began_s + number * SAMPLE_S / HASTE - time.monotonic()))
        samples.append((number * SAMPLE_S, process.num_fds(), bytes_of(process) / 1e6))
        at_s, files, megabytes = samples[-1]
        print(f"{at_s / HOUR_S:5.1f} h  {files:5d} files  {megabytes:6.0f} MB", flush=True)
    return samples


async def run(given: argparse.Namespace, home: Path) -> list[tuple[float, int, float]]:
    """The samples of a Kafka of its own."""
    settings = read_settings()
    overrides = {name: str(value_ms // HASTE) for name, value_ms in BROKER.items()}
    kafka = EmbeddedKafka(home, provide_jars(settings.cache, read_pins()), overrides)
    await kafka.start()
    try:
        settings = kafka.reached(settings)
        await make_topics(settings)
        began_s = time.monotonic()
        writing = asyncio.create_task(write(settings, given, began_s))
        watching = asyncio.create_task(watch(kafka.child.pid, given.hours, began_s))
        await asyncio.wait([writing, watching], return_when=asyncio.FIRST_COMPLETED)
        if writing.done():
            writing.result()  # it never ends: this raises what ended it
        writing.cancel()
        return await watching
    finally:
        await kafka.stop()


def main(arguments: Sequence[str]) -> int:
    """The command."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.soak.housekeeping", description=str(__doc__).partition("\n")[0]
    )
    parser.add_argument("--hours", type=float, default=6.0, help="as the topics count them; a minute each")
    parser.add_argument("--speakers", type=int, default=6)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        samples = asyncio.run(run(parser.parse_args(arguments), Path(folder)))
    last = samples[-round(2 * HOUR_S / SAMPLE_S) :]
    at_s = [at for at, _, _ in last]
    files, megabytes = fit(at_s, [float(count) for _, count, _ in last]), fit(at_s, [size for _, _, size in last])
    print(f"an hour, of the last two: {files.per_hour:+.1f} files ({files.low:.1f} to {files.high:.1f})", end=", ")
    print(f"{megabytes.per_hour:+.1f} MB ({megabytes.low:.1f} to {megabytes.high:.1f})")
    return int(files.exceeds(FILES) or megabytes.exceeds(MEGABYTES))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
