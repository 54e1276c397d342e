"""The read side alone, as a process: for benchmarks that write themselves what the workers would have written."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from pydantic import SecretStr

from storage.migrations import upgrade
from tests.serving import WebProcess, running_web
from undertone.bootstrap import apply_topics
from undertone.local.jars import provide_jars, read_pins
from undertone.local.kafka import EmbeddedKafka
from undertone.local.postgres import EmbeddedPostgres
from undertone.settings import Settings


@asynccontextmanager
async def running_hall(home: Path) -> AsyncIterator[tuple[Settings, WebProcess]]:
    """Kafka, PostgreSQL, and dashboards as a process."""
    kafka = EmbeddedKafka(home, provide_jars(Settings().cache, read_pins()))
    postgres = EmbeddedPostgres(home)
    try:
        await asyncio.gather(kafka.start(), postgres.start())
        settings = kafka.reached(
            Settings(
                home=home / "home",
                access="open",
                database=SecretStr(postgres.url),
                secret=SecretStr("a-secret-of-the-benchmark-alone-and-no-other"),
            )
        )
        await apply_topics(settings)
        await asyncio.to_thread(upgrade, postgres.url)
        async with running_web("dashboards", settings, home) as dashboards:
            yield settings, dashboards
    finally:
        await asyncio.gather(kafka.stop(), postgres.stop())
