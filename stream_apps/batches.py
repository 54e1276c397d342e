"""An app that applies its records in batches: by count or by age, whichever comes first; in order per partition."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from stream_apps.dead_letters import DeadLetters
from stream_apps.deliveries import Delivery
from undertone.codec import Headers
from undertone.errors import PoisonError
from undertone.retry import retry
from undertone.settings import Settings
from undertone.topics import Topic

log = logging.getLogger(__name__)

BATCH_RECORDS = 500
BATCH_AFTER_S = 0.1


@dataclass(frozen=True, slots=True)
class Consumed:
    """A record as ``apply`` takes it; ``topic`` is the full name."""

    topic: str
    partition: int
    offset: int
    value: bytes | None
    headers: Headers


Apply = Callable[[Sequence[Consumed]], Awaitable[int]]


class Failing(Protocol):
    """Where a failure is reported: it stops the worker."""

    def fail(self, error: BaseException) -> None: ...


class Batches:
    """Collects records and applies them. ``apply`` is all or nothing, and a batch applied again changes nothing."""

    def __init__(
        self, name: str, inputs: Sequence[Topic], apply: Apply, settings: Settings, dead_letters: DeadLetters
    ) -> None:
        self.name = name
        self.inputs = inputs
        self._apply = apply
        self._prefix = settings.topic_prefix
        self._dead_letters = dead_letters
        self._room = asyncio.Semaphore(2 * BATCH_RECORDS)
        self._waiting: asyncio.Queue[Delivery] = asyncio.Queue()
        self._writing: asyncio.Task[None] | None = None
        self._on_failure: Callable[[BaseException], None] = lambda _: None

    def attach(self, adapter: Failing) -> None:
        """Where to report a failure."""
        self._on_failure = adapter.fail

    async def assign(self, partitions: frozenset[int]) -> None:
        """Begin to apply; the database remembers what it has, so there is nothing to read back."""
        del partitions
        await self.revoke()
        self._writing = asyncio.create_task(self._write())
        self._writing.add_done_callback(self._on_stopped)

    async def revoke(self) -> None:
        """Stop; a batch that is under way is rolled back or will be found applied."""
        if self._writing is not None:
            self._writing.cancel()
            await asyncio.gather(self._writing, return_exceptions=True)
        self._writing = None
        self._waiting = asyncio.Queue()
        self._room = asyncio.Semaphore(2 * BATCH_RECORDS)

    async def receive(self, delivery: Delivery) -> None:
        """Take a record; waits only while a thousand others are not applied."""
        await self._room.acquire()
        self._waiting.put_nowait(delivery)

    async def _write(self) -> None:
        while True:
            batch = [await self._waiting.get()]
            await asyncio.sleep(BATCH_AFTER_S)
            while len(batch) < BATCH_RECORDS and not self._waiting.empty():
                batch.append(self._waiting.get_nowait())
            await self._settle(batch)

    async def _settle(self, batch: Sequence[Delivery]) -> None:
        try:
            await self._try(batch)
        except PoisonError as error:
            if len(batch) == 1:
                await self._dead_letters.put(batch[0], error)
            else:  # one of them: each by itself finds which, and the rest goes on
                for delivery in batch:
                    await self._settle([delivery])
                return
        for delivery in batch:
            delivery.settle()
            self._room.release()

    async def _try(self, batch: Sequence[Delivery]) -> None:
        records = [
            Consumed(f"{self._prefix}.{item.topic.name}", item.partition, item.offset, item.value, item.headers)
            for item in batch
        ]
        await retry(lambda: self._apply(records))

    def _on_stopped(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            self._on_failure(error)
