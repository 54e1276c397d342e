"""Compacted memory: a topic that an app writes is read back by it, so that the topic is all it needs to remember.

The order is always: outputs, then memory, then acknowledgement, each awaited. Nothing here is cached on disk.
"""

import logging
import math
import time
from collections.abc import Awaitable, Callable, Iterator
from typing import Generic, NamedTuple, Protocol, TypeVar

from stream_apps.deliveries import Original, clock_ms
from undertone.codec import Headers, decode, encode
from undertone.errors import FatalError, NewerError, PoisonError
from undertone.events import Event
from undertone.kafka import Record, open_reader, read_to_end
from undertone.settings import Settings
from undertone.topics import DAY_MS, Topic

log = logging.getLogger(__name__)


class Numbered(Protocol):
    """A memory record: one per session, numbered by what the app has given out or applied."""

    @property
    def session_id(self) -> str: ...
    @property
    def seq(self) -> int: ...


M = TypeVar("M", bound=Numbered)
Store = Callable[[Topic, str, Event], Awaitable[int]]
PutAside = Callable[[Original, Exception], Awaitable[None]]


class _Kept(NamedTuple):
    at_ms: int
    seq: int
    data: bytes


class CompactedMemory(Generic[M]):
    """One app's memory: the records of the partitions that it holds, by session.

    Kept as the bytes that the topic has, a third of the size of the values, and for as long as the topic keeps them:
    a session must be known for as long as anything of it can come again, and after a restart it is known no longer.
    """

    def __init__(
        self,
        topic: Topic,
        kind: type[M],
        settings: Settings,
        store: Store,
        put_aside: PutAside,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._topic = topic
        self._kind = kind
        self._settings = settings
        self._store = store
        self._put_aside = put_aside
        self._clock = clock
        self._kept_ms = math.inf if topic.retention_ms is None else topic.retention_ms + DAY_MS
        self._headers: Headers = []
        self._records: dict[int, dict[str, _Kept]] = {}

    async def read_back(self, partitions: frozenset[int]) -> None:
        """Read these partitions of the memory to their ends. Raises ``TransientError`` while Kafka is away.

        The highest ``seq`` wins, and of equal ones the later: so a late writer cannot take a session back. Raises
        ``FatalError`` for a record of a newer program: to go on without it would number from 1 again. Whatever else is
        no record of this memory is put aside, and what the app itself wrote counts: a live session is written again
        within minutes, and Kafka compacts no sooner than after an hour.
        """
        found: dict[int, dict[str, _Kept]] = {partition: {} for partition in partitions}
        if partitions:
            async with open_reader(self._settings, [self._topic], sorted(partitions)) as reader:
                async for record in read_to_end(reader):
                    value = await self._read(record)
                    if value is None:
                        continue
                    records = found[record.partition]
                    known = records.get(value.session_id)
                    if known is None or value.seq >= known.seq:
                        self._keep(records, value, record.timestamp)
        self._records = found

    async def _read(self, record: Record) -> M | None:
        if record.value is None:
            return None
        try:
            value = decode(record.value, record.headers)
            if not isinstance(value, self._kind):
                raise PoisonError(f"the memory holds a {value.type} event")  # noqa: TRY301 - put aside like the others
            if record.key != value.session_id.encode():
                raise PoisonError(f"the memory of session {value.session_id} has another key")  # noqa: TRY301
        except NewerError as error:
            raise FatalError(
                f"the memory topic {record.topic}, partition {record.partition}, offset {record.offset}, holds a "
                f"record that this version cannot read: {error}. Run the version that wrote it, or a later one"
            ) from error
        except PoisonError as error:
            log.warning("%s-%d@%d is not read back: %s", record.topic, record.partition, record.offset, error)
            await self._put_aside(self._original(record), error)
            return None
        return value

    def _original(self, record: Record) -> Original:
        return Original(
            topic=self._topic,
            partition=record.partition,
            offset=record.offset,
            timestamp_ms=clock_ms(record.timestamp),
            key=record.key,
            value=record.value,
            headers=list(record.headers),
        )

    def forget(self) -> None:
        """Forget all partitions: the log has everything."""
        self._records.clear()

    def get(self, partition: int, session_id: str) -> M | None:
        """What is remembered of a session. Raises ``KeyError`` for a partition that was not read back."""
        kept = self._records[partition].get(session_id)
        return None if kept is None else self._value(kept)

    def all(self, partition: int) -> Iterator[M]:
        """Everything remembered in a partition, one after the other."""
        return map(self._value, list(self._records[partition].values()))

    async def put(self, partition: int, record: M) -> None:
        """Store a record; durable on return."""
        await self._store(self._topic, record.session_id, record)  # type: ignore[arg-type]
        self._keep(self._records[partition], record, round(self._clock() * 1000))

    def _keep(self, records: dict[str, _Kept], value: M, at_ms: int) -> None:
        data, self._headers = encode(value)  # type: ignore[arg-type]
        records.pop(value.session_id, None)
        records[value.session_id] = _Kept(at_ms, value.seq, data)
        oldest = next(iter(records))  # they lie in the order in which they were written
        while records[oldest].at_ms < at_ms - self._kept_ms:
            del records[oldest]
            oldest = next(iter(records))

    def _value(self, kept: _Kept) -> M:
        return decode(kept.data, self._headers)  # type: ignore[return-value]
