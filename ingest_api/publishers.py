"""The one publisher of this process: opened in the background, replaced after a failure, waited for in bounded time."""

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress

from undertone.codec import encode
from undertone.errors import Refusal, TransientError
from undertone.events import Event
from undertone.kafka import Publisher, open_publisher
from undertone.kafka_start import wait_for_kafka
from undertone.records import AudioRecord
from undertone.retry import backoff_s
from undertone.settings import Settings
from undertone.topics import Topic

LOG = logging.getLogger(__name__)

ANSWER_WITHIN_S = 8.0
STALLED_AFTER_S = 5.0
# The audio of many recorders goes to Kafka, and on to the transcriber, in one request.
LINGER_MS = 20


class Publishers:
    """Writes records. ``run`` keeps a publisher open; the others raise ``Refusal`` while Kafka is away."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._publisher: Publisher | None = None
        self._is_open = asyncio.Event()
        self._is_broken = asyncio.Event()
        self._in_flight = 0
        self._waiting_since: float | None = None

    async def run(self) -> None:
        """Keep a publisher open until cancelled."""
        await wait_for_kafka(self._settings)
        attempt = 0
        while True:
            try:
                async with open_publisher(self._settings, LINGER_MS) as self._publisher:
                    attempt = 0
                    self._is_broken.clear()
                    self._is_open.set()
                    await self._is_broken.wait()
            except TransientError as error:
                LOG.warning("%s; trying again", error)
            finally:
                self._publisher = None
                self._is_open.clear()
            attempt += 1
            await asyncio.sleep(backoff_s(attempt, random.random()))  # noqa: S311 - jitter, no secret

    def why_not_ready(self) -> str | None:
        """None when records are written, else the reason."""
        if self._publisher is None:
            return "Kafka cannot be reached"
        if self._waiting_since is not None and time.monotonic() - self._waiting_since > STALLED_AFTER_S:
            return "Kafka does not acknowledge records"
        return None

    async def submit(self, record: AudioRecord) -> "asyncio.Task[int]":
        """Hand a record over; records submitted one after the other keep their order.

        The task returned gives the offset once the record is durable; task and call raise ``Refusal`` ``kafka_away``.
        """
        return await self._submit(lambda publisher: publisher.submit_audio(record))

    async def _submit(self, hand_over: Callable[[Publisher], Awaitable[Awaitable[int]]]) -> "asyncio.Task[int]":
        try:
            async with asyncio.timeout(ANSWER_WITHIN_S):
                await self._is_open.wait()
        except TimeoutError as error:
            raise kafka_away() from error
        publisher = self._publisher
        if publisher is None:
            raise kafka_away()
        try:
            durable = await hand_over(publisher)
        except TransientError as error:
            self._report(publisher, error)
            raise kafka_away() from error

        async def offset() -> int:
            self._in_flight += 1
            if self._waiting_since is None:
                self._waiting_since = time.monotonic()
            try:
                result = await durable
                self._waiting_since = time.monotonic()
            except TransientError as error:
                self._report(publisher, error)
                raise kafka_away() from error
            finally:
                self._in_flight -= 1
                if self._in_flight == 0:
                    self._waiting_since = None
            return result

        task = asyncio.create_task(offset())
        task.add_done_callback(_retrieve)
        return task

    async def publish(self, *records: AudioRecord) -> None:
        """Write records in order and return when all are durable, or raise ``Refusal`` ``kafka_away`` in time."""
        try:
            async with asyncio.timeout(ANSWER_WITHIN_S):
                tasks = [await self.submit(record) for record in records]
                for task in tasks:
                    await asyncio.shield(task)
        except TimeoutError as error:
            raise kafka_away() from error

    async def announce(self, topic: Topic, session_id: str, event: Event) -> None:
        """Write an event under the session's key; returns and raises as ``publish``."""
        value, headers = encode(event)
        try:
            async with asyncio.timeout(ANSWER_WITHIN_S):
                await asyncio.shield(
                    await self._submit(
                        lambda publisher: publisher.submit(topic, session_id, session_id.encode(), value, headers)
                    )
                )
        except TimeoutError as error:
            raise kafka_away() from error

    def _report(self, publisher: Publisher, error: TransientError) -> None:
        if publisher is self._publisher:
            LOG.warning("%s; opening a new publisher", error)
            self._is_open.clear()
            self._is_broken.set()


def kafka_away() -> Refusal:
    """The answer while Kafka does not take records."""
    return Refusal(
        "kafka_away",
        "nothing can be stored right now: keep what is not acknowledged and try again",
        status=503,
        retryable=True,
        retry_after_ms=2000,
    )


def _retrieve(task: "asyncio.Task[int]") -> None:
    # A connection that ends leaves records on their way; nobody asks for their outcome any more.
    with suppress(asyncio.CancelledError):
        task.exception()
