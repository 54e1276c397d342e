"""A part that starts with its Kafka waits in silence; for a Kafka that stays away it warns."""

import asyncio
import logging

import pytest

from tests.waiting import until
from undertone.kafka_start import wait_for_kafka
from undertone.local.ports import LOOPBACK, free_ports
from undertone.settings import Settings


async def hang_up(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.close()


async def test_a_kafka_that_starts_a_little_later_is_no_warning(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    (port,) = free_ports(1)
    waiting = asyncio.create_task(wait_for_kafka(Settings(kafka=f"{LOOPBACK}:{port}"), within_s=60))
    await until(lambda: "waiting up to 60 s for Kafka" in caplog.text, 10)
    async with await asyncio.start_server(hang_up, LOOPBACK, port):
        assert await waiting
    assert [record.levelname for record in caplog.records] == ["INFO"]


async def test_one_of_several_brokers_is_enough(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    nobody, port = free_ports(2)
    async with await asyncio.start_server(hang_up, LOOPBACK, port):
        assert await wait_for_kafka(Settings(kafka=f"{LOOPBACK}:{nobody},{LOOPBACK}:{port}"), within_s=60)
    assert caplog.records == []


async def test_a_kafka_that_stays_away_is_a_warning_with_cause_and_remedy(caplog: pytest.LogCaptureFixture) -> None:
    (port,) = free_ports(1)
    assert not await wait_for_kafka(Settings(kafka=f"{LOOPBACK}:{port}"), within_s=0.3)
    (warning,) = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert f"Kafka at {LOOPBACK}:{port} has accepted no connection" in warning
    assert "refused" in warning.lower() or "connect" in warning.lower()
    assert "start it, or check UNDERTONE_KAFKA" in warning
