"""The clients of Kafka that every part uses: one publisher, one reader without a group.

Everything written goes through ``Publisher``: idempotent, ``acks=all``, placed by session id. Faust is used for
its consumer groups alone (docs/decisions/0002-faust-for-lifecycle-only.md).
"""

import asyncio
import logging
import ssl
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, TypeAlias

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, TopicPartition
from aiokafka.conn import collect_hosts
from aiokafka.errors import KafkaError, MessageSizeTooLargeError, ProducerClosed

from undertone.codec import Headers, encode, encode_audio
from undertone.errors import TransientError
from undertone.events import Event
from undertone.local.ports import is_loopback
from undertone.records import AudioRecord
from undertone.settings import Settings
from undertone.topics import AUDIO, BATCH_BYTES, TOPICS, Topic, place

Record: TypeAlias = "ConsumerRecord[bytes | None, bytes | None]"

FLUSHED_WITHIN_S = 5.0
REQUEST_WITHIN_S = 10.0


def client_options(settings: Settings) -> dict[str, Any]:
    """Options that every aiokafka client takes: where the brokers are and how to log in."""
    options: dict[str, Any] = {
        "bootstrap_servers": settings.brokers(),
        "security_protocol": settings.kafka_security,
    }
    if "SSL" in settings.kafka_security:
        options["ssl_context"] = ssl.create_default_context(
            cafile=str(settings.kafka_ca) if settings.kafka_ca else None
        )
    if "SASL" in settings.kafka_security:
        if all(is_loopback(host) for host, _, _ in collect_hosts(settings.brokers())):
            expect_clear_passwords()
        options |= {
            "sasl_mechanism": settings.kafka_mechanism,
            "sasl_plain_username": settings.kafka_user,
            "sasl_plain_password": settings.kafka_password.get_secret_value() if settings.kafka_password else None,
        }
    return options


def expect_clear_passwords() -> None:
    """Keep aiokafka's warning out of the logs: a password that stays on this machine needs no TLS."""
    logging.getLogger("aiokafka.conn").addFilter(_is_no_clear_password)


def _is_no_clear_password(line: logging.LogRecord) -> bool:
    return line.msg != "Sending username and password in the clear"


def topic_name(settings: Settings, topic: Topic) -> str:
    """The topic's full name, as in ``undertone.audio``."""
    return f"{settings.topic_prefix}.{topic.name}"


class Publisher:
    """Writes records. Each method returns the record's offset once it is durable (``acks=all``)."""

    def __init__(self, producer: AIOKafkaProducer, settings: Settings) -> None:
        self._producer = producer
        self._settings = settings
        self._sent: set[asyncio.Future[Any]] = set()

    async def publish(self, topic: Topic, session_id: str, event: Event, key: str | None = None) -> int:
        """Write an event into the session's partition; ``key`` defaults to the session id."""
        value, headers = encode(event)
        return await self.write(topic, session_id, (key or session_id).encode(), value, headers)

    async def publish_audio(self, record: AudioRecord) -> int:
        """Write one record of a session's log."""
        value, headers = encode_audio(record)
        return await self.write(AUDIO, record.session_id, record.session_id.encode(), value, headers)

    async def write(self, topic: Topic, session_id: str, key: bytes, value: bytes | None, headers: Headers) -> int:
        """Write raw bytes into the session's partition; ``value`` None is a tombstone, which ends what the key held.

        Raises ``TransientError`` when Kafka does not take them.
        """
        return await (await self.submit(topic, session_id, key, value, headers))

    async def submit_audio(self, record: AudioRecord) -> Awaitable[int]:
        """Hand over one record of a session's log without waiting for the broker: see ``submit``."""
        value, headers = encode_audio(record)
        return await self.submit(AUDIO, record.session_id, record.session_id.encode(), value, headers)

    async def partitions(self, topic: Topic) -> int:
        """How many partitions a topic has. Raises ``TransientError`` while Kafka is away."""
        name = topic_name(self._settings, topic)
        try:
            return len(await self._producer.partitions_for(name))
        except KafkaError as error:
            raise TransientError(f"Kafka does not tell the partitions of {name}: {error!r}") from error

    async def submit(
        self, topic: Topic, session_id: str, key: bytes, value: bytes | None, headers: Headers
    ) -> Awaitable[int]:
        """Take a record in and return what gives its offset once it is durable; both raise ``TransientError``.

        Records submitted one after the other keep their order in the log. While the brokers are away the producer
        tries on without end, so that a caller who must answer bounds the wait; when the publisher is closed, whoever
        still waits is told.
        """
        name = topic_name(self._settings, topic)
        try:
            # Never left to the broker: a batch that it refuses takes those behind it along.
            size = len(key) + len(value or b"") + sum(len(given or b"") + len(header) for header, given in headers)
            if size > topic.max_bytes:
                raise MessageSizeTooLargeError(f"{size} bytes, and {topic.max_bytes} are taken")
            partitions = await self._producer.partitions_for(name)
            sent = await self._producer.send(name, value, key, place(session_id, len(partitions)), headers=headers)
        except KafkaError as error:
            raise _not_taken(name, error) from error
        self._sent.add(sent)
        sent.add_done_callback(self._sent.discard)
        return _offset_of(sent, name)

    def give_up(self) -> None:
        """Tell those who wait for a record that is on its way: whether Kafka has it is not known."""
        for sent in tuple(self._sent):
            if not sent.done():
                sent.set_exception(ProducerClosed("it was closed before Kafka had answered"))


async def _offset_of(sent: Awaitable[Any], name: str) -> int:
    try:
        return int((await sent).offset)
    except KafkaError as error:
        raise _not_taken(name, error) from error


def _not_taken(name: str, error: KafkaError) -> TransientError:
    return TransientError(f"Kafka did not take a record for {name}: {error!r}")


@asynccontextmanager
async def open_publisher(settings: Settings, linger_ms: int = 0) -> AsyncIterator[Publisher]:
    """A started publisher, flushed and closed on exit. Raises ``TransientError`` while Kafka cannot be reached.

    Records wait for others for ``linger_ms``, to go in one request.

    Flushing takes at most ``FLUSHED_WITHIN_S``: with the brokers away, what is not acknowledged by then is given up,
    and who waits for it gets a ``TransientError``; who still waits to submit, within ``REQUEST_WITHIN_S``.
    """
    producer = AIOKafkaProducer(
        **client_options(settings),
        acks="all",
        enable_idempotence=True,
        linger_ms=linger_ms,
        max_request_size=max(topic.max_bytes for topic in TOPICS) + BATCH_BYTES,
        request_timeout_ms=round(REQUEST_WITHIN_S * 1000),
    )
    try:
        await producer.start()
    except KafkaError as error:
        await producer.stop()
        raise TransientError(f"Kafka at {settings.brokers()} cannot be reached: {error!r}") from error
    publisher = Publisher(producer, settings)
    try:
        yield publisher
    finally:
        await _stop(producer, publisher)


async def _stop(producer: AIOKafkaProducer, publisher: Publisher) -> None:
    stopping = asyncio.ensure_future(producer.stop())
    done, _ = await asyncio.wait([stopping], timeout=FLUSHED_WITHIN_S)
    if not done:
        publisher.give_up()  # aiokafka tells nobody, and forgets them
        # An idempotent producer never gives a batch up, and its stop() waits for them all, or for its sender's end.
        producer._sender.sender_task.cancel()  # noqa: SLF001
    await stopping


@asynccontextmanager
async def open_reader(
    settings: Settings, topics: Sequence[Topic], partitions: Sequence[int] | None = None
) -> AsyncIterator[AIOKafkaConsumer]:
    """A consumer without a group, assigned to ``partitions`` (default: all) of ``topics``, at their beginning."""
    consumer = AIOKafkaConsumer(
        **client_options(settings),
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        fetch_max_wait_ms=100,
    )
    try:
        try:
            await consumer.start()
        except KafkaError as error:
            raise TransientError(f"Kafka at {settings.brokers()} cannot be reached: {error!r}") from error
        assignment = []
        for topic in topics:
            name = topic_name(settings, topic)
            numbers = partitions if partitions is not None else await _partitions_of(consumer, name)
            assignment += [TopicPartition(name, number) for number in numbers]
        consumer.assign(assignment)
        await consumer.seek_to_beginning(*assignment)
        yield consumer
    finally:
        await _close(consumer)


async def _close(consumer: AIOKafkaConsumer) -> None:
    """Stop the consumer, with the brokers away too.

    aiokafka's ``stop`` awaits fetches that it has cancelled. One that waits to try again lets the ``CancelledError``
    out, and the connections stay open. To its caller that looks as if the caller had been cancelled.
    """
    stopping = asyncio.ensure_future(consumer.stop())
    await asyncio.wait([stopping])
    if stopping.cancelled():
        await consumer._client.close()  # noqa: SLF001 - what ``stop`` did not come to
    else:
        stopping.result()


async def read_to_end(consumer: AIOKafkaConsumer) -> AsyncIterator[Record]:
    """Every record from the consumer's positions to the ends that its partitions had when the reading began.

    Raises ``TransientError`` if Kafka goes away meanwhile.
    """
    try:
        async for record in read_up_to(consumer, await consumer.end_offsets(list(consumer.assignment()))):
            yield record
    except KafkaError as error:
        raise TransientError(f"Kafka went away while a topic was read to its end: {error!r}") from error


async def read_up_to(consumer: AIOKafkaConsumer, ends: Mapping[TopicPartition, int]) -> AsyncGenerator[Record, None]:
    """Every record from the consumer's positions up to the offsets ``ends``, and some behind them that came along.

    Where the log begins beyond a position, from its beginning on. Raises ``KafkaError``.
    """
    left = set()
    for partition, end in ends.items():
        if await consumer.position(partition) < end:
            left.add(partition)
    while left:
        batches = await consumer.getmany(*left, timeout_ms=200)
        for records in batches.values():
            for record in records:
                yield record
        for partition in list(left):
            if await consumer.position(partition) >= ends[partition]:
                left.discard(partition)


async def _partitions_of(consumer: AIOKafkaConsumer, name: str) -> list[int]:
    await consumer._client.force_metadata_update()  # noqa: SLF001 - aiokafka has no public way for an unsubscribed topic
    numbers = consumer.partitions_for_topic(name)
    if not numbers:
        raise TransientError(f"the topic {name} does not exist: create the topics with `undertone topics apply`")
    return sorted(numbers)
