"""A Kafka that one test has for itself, and may kill or freeze."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from undertone.bootstrap import apply_topics
from undertone.local.kafka import EmbeddedKafka
from undertone.settings import Settings


@pytest.fixture
async def own_kafka(tmp_path: Path, kafka_jars: Path) -> AsyncIterator[EmbeddedKafka]:
    kafka = EmbeddedKafka(tmp_path, kafka_jars)
    await kafka.start()
    try:
        yield kafka
    finally:
        await kafka.stop()


@pytest.fixture
async def alone(own_kafka: EmbeddedKafka, tmp_path: Path) -> Settings:
    """Settings of the Kafka that nobody else has."""
    settings = own_kafka.reached(
        Settings(
            home=tmp_path / "home",
            partitions=2,
            secret=SecretStr("a-secret-of-this-test-alone-and-no-other"),
            access="open",
        )
    )
    await apply_topics(settings)
    return settings
