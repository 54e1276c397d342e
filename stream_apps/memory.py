"""Compacted memory: a topic that an app writes is read back by it, so that the topic is all it needs to remember.

The order is always: outputs, then memory, then acknowledgement, each awaited. Nothing here is cached on disk.
"""

from collections.abc import Awaitable, Callable
from typing import Generic, Protocol, TypeVar

from undertone.codec import decode
from undertone.errors import FatalError, PoisonError
from undertone.events import Event
from undertone.kafka import Record, open_reader, read_to_end
from undertone.settings import Settings
from undertone.topics import Topic


class Numbered(Protocol):
    """A memory record: one per session, numbered by what the app has given out or applied."""

    @property
    def session_id(self) -> str: ...
    @property
    def seq(self) -> int: ...


M = TypeVar("M", bound=Numbered)
Store = Callable[[Topic, str, Event], Awaitable[int]]


class CompactedMemory(Generic[M]):
    """One app's memory: the records of the partitions that it holds, by session."""

    def __init__(self, topic: Topic, kind: type[M], settings: Settings, store: Store) -> None:
        self._topic = topic
        self._kind = kind
        self._settings = settings
        self._store = store
        self._records: dict[int, dict[str, M]] = {}

    async def read_back(self, partitions: frozenset[int]) -> None:
        """Read these partitions of the memory to their ends. Raises ``TransientError`` while Kafka is away.

        The highest ``seq`` wins, and of equal ones the later: so a late writer cannot take a session back. Raises
        ``FatalError`` for a record that this program cannot read: to go on without it would number from 1 again.
        """
        found: dict[int, dict[str, M]] = {partition: {} for partition in partitions}
        if partitions:
            async with open_reader(self._settings, [self._topic], sorted(partitions)) as reader:
                async for record in read_to_end(reader):
                    value = self._read(record)
                    records = found[record.partition]
                    known = records.get(value.session_id)
                    if known is None or value.seq >= known.seq:
                        records[value.session_id] = value
        self._records = found

    def _read(self, record: Record) -> M:
        try:
            value = decode(record.value, record.headers)
        except PoisonError as error:
            raise self._unreadable(record, str(error)) from error
        if not isinstance(value, self._kind):
            raise self._unreadable(record, f"it is a {value.type} event")
        return value

    def _unreadable(self, record: Record, why: str) -> FatalError:
        return FatalError(
            f"the memory topic {record.topic}, partition {record.partition}, offset {record.offset}, holds a "
            f"record that this version cannot read: {why}. Run the version that wrote it, or a later one"
        )

    def forget(self) -> None:
        """Forget all partitions: the log has everything."""
        self._records.clear()

    def get(self, partition: int, session_id: str) -> M | None:
        """What is remembered of a session. Raises ``KeyError`` for a partition that was not read back."""
        return self._records[partition].get(session_id)

    def all(self, partition: int) -> list[M]:
        """Everything remembered in a partition."""
        return list(self._records[partition].values())

    async def put(self, partition: int, record: M) -> None:
        """Store a record; durable on return."""
        await self._store(self._topic, record.session_id, record)  # type: ignore[arg-type]
        self._records[partition][record.session_id] = record
