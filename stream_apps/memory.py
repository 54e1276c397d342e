"""Compacted memory: a topic that an app writes is read back by it, so that the topic is all it needs to remember.

The order is always: outputs, then memory, then acknowledgement, each awaited. Nothing here is cached on disk.
"""

from collections.abc import Awaitable, Callable
from typing import Generic, Protocol, TypeVar

from undertone.codec import decode
from undertone.errors import PoisonError
from undertone.events import Event
from undertone.kafka import open_reader, read_to_end
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

    async def read_back(self, partition: int) -> None:
        """Read one partition of the memory to its end. Raises ``TransientError`` while Kafka is away.

        The highest ``seq`` wins, and of equal ones the later: so a late writer cannot take a session back.
        """
        records: dict[str, M] = {}
        async with open_reader(self._settings, [self._topic], [partition]) as reader:
            async for record in read_to_end(reader):
                value = decode(record.value, record.headers)
                if not isinstance(value, self._kind):
                    raise PoisonError(f"{self._topic.name} holds a {type(value).__name__}, which is no memory of it")
                known = records.get(value.session_id)
                if known is None or value.seq >= known.seq:
                    records[value.session_id] = value
        self._records[partition] = records

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
