"""A record as an app receives it, and the port that an app fills. Knows nothing of Faust."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from undertone.codec import Headers
from undertone.topics import Topic


@dataclass(frozen=True, slots=True)
class Delivery:
    """One record of an input. ``settle`` says that all its effects are durable; until then it is not committed."""

    topic: Topic
    partition: int
    offset: int
    timestamp_ms: int
    key: bytes | None
    value: bytes | None
    headers: Headers
    settle: Callable[[], None]


class StreamApp(Protocol):
    """What the Faust adapter runs. Calls come one at a time and never overlap."""

    name: str
    inputs: Sequence[Topic]

    async def assign(self, partitions: frozenset[int]) -> None:
        """These partitions are now ours, and no others: read back their memory. Nothing is delivered before it ends."""

    async def receive(self, delivery: Delivery) -> None:
        """Take a record. Errors that leave this stop the worker, and the record will come again."""

    async def revoke(self) -> None:
        """All partitions may go to others: stop within 5 s and forget everything that is not durable."""
