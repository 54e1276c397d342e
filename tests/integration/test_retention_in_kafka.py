"""What Kafka really removes, and when: a broker that looks for it all the time, and records of another age."""

import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from tests.conftest import running
from tests.storage_events import session_id
from tests.streams import read_records
from tests.waiting import until
from undertone.bootstrap import apply_topics
from undertone.kafka import client_options, open_publisher, topic_name
from undertone.local.kafka import EmbeddedKafka
from undertone.retention import retention_ms
from undertone.settings import Settings
from undertone.topics import AUDIO, DAY_MS, DEAD_LETTERS, HOUR_MS, TRANSCRIPTS, UTTERANCES, Topic, place

LOOKS_ALL_THE_TIME = {
    "log.initial.task.delay.ms": "500",
    "log.retention.check.interval.ms": "300",
    "log.cleaner.backoff.ms": "300",
    "log.segment.delete.delay.ms": "0",
}


@pytest.fixture(scope="module")
def quick(tmp_path_factory: pytest.TempPathFactory, kafka_jars: Path) -> Iterator[EmbeddedKafka]:
    server = EmbeddedKafka(tmp_path_factory.mktemp("quick"), kafka_jars, LOOKS_ALL_THE_TIME)
    with running(server):
        yield server


@pytest.fixture
async def producer(quick: EmbeddedKafka, settings: Settings) -> AsyncIterator[AIOKafkaProducer]:
    async with AIOKafkaProducer(**client_options(quick.reached(settings)), acks="all") as producer:
        yield producer


async def write(
    producer: AIOKafkaProducer, settings: Settings, topic: Topic, value: bytes, age_ms: int, key: str
) -> None:
    partition = place(session_id(), settings.partitions)
    at_ms = time.time_ns() // 1_000_000 - age_ms
    await producer.send_and_wait(topic_name(settings, topic), value, key.encode(), partition, at_ms)


@pytest.mark.parametrize(
    ("topic", "given"),
    [
        (AUDIO, {"audio_retention_hours": 8}),
        (AUDIO, {}),
        (TRANSCRIPTS, {}),
        (TRANSCRIPTS, {"text_retention_days": 2}),
        (DEAD_LETTERS, {"text_retention_days": 2}),
    ],
    ids=lambda value: str(getattr(value, "name", value)),
)
async def test_a_record_past_its_age_goes_though_others_still_come(
    quick: EmbeddedKafka, settings: Settings, producer: AIOKafkaProducer, topic: Topic, given: dict[str, int]
) -> None:
    """Kafka removes whole segments: one that is never closed would keep the old as long as anything new comes.

    Topics that are compacted are not here: compaction joins segments, and what is joined to the young grows old later.
    """
    aged = quick.reached(settings).model_copy(update=given)
    await apply_topics(aged)
    keep_ms = retention_ms(topic, aged)
    assert keep_ms is not None
    segment_ms = topic.segment_ms(keep_ms)
    ages_ms = [keep_ms + segment_ms + HOUR_MS, keep_ms - HOUR_MS, keep_ms - segment_ms - HOUR_MS, 0]
    for age_ms in ages_ms:
        await write(producer, aged, topic, b"%d" % age_ms, age_ms, f"{session_id()}-{age_ms}")

    async def is_gone() -> bool:
        return [record.value for record in await read_records(aged, topic)] == [b"%d" % age for age in ages_ms[1:]]

    await until(is_gone, 30)


async def test_text_is_gone_from_a_compacted_topic_behind_its_tombstone(
    quick: EmbeddedKafka, settings: Settings, producer: AIOKafkaProducer
) -> None:
    own = quick.reached(settings)
    await apply_topics(own)
    await set_config(own, UTTERANCES, {"max.compaction.lag.ms": "1000", "segment.ms": "100"})
    await write(producer, own, UTTERANCES, b"secret", 2 * HOUR_MS, session_id())
    async with open_publisher(own) as publisher:
        await publisher.write(UTTERANCES, session_id(), session_id().encode(), None, [])

    async def is_gone() -> bool:
        await publish_other(producer, own)
        records = await read_records(own, UTTERANCES)
        return b"secret" not in {record.value for record in records} and any(
            record.key == b"other" for record in records
        )

    await until(is_gone, 30)


async def publish_other(producer: AIOKafkaProducer, settings: Settings) -> None:
    """Something else is said: a segment is closed when the next record comes."""
    partition = place(session_id(), settings.partitions)
    await producer.send_and_wait(topic_name(settings, UTTERANCES), b"public", b"other", partition)


async def set_config(settings: Settings, topic: Topic, changes: dict[str, str]) -> None:
    """A day of the topic's life in a second."""
    config = {**topic.config(retention_ms(topic, settings)), **changes}
    assert topic.config()["max.compaction.lag.ms"] == str(DAY_MS)
    admin = AIOKafkaAdminClient(**client_options(settings))
    await admin.start()
    await admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, topic_name(settings, topic), config)])
    await admin.close()
