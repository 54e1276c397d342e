"""The real parts that tests run on: one embedded Kafka and one embedded PostgreSQL for the whole test session."""

import asyncio
import os
import uuid
from collections.abc import AsyncIterator, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import hypothesis
import psycopg
import pytest
from pydantic import SecretStr

from storage.migrations import upgrade
from tests.viewing import Writer
from undertone.bootstrap import apply_topics
from undertone.kafka import open_publisher
from undertone.local.jars import provide_jars, read_pins
from undertone.local.kafka import EmbeddedKafka
from undertone.local.postgres import EmbeddedPostgres
from undertone.settings import Settings

PARTITIONS = 2

# Tests share a machine that may be busy: how long an example takes says nothing.
hypothesis.settings.register_profile("busy machine", hypothesis.settings.default, deadline=None)
hypothesis.settings.load_profile("busy machine")

# Nor are they refused for it; those of the admission say what they want.
os.environ.setdefault("UNDERTONE_REFUSE_ABOVE_S", "0")


class Server(Protocol):
    """What the embedded Kafka and the embedded PostgreSQL have in common."""

    def start(self) -> Coroutine[Any, Any, None]: ...
    def stop(self) -> Coroutine[Any, Any, None]: ...


@contextmanager
def running(server: Server) -> Iterator[None]:
    """A server that runs for the block. Its thread lives as long: a child dies with the thread that started it."""
    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, server.start()).result()
        try:
            yield
        finally:
            thread.submit(asyncio.run, server.stop()).result()


@pytest.fixture(scope="session")
def kafka_jars() -> Path:
    """The folder of Kafka's jars in the ordinary cache, downloaded if need be."""
    return provide_jars(Settings().cache, read_pins())


@pytest.fixture(scope="session")
def kafka(tmp_path_factory: pytest.TempPathFactory, kafka_jars: Path) -> Iterator[EmbeddedKafka]:
    """An embedded Kafka, which asks for a password: ``kafka.reached(settings)`` are the settings that have it.

    Tests keep apart by ``settings.topic_prefix``.
    """
    server = EmbeddedKafka(tmp_path_factory.mktemp("kafka"), kafka_jars)
    with running(server):
        yield server


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of an embedded PostgreSQL, of a database that nobody fills. See ``database``."""
    server = EmbeddedPostgres(tmp_path_factory.mktemp("postgres"))
    with running(server):
        yield server.url


@pytest.fixture
def database(postgres: str) -> Iterator[str]:
    """The URL of a fresh, empty database of this test's own."""
    name = f"test_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}".encode())
        yield f"{postgres.rpartition('/')[0]}/{name}"
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


@pytest.fixture
def settings(kafka: EmbeddedKafka, tmp_path: Path) -> Settings:
    """Settings of this test's own: fresh topic names (``topic_prefix``), few partitions, a home, a secret.

    Nobody is asked for a login; the tests of access set ``access`` to ``closed``.
    There is no database in it: take ``database`` and ``settings.model_copy(update={"database": SecretStr(database)})``.
    The topics do not exist yet: take ``topics``.
    """
    return kafka.reached(
        Settings(
            home=tmp_path / "home",
            topic_prefix=f"test-{uuid.uuid4().hex[:12]}",
            partitions=PARTITIONS,
            secret=SecretStr("a-secret-of-the-tests-" + uuid.uuid4().hex),
            access="open",
        )
    )


@pytest.fixture
async def topics(settings: Settings) -> Settings:
    """``settings``, once their topics exist."""
    await apply_topics(settings)
    return settings


@pytest.fixture
def whole(topics: Settings, database: str) -> Settings:
    """Topics of this test's own, and a database with its tables."""
    upgrade(database)
    return topics.model_copy(update={"database": SecretStr(database)})


@pytest.fixture
async def writer(whole: Settings) -> AsyncIterator[Writer]:
    """What writes to the topics of ``whole`` as the apps do."""
    async with open_publisher(whole) as publisher:
        yield Writer(publisher, whole)
