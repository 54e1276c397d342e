"""How long ago partitions were last read to their ends.

aiokafka's ``getmany`` returns nothing both when nothing was written and when no broker answers. What tells them apart
is the time of the last completed fetch, which the consumer keeps for each partition.
"""

import time
from collections.abc import Callable, Iterable
from typing import NamedTuple, Protocol

from aiokafka import TopicPartition

STALE_AFTER_S = 30.0


class Fetches(Protocol):
    """What a consumer knows of its partitions."""

    def last_poll_timestamp(self, partition: TopicPartition) -> int | None: ...
    def highwater(self, partition: TopicPartition) -> int | None: ...
    async def position(self, partition: TopicPartition) -> int: ...


class _Fetch(NamedTuple):
    timestamp_ms: int
    not_before_s: float


class Freshness:
    """Tracks when all of some partitions were last read to their ends; ``is_stale`` after ``stale_after_s`` without.

    ``clock`` is monotonic. The times are lower bounds: the last look before a fetch, not the fetch itself. So a process
    that was stopped is stale until it has fetched again, whatever fetch it had completed before.
    """

    def __init__(self, stale_after_s: float = STALE_AFTER_S, clock: Callable[[], float] = time.monotonic) -> None:
        self.stale_after_s = stale_after_s
        self._clock = clock
        self._looked_s = clock()
        self._fetches: dict[TopicPartition, _Fetch] = {}
        self._read_s: dict[TopicPartition, float] = {}

    def begin(self, partitions: Iterable[TopicPartition], read_s: float) -> None:
        """``partitions`` are followed from now on; they were read to the ends that they had at ``read_s``."""
        self._read_s = dict.fromkeys(partitions, read_s)
        self._looked_s = read_s

    async def look(self, consumer: Fetches) -> None:
        """Take in what the consumer has fetched and handed out. Call it after each ``getmany``, empty or not."""
        looked_s, self._looked_s = self._looked_s, self._clock()
        for partition in self._read_s:
            timestamp_ms = consumer.last_poll_timestamp(partition)
            end = consumer.highwater(partition)
            if timestamp_ms is None or end is None:
                continue
            fetch = self._fetches.get(partition)
            if fetch is None or fetch.timestamp_ms != timestamp_ms:
                fetch = self._fetches[partition] = _Fetch(timestamp_ms, looked_s)
            if await consumer.position(partition) >= end:
                self._read_s[partition] = fetch.not_before_s

    @property
    def age_s(self) -> float:
        """For how long something may have been written that was not read."""
        now_s = self._clock()
        return now_s - min(self._read_s.values(), default=now_s)

    @property
    def is_stale(self) -> bool:
        """Whether that is too long."""
        return self.age_s > self.stale_after_s
