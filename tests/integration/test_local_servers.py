"""The embedded Kafka and PostgreSQL: what they keep, what they refuse, what they survive."""

import os
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import UnknownTopicOrPartitionError, for_code

from undertone.errors import FatalError
from undertone.kafka import client_options
from undertone.local.kafka import EmbeddedKafka
from undertone.local.postgres import EmbeddedPostgres
from undertone.settings import Settings
from undertone.topics import MAX_RECORD_BYTES

TOPIC = TopicPartition("kept", 0)


def reached(server: EmbeddedKafka) -> dict[str, Any]:
    """What every client of the broker is told."""
    return client_options(server.reached(Settings()))


async def make_topic(server: EmbeddedKafka) -> None:
    admin = AIOKafkaAdminClient(**reached(server))
    await admin.start()
    await admin.create_topics([NewTopic(TOPIC.topic, 1, 1)])
    await admin.close()


async def write(server: EmbeddedKafka, value: bytes) -> None:
    async with AIOKafkaProducer(**reached(server), acks="all", max_request_size=2 * MAX_RECORD_BYTES) as producer:
        await producer.send_and_wait(TOPIC.topic, value, partition=TOPIC.partition)


async def read_lengths(server: EmbeddedKafka, count: int) -> list[int]:
    consumer = AIOKafkaConsumer(**reached(server), auto_offset_reset="earliest")
    await consumer.start()
    try:
        consumer.assign([TOPIC])
        return [len((await consumer.getone()).value or b"") for _ in range(count)]
    finally:
        await consumer.stop()


async def test_kafka_keeps_what_was_acknowledged_over_a_stop_and_over_sigkill(tmp_path: Path, kafka_jars: Path) -> None:
    first = EmbeddedKafka(tmp_path, kafka_jars)
    await first.start()
    try:
        await make_topic(first)
        await write(first, b"a" * MAX_RECORD_BYTES)
    finally:
        await first.stop()
    second = EmbeddedKafka(tmp_path, kafka_jars)
    await second.start()
    try:
        await write(second, b"b" * 10)
        second.child.kill()
        await second.start()
        assert await read_lengths(second, 2) == [MAX_RECORD_BYTES, 10]
    finally:
        await second.stop()


async def test_kafka_makes_no_topic_that_nobody_asked_for(kafka: EmbeddedKafka) -> None:
    admin = AIOKafkaAdminClient(**reached(kafka))
    await admin.start()
    try:
        (described,) = await admin.describe_topics(["nobody-asked-for-this"])
        assert for_code(described["error_code"]) is UnknownTopicOrPartitionError
        assert "nobody-asked-for-this" not in await admin.list_topics()
    finally:
        await admin.close()


async def test_a_kafka_that_cannot_start_says_why_and_where_its_log_is(tmp_path: Path, kafka_jars: Path) -> None:
    broken = EmbeddedKafka(tmp_path, kafka_jars, {"num.io.threads": "none"})
    with pytest.raises(FatalError, match="none"):
        await broken.start()


async def test_postgres_keeps_what_was_committed_over_a_stop_and_over_sigkill(tmp_path: Path) -> None:
    first = EmbeddedPostgres(tmp_path)
    await first.start()
    try:
        with psycopg.connect(first.url) as connection:
            connection.execute("CREATE TABLE kept (word text)")
            connection.execute("INSERT INTO kept VALUES ('안녕하세요')")
    finally:
        await first.stop()
    second = EmbeddedPostgres(tmp_path)
    await second.start()
    try:
        second.child.kill()
        assert (tmp_path / "postgres" / "postmaster.pid").exists()
        await second.start()
        with psycopg.connect(second.url) as connection:
            assert connection.execute("SELECT word FROM kept").fetchall() == [("안녕하세요",)]
            assert connection.info.encoding == "utf-8"
    finally:
        await second.stop()


async def test_a_process_id_that_is_somebody_elses_by_now_does_not_keep_postgres_from_starting(tmp_path: Path) -> None:
    server = EmbeddedPostgres(tmp_path)
    await server.start()
    await server.stop()
    pid_file = tmp_path / "postgres" / "postmaster.pid"
    pid_file.write_text(f"{os.getpid()}\n{tmp_path / 'postgres'}\n")
    await server.start()
    try:
        with psycopg.connect(server.url) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)
    finally:
        await server.stop()


async def test_an_interrupted_making_of_data_is_made_anew(tmp_path: Path) -> None:
    half = tmp_path / "postgres.new"
    half.mkdir()
    (half / "PG_VERSION").write_text("18\n")
    server = EmbeddedPostgres(tmp_path)
    await server.start()
    try:
        assert not half.exists()
    finally:
        await server.stop()


def test_postgres_asks_for_the_password(postgres: str) -> None:
    password = urlsplit(postgres).password or ""
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(postgres.replace(password, "wrong"))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has to become somebody else")
async def test_under_root_postgres_is_somebody_else_behind_doors_that_only_root_may_pass(tmp_path: Path) -> None:
    locked = tmp_path / "locked"
    locked.mkdir(mode=0o700)
    home = locked / "home"
    home.mkdir()
    server = EmbeddedPostgres(home)
    await server.start()
    try:
        assert (home / "postgres").stat().st_uid != 0
        with psycopg.connect(server.url) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)
    finally:
        await server.stop()
