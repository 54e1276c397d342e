"""A worker that was away for longer than its session time-out has lost its partitions: it must not write again."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager

from aiokafka.errors import KafkaConnectionError, KafkaError, KafkaTimeoutError

from undertone.errors import FatalError, TransientError
from undertone.events import Event
from undertone.kafka import Publisher
from undertone.retry import retry
from undertone.topics import Topic


class Presence:
    """Notices that this process was away (stopped, swapped out, its loop blocked), by a monotonic clock."""

    def __init__(self, timeout_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._timeout_s = timeout_s
        self._clock = clock
        self._seen_s = clock()

    def begin(self) -> None:
        """Count from now on: before the worker joins its group it has nothing to lose, however slowly it loads."""
        self._seen_s = self._clock()

    def check(self) -> None:
        """Raise ``FatalError`` if the process was away for too long since the last check."""
        now_s = self._clock()
        away_s = now_s - self._seen_s
        if away_s > self._timeout_s:
            raise FatalError(
                f"this worker was away for {away_s:.1f} s, longer than its session time-out of {self._timeout_s:.0f} s "
                "(UNDERTONE_SESSION_TIMEOUT_MS): another may have its partitions, so it stops before it writes"
            )
        self._seen_s = now_s

    async def watch(self) -> None:
        """Check for ever, often enough that a healthy process never looks away."""
        while True:
            self.check()
            await asyncio.sleep(self._timeout_s / 10)


@contextmanager
def hopeless_is_fatal() -> Iterator[None]:
    """Turn what Kafka will refuse again, however often it is asked, into a ``FatalError``."""
    try:
        yield
    except TransientError as error:
        cause = error.__cause__
        away = (KafkaTimeoutError, KafkaConnectionError)
        if isinstance(cause, KafkaError) and not cause.retriable and not isinstance(cause, away):
            raise FatalError(f"{error}: trying again would not help") from error
        raise


class Outputs:
    """What an app writes: durable on return, retried while Kafka is away, never after this worker was away itself."""

    def __init__(self, publisher: Publisher, presence: Presence) -> None:
        self._publisher = publisher
        self.presence = presence

    async def put(self, topic: Topic, session_id: str, event: Event, key: str | None = None) -> int:
        """Write an event; its offset once it is durable. May write twice when Kafka is away: ``seq`` tells repeats."""

        return await self._retry(lambda: self._publisher.publish(topic, session_id, event, key))

    async def bury(self, topic: Topic, session_id: str, key: bytes) -> int:
        """Write a tombstone: compaction removes what ``key`` held. Durable on return, retried as ``put`` is."""
        return await self._retry(lambda: self._publisher.write(topic, session_id, key, None, []))

    async def _retry(self, write: Callable[[], Awaitable[int]]) -> int:
        async def attempt() -> int:
            self.presence.check()
            with hopeless_is_fatal():
                return await write()

        return await retry(attempt)

    @property
    def publisher(self) -> Publisher:
        """The publisher itself, for records that are not events."""
        return self._publisher
