"""A record as an app receives it, and the port that an app fills. Knows nothing of Faust."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from undertone.codec import Headers
from undertone.errors import PoisonError
from undertone.identifiers import LAST_TIME_MS
from undertone.topics import Topic


@dataclass(frozen=True, slots=True, kw_only=True)
class Original:
    """A record as it lies in its topic."""

    topic: Topic
    partition: int
    offset: int
    timestamp_ms: int
    key: bytes | None
    value: bytes | None
    headers: Headers


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery(Original):
    """One record of an input. ``settle`` says that all its effects are durable; until then it is not committed.

    ``partitions`` is how many its topic has.
    """

    partitions: int
    settle: Callable[[], None]


def clock_ms(timestamp_ms: float) -> int:
    """What a record's clock says, kept to the times that have a date: producers write there what they like."""
    return round(min(max(timestamp_ms, 0), LAST_TIME_MS))


class GivenOut(PoisonError):  # noqa: N818 - what was done, rather than what is wrong
    """A record could not be processed as it should, and something durable was given out in its place."""


class StreamApp(Protocol):
    """What the Faust adapter runs. Calls come one at a time and never overlap."""

    name: str
    inputs: Sequence[Topic]

    async def assign(self, partitions: frozenset[int]) -> None:
        """These partitions are now ours, and no others: read back their memory. Nothing is delivered before it ends."""

    async def receive(self, delivery: Delivery) -> None:
        """Take a record. A ``PoisonError`` puts it aside: nothing of it is durable but for what ``GivenOut`` says.

        Other errors that leave this stop the worker, and the record will come again.
        """

    async def revoke(self) -> None:
        """All partitions may go to others: stop within 5 s and forget everything that is not durable."""
