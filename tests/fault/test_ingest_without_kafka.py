"""A Kafka that is killed in the middle of a recording, and comes back."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from tests.ingest_serving import heard, pcm, read_log, serve_ingest
from tests.waiting import until
from undertone.bootstrap import apply_topics
from undertone.local.kafka import EmbeddedKafka
from undertone.recorder import open_recorder
from undertone.settings import Settings


@pytest.fixture
async def own_kafka(tmp_path: Path, kafka_jars: Path) -> AsyncIterator[EmbeddedKafka]:
    kafka = EmbeddedKafka(tmp_path, kafka_jars)
    await kafka.start()
    try:
        yield kafka
    finally:
        await kafka.stop()


async def test_a_recording_outlives_a_kafka_that_is_killed(own_kafka: EmbeddedKafka, tmp_path: Path) -> None:
    settings = Settings(
        home=tmp_path / "home",
        kafka=own_kafka.brokers,
        partitions=2,
        secret=SecretStr("a-secret-of-this-test-alone-and-no-other"),
        access="open",
    )
    await apply_topics(settings)
    async with serve_ingest(settings) as served, open_recorder(served.url) as recorder:

        async def why_not_ready() -> str:
            return str((await served.http.get("/readyz")).json().get("reason"))

        async def says_that_it_is_away() -> bool:
            return await why_not_ready() == "Kafka cannot be reached"

        def all_is_durable() -> bool:
            return recorder.acknowledged == recorder.next_sample

        for index in range(20):
            await recorder.write(pcm(index * 1600, 1600))
        await until(all_is_durable, 20)

        own_kafka.child.kill()
        for index in range(20, 80):
            await recorder.write(pcm(index * 1600, 1600))
        await until(says_that_it_is_away, 60)
        assert recorder.acknowledged == 20 * 1600

        await own_kafka.start()
        for index in range(80, 100):
            await recorder.write(pcm(index * 1600, 1600))
        await until(all_is_durable, 90)
        assert recorder.connections > 1
        log = await read_log(settings, recorder.keys.session_id)
    assert heard(log) == (pcm(0, 100 * 1600), [])
