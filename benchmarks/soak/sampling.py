"""What is sampled: memory, open files and threads of every part, Kafka's lag, and how far recorders are behind."""

import time
from collections import defaultdict
from contextlib import suppress
from dataclasses import dataclass
from typing import TypeAlias

import psutil
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from benchmarks.capacity.undertone import name_part
from undertone.local.plan import WORKERS

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


def brokers_of(pid: int) -> str:
    """Where the Kafka of that ``up`` listens: what its parts were told."""
    for process in psutil.Process(pid).children(recursive=True):
        if (found := process.environ().get("UNDERTONE_KAFKA")) is not None:
            return found
    raise LookupError("no part of it knows a Kafka")


async def sample_lag(brokers: str) -> dict[Name, float]:
    """Records that each worker's group has still to commit. (A transcriber commits at boundaries alone.)"""
    admin = AIOKafkaAdminClient(bootstrap_servers=brokers)
    consumer = AIOKafkaConsumer(bootstrap_servers=brokers)
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


async def take_sample(pid: int, brokers: str, behind_ms: float) -> Sample:
    """All of it, now."""
    values = sample_processes(pid) | await sample_lag(brokers) | {("recorders", "behind ms"): behind_ms}
    return Sample(time.monotonic(), values)
