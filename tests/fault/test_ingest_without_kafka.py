"""A Kafka that is killed in the middle of a recording, or hangs, and comes back."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from websockets.exceptions import ConnectionClosed

from tests.freezing import frozen
from tests.ingest_serving import START, Made, frame, heard, pcm, read_log, read_until, serve_ingest
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


@pytest.fixture
async def alone(own_kafka: EmbeddedKafka, tmp_path: Path) -> Settings:
    """Settings of the Kafka that nobody else has."""
    settings = Settings(
        home=tmp_path / "home",
        kafka=own_kafka.brokers,
        partitions=2,
        secret=SecretStr("a-secret-of-this-test-alone-and-no-other"),
        access="open",
    )
    await apply_topics(settings)
    return settings


async def test_a_recording_outlives_a_kafka_that_is_killed(own_kafka: EmbeddedKafka, alone: Settings) -> None:
    settings = alone
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


async def test_nothing_is_acknowledged_while_kafka_hangs(own_kafka: EmbeddedKafka, alone: Settings) -> None:
    """It keeps its connections and takes what is sent: only its answer says that a record is durable."""
    async with serve_ingest(alone) as served:
        spoken, chunked, stopped, deleted = [await served.make() for _ in range(4)]
        async with served.connect(spoken) as socket:
            await socket.send(json.dumps(START))
            await read_until(socket, "ready")
            with frozen(own_kafka.child.pid):
                await socket.send(frame(0))
                answers = await asyncio.gather(
                    served.http.post("/v1/sessions"),
                    served.http.post(**asking(chunked, "/audio"), content=frame(0)),
                    served.http.post(**asking(stopped, "/stop", next_sample=0)),
                    served.http.delete(**asking(deleted)),
                )
                assert [(answer.status_code, answer.json()["code"]) for answer in answers] == [(503, "kafka_away")] * 4
                told = list[dict[str, Any]]()
                with suppress(ConnectionClosed, TimeoutError):
                    async with asyncio.timeout(0.5):
                        while True:
                            told.append(json.loads(await socket.recv()))
        assert [message for message in told if message["type"] == "ack"] == []


def asking(made: Made, path: str = "", **params: object) -> dict[str, Any]:
    """How one asks for something of a session, by its token."""
    return {"url": f"/v1/sessions/{made.session_id}{path}", "params": {"token": made.write_token, **params}}
