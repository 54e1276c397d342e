"""What is sampled: memory, open files and threads of every part, Kafka's lag, and how far recorders are behind."""

import time
from collections import defaultdict
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import psutil
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from benchmarks.capacity.undertone import name_part
from undertone.kafka import client_options
from undertone.local.kafka import with_embedded_kafka
from undertone.local.plan import WORKERS
from undertone.settings import Settings

Name: TypeAlias = tuple[str, str]
"""Part and quantity, as in (``web``, ``MB``)."""

NAMES = {"serve": "web", "java": "kafka"}


@dataclass(frozen=True)
class Sample:
    """One moment; ``values`` by part and quantity."""

    at_s: float
    values: dict[Name, float]


def sample_processes(pid: int) -> dict[Name, float]:
    """Of each part of the ``up`` with this process id: megabytes, open files, threads.

    Memory is the proportional share, so that what PostgreSQL's processes have in common counts once; where the system
    does not tell, it is the resident set.
    """
    values: dict[Name, float] = defaultdict(float)
    root = psutil.Process(pid)
    for process in (root, *root.children(recursive=True)):
        with suppress(psutil.NoSuchProcess):
            part = _part(process)
            values[part, "MB"] += bytes_of(process) / 1e6
            values[part, "files"] += process.num_fds()
            values[part, "threads"] += process.num_threads()
    return dict(values)


def _part(process: psutil.Process) -> str:
    name = name_part(process.name(), process.cmdline())
    return NAMES.get(name, name)


def bytes_of(process: psutil.Process) -> float:
    """Its memory, with its share of what several have, where the system tells that."""
    with suppress(psutil.AccessDenied, AttributeError):
        return float(process.memory_full_info().pss)
    return float(process.memory_info().rss)


def parts_of(pid: int) -> dict[int, str]:
    """The parts that the ``up`` with this process id runs now, by process id."""
    return {child.pid: _part(child) for child in psutil.Process(pid).children()}


def settings_of(pid: int) -> Settings:
    """Where that ``up`` has its Kafka, and how to log in there: its parts say which home it has."""
    for process in psutil.Process(pid).children(recursive=True):
        if (home := process.environ().get("UNDERTONE_HOME")) is not None:
            return with_embedded_kafka(Settings(home=Path(home)))
    raise LookupError("no part of it knows a home")


async def sample_lag(settings: Settings) -> dict[Name, float]:
    """Records that each worker's group has still to commit. (A transcriber commits at boundaries alone.)"""
    admin = AIOKafkaAdminClient(**client_options(settings))
    consumer = AIOKafkaConsumer(**client_options(settings))
    values: dict[Name, float] = {}
    await admin.start()
    await consumer.start()
    try:
        for worker in WORKERS:
            committed = await admin.list_consumer_group_offsets(f"undertone.{worker}")
            places: list[TopicPartition] = list(committed)
            ends = await consumer.end_offsets(places) if places else {}
            values[worker, "lag"] = float(sum(ends[place] - committed[place].offset for place in places))
    finally:
        await consumer.stop()
        await admin.close()
    return values


async def take_sample(pid: int, settings: Settings, behind_ms: float) -> Sample:
    """All of it, now."""
    values = sample_processes(pid) | await sample_lag(settings) | {("recorders", "behind ms"): behind_ms}
    return Sample(time.monotonic(), values)
