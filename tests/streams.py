"""Stream apps run in the test's own loop on the real Kafka, and topics read as anyone may read them."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from aiokafka import AIOKafkaConsumer, TopicPartition

from stream_apps.adapter import Adapter
from stream_apps.dead_letters import DeadLetters
from stream_apps.deliveries import StreamApp
from stream_apps.obedience import Forgetful, Obedient
from stream_apps.presence import Outputs, Presence
from undertone.codec import decode
from undertone.events import Event
from undertone.kafka import Record, client_options, open_publisher, open_reader, read_to_end, topic_name
from undertone.settings import Settings
from undertone.topics import Topic

MakeApp = Callable[[Settings, Outputs, DeadLetters], StreamApp]


@asynccontextmanager
async def running_app(make: MakeApp, settings: Settings, name: str = "test") -> AsyncIterator[Adapter]:
    """An app on its adapter, joined to its group; stopped on exit, as a worker stops on SIGTERM.

    Its dead letters say ``name``.
    """
    async with open_publisher(settings) as publisher:
        outputs = Outputs(publisher, Presence(settings.session_timeout_ms / 1000))
        dead_letters = DeadLetters(name, outputs)
        app = make(settings, outputs, dead_letters)
        adapter = Adapter(Obedient(app, settings) if isinstance(app, Forgetful) else app, settings, dead_letters)
        await adapter.start()
        try:
            yield adapter
        finally:
            await adapter.stop()


async def read_records(settings: Settings, topic: Topic) -> list[Record]:
    """Everything in a topic now, partition by partition in order."""
    async with open_reader(settings, [topic]) as reader:
        return [record async for record in read_to_end(reader)]


async def read_events(settings: Settings, topic: Topic) -> list[Event]:
    """Every event in a topic now; tombstones are none."""
    records = await read_records(settings, topic)
    return [decode(record.value, record.headers) for record in records if record.value is not None]


async def committed(settings: Settings, app: str, topic: Topic, partition: int) -> int | None:
    """What an app has committed of a partition: the next offset to read."""
    consumer = AIOKafkaConsumer(
        **client_options(settings), group_id=f"{settings.topic_prefix}.{app}", enable_auto_commit=False
    )
    await consumer.start()
    try:
        found: int | None = await consumer.committed(TopicPartition(topic_name(settings, topic), partition))
        return found
    finally:
        await consumer.stop()
