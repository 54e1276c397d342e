"""Readiness is asked where a part listens."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from undertone.commands.doctor import _port
from undertone.local.ports import free_ports
from undertone.local.up import Up
from undertone.settings import Settings

HOSTS = ["127.0.0.1", "127.0.0.2", "0.0.0.0", "::", "::1"]


@asynccontextmanager
async def ready_part(host: str, port: int) -> AsyncIterator[None]:
    """Something that listens there and nowhere else, and is ready."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n{}")
        writer.close()
        await writer.wait_closed()

    async with await asyncio.start_server(answer, host, port):
        yield


@pytest.mark.parametrize("host", HOSTS)
async def test_up_asks_the_web_and_the_workers_where_they_listen(host: str, tmp_path: Path) -> None:
    (port,) = free_ports(1)
    up = Up(Settings(home=tmp_path, cache=tmp_path, host=host, port=port, health_host=host), demo=False)
    for name in ("web", "archivist"):
        part = up._programs[name]
        assert part.health is not None
        assert await part.why_not_ready() == "does not answer yet"
        async with ready_part(*part.health):
            assert await part.why_not_ready() is None


@pytest.mark.parametrize("host", HOSTS)
async def test_the_doctor_knows_an_undertone_that_runs_there(host: str) -> None:
    (port,) = free_ports(1)
    settings = Settings(host=host, port=port)
    assert "is free" in _port(settings)
    async with ready_part(host, port):
        assert "Undertone's own" in await asyncio.to_thread(_port, settings)
