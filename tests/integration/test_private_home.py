"""What another user of the same computer gets of a home: nothing, over no port and from no file."""

import logging
import os
import socket
import stat
import tempfile
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.conn import create_conn
from aiokafka.errors import KafkaError, SaslAuthenticationFailed
from aiokafka.protocol.metadata import MetadataRequest

from models.sentiment import make_router
from stream_apps.classifier import Classifier
from stream_apps.dead_letters import DeadLetters
from stream_apps.presence import Outputs
from tests.streams import running_app
from tests.waiting import until
from undertone.bootstrap import check_kafka
from undertone.errors import FatalError
from undertone.kafka import client_options
from undertone.local.child import Child, Command
from undertone.local.home import hold_home
from undertone.local.kafka import EmbeddedKafka
from undertone.local.ports import LOOPBACK, free_ports
from undertone.settings import Settings

TOPIC = TopicPartition("kept", 0)


async def test_kafka_lets_nobody_in_without_the_password(kafka: EmbeddedKafka, settings: Settings) -> None:
    with_password = {name: value for name, value in client_options(settings).items() if name != "bootstrap_servers"}
    for port in (int(kafka.brokers.rpartition(":")[2]), kafka._controller_port):
        (await create_conn(LOOPBACK, port, **with_password)).close()
        with pytest.raises(SaslAuthenticationFailed):
            await create_conn(LOOPBACK, port, **{**with_password, "sasl_plain_password": "guessed"})
        connection = await create_conn(LOOPBACK, port)  # it tells its version, and nothing else
        with pytest.raises(KafkaError):
            await connection.send(MetadataRequest([]))
        connection.close()


async def test_the_password_that_does_not_leave_the_machine_is_no_warning(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        await check_kafka(settings)
    assert caplog.messages == []


async def test_who_brings_no_password_is_told_before_anything_else(settings: Settings) -> None:
    with pytest.raises(FatalError, match="UNDERTONE_KAFKA_SECURITY=PLAINTEXT"):
        await check_kafka(settings.model_copy(update={"kafka_security": "PLAINTEXT"}))


async def test_a_home_of_before_the_password_keeps_what_it_has_and_is_closed(tmp_path: Path, kafka_jars: Path) -> None:
    home = tmp_path / "home"
    await write_as_before(home, kafka_jars, b"said before")
    home.chmod(0o755)
    for path in home.rglob("*"):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() else 0o644)
    with hold_home(home):
        server = EmbeddedKafka(home, kafka_jars)
        await server.start()
        try:
            options = client_options(server.reached(Settings()))
            async with AIOKafkaConsumer(**options, auto_offset_reset="earliest") as consumer:
                consumer.assign([TOPIC])
                assert (await consumer.getone()).value == b"said before"
            assert open_to_others(home) == []
        finally:
            await server.stop()


async def write_as_before(home: Path, jars: Path, value: bytes) -> None:
    """Format a broker's storage and write a record as versions did whose Kafka asked for no password."""
    data, (port, controller_port) = home / "kafka", free_ports(2)
    data.mkdir(parents=True)
    server = EmbeddedKafka(home, jars)
    (data / "jars").symlink_to(jars)
    (data / "server.properties").write_text(
        f"process.roles=broker,controller\nnode.id=1\ncontroller.quorum.voters=1@{LOOPBACK}:{controller_port}\n"
        f"controller.listener.names=CONTROLLER\nlog.dirs={data}/log\noffsets.topic.replication.factor=1\n"
        f"listeners=PLAINTEXT://{LOOPBACK}:{port},CONTROLLER://{LOOPBACK}:{controller_port}\n"
        "listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT\n"
    )
    format_it = ["kafka.tools.StorageTool", "format", "-t", "VW5kZXJ0b25lLWNvbXBvcw", "-c", "server.properties"]
    for command in (format_it, ["kafka.Kafka", "server.properties"]):
        child = Child(Command("kafka", [*server._java(), *command], home / "before.log", folder=data))
        if command is format_it:
            assert await child.wait() == 0, (home / "before.log").read_text()
    (home / "before.log").unlink()
    try:
        before = Settings(kafka=f"{LOOPBACK}:{port}")
        await until(lambda: is_open(port), 60, "the broker listens")
        admin = AIOKafkaAdminClient(**client_options(before))
        await admin.start()
        await admin.create_topics([NewTopic(TOPIC.topic, 1, 1)])
        await admin.close()
        async with AIOKafkaProducer(**client_options(before), acks="all") as producer:
            await producer.send_and_wait(TOPIC.topic, value, partition=TOPIC.partition)
    finally:
        await child.stop(20)


def is_open(port: int) -> bool:
    with socket.create_connection((LOOPBACK, port), 1):
        return True


def open_to_others(home: Path) -> list[str]:
    """What another user could list, read or write in a home, if it were not for the folders above it."""
    passed = 0o711 if os.geteuid() == 0 else 0o700
    found = [] if not stat.S_IMODE(home.stat().st_mode) & ~passed else [str(home)]
    return found + [str(path) for path in home.iterdir() if stat.S_IMODE(path.stat().st_mode) & 0o077]


async def test_a_worker_needs_no_folder_that_another_user_may_have_taken(
    topics: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    (tmp_path / "undertone-faust").write_text("somebody else's")
    before = sorted(tmp_path.iterdir())

    def classifier(settings: Settings, outputs: Outputs, dead_letters: DeadLetters) -> Classifier:
        return Classifier(make_router("vader", settings.cache).judge, outputs)

    async with running_app(classifier, topics, "classifier") as adapter:
        await until(lambda: adapter.why_not_ready() is None, 30, "the worker is ready")
    assert sorted(tmp_path.iterdir()) == before
