"""Connections that a server must not keep, on a real server, mostly without Kafka: in time, in bytes, in number."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from pydantic import SecretStr

from tests.ingest_serving import Served, serve_ingest
from tests.raw_http import drip, say
from tests.waiting import until
from undertone.access import quotas
from undertone.bootstrap import apply_topics
from undertone.local import request_clock
from undertone.local.kafka import EmbeddedKafka
from undertone.local.ports import LOOPBACK
from undertone.settings import Settings
from undertone.tokens import make_token

SESSION = "01890000-0000-7000-8000-000000000001"
HEALTH = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n"
CHUNK_BYTES = 320_008
PROBE_BYTES = 100_001
ADDRESS_LIMIT = 100


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "home", kafka=f"{LOOPBACK}:9", secret=SecretStr("s" * 64), streams_per_address=1)


@pytest.fixture
async def served(settings: Settings) -> AsyncIterator[Served]:
    async with serve_ingest(settings, ready=False) as running:
        yield running


def port_of(served: Served) -> int:
    port = served.http.base_url.port
    assert port is not None
    return port


def chunk_head(settings: Settings, forwarded_for: str = "", size_bytes: int = CHUNK_BYTES) -> bytes:
    token = make_token(settings.signing_key(), SESSION, "write", datetime.now(UTC), 1)
    lines = [f"POST /v1/sessions/{SESSION}/audio?token={token} HTTP/1.1", "Host: localhost"]
    lines += [f"Content-Length: {size_bytes}"] + ([f"X-Forwarded-For: {forwarded_for}"] if forwarded_for else [])
    return "\r\n".join([*lines, "", ""]).encode()


@asynccontextmanager
async def connected(served: Served) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_connection(LOOPBACK, port_of(served))
    try:
        yield reader, writer
    finally:
        writer.close()


async def is_healthy(served: Served) -> bool:
    async with httpx.AsyncClient() as client:
        try:
            return (await client.get(f"{served.url}/healthz")).status_code == 200
        except httpx.TransportError:
            return False


@pytest.mark.parametrize(
    ("head", "word"),
    [(b"Content-Length: 1000000\r\n\r\n", b"x"), (b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n")],
    ids=["length", "chunked"],
)
async def test_a_body_that_no_route_reads_is_hung_up_on(
    served: Served, monkeypatch: pytest.MonkeyPatch, head: bytes, word: bytes
) -> None:
    monkeypatch.setattr(request_clock, "LEFTOVER_WITHIN_S", 1.0)
    said = await drip(port_of(served), HEALTH + head, word)
    assert said.startswith(b"HTTP/1.1 200"), said


async def test_a_body_that_a_slow_route_does_not_read_is_hung_up_on(
    served: Served, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The route waits for more; the connection has a deadline of its own."""
    monkeypatch.setattr(request_clock, "BODY_SILENT_S", 1.0)
    assert await say(port_of(served), chunk_head(settings) + b"x") == b""


async def test_nothing_between_requests_keeps_a_connection(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(request_clock, "IDLE_WITHIN_S", 1.0)
    said = await drip(port_of(served), HEALTH + b"\r\n", b"\r\n")
    assert said.startswith(b"HTTP/1.1 200"), said


async def test_requests_before_their_answers_are_few(served: Served) -> None:
    few = await say(port_of(served), (HEALTH + b"\r\n") * 4 + HEALTH + b"Connection: close\r\n\r\n")
    assert few.count(b"HTTP/1.1 200") == 5
    many = await say(port_of(served), (HEALTH + b"\r\n") * 5000)
    assert b"HTTP/1.1 400" in many
    assert many.count(b"HTTP/1.1 200") <= 1


@pytest.mark.parametrize(
    "head",
    [
        b"".join(b"a%d: b\r\n" % number for number in range(1000)),
        b"a: " + b"x" * 200_000 + b"\r\n",
        b"Transfer-Encoding: chunked\r\n\r\n0\r\n" + b"".join(b"a%d: b\r\n" % number for number in range(1000)),
    ],
    ids=["many", "long", "trailers"],
)
async def test_headers_and_trailers_are_bounded(served: Served, monkeypatch: pytest.MonkeyPatch, head: bytes) -> None:
    """It is hung up on at once, with 400 where the answer still gets through."""
    monkeypatch.setattr(request_clock, "IDLE_WITHIN_S", 60.0)
    said = await say(port_of(served), HEALTH + head + b"\r\n")
    assert b"HTTP/1.1 400" in said or said == b""


async def test_a_trailer_without_end_is_hung_up_on(served: Served) -> None:
    begin = HEALTH + b"Transfer-Encoding: chunked\r\n\r\n0\r\na: "
    said = await drip(port_of(served), begin, b"x" * 20_000)
    assert said.startswith(b"HTTP/1.1 200"), said


async def test_an_address_has_so_many_connections_and_gets_them_back(served: Served) -> None:
    async with AsyncExitStack() as stack:
        for _ in range(ADDRESS_LIMIT):
            await stack.enter_async_context(connected(served))
        said = await say(port_of(served), b"")
        assert said.startswith(b"HTTP/1.1 429")
        assert b"retry-after: 10" in said
        assert b"too_many_connections" in said
        assert not await is_healthy(served)
    await until(lambda: is_healthy(served), 20, "the connections are given back")


async def test_sockets_count_too_and_are_given_back(settings: Settings, kafka: EmbeddedKafka) -> None:
    ready = kafka.reached(
        settings.model_copy(update={"topic_prefix": f"test-{uuid.uuid4().hex[:12]}", "partitions": 2})
    )
    await apply_topics(ready)  # without Kafka each handshake would wait for it
    token = make_token(settings.signing_key(), SESSION, "write", datetime.now(UTC), 1)
    upgrade = (
        f"GET /v1/sessions/{SESSION}/audio?token={token} HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\n"
        "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
        "Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n"
    ).encode()
    async with serve_ingest(ready) as served:
        for _ in range(ADDRESS_LIMIT + 20):
            async with connected(served) as (reader, writer):
                writer.write(upgrade)
                said = await reader.readuntil(b"\r\n\r\n")
                assert said.startswith(b"HTTP/1.1 101")
                assert b"deflate" not in said, "a compressed message can hold a thousand times its bytes"
            await until(lambda: is_healthy(served), 20)


async def test_the_server_takes_part_of_its_descriptors_and_says_so(settings: Settings) -> None:
    unlimited = settings.model_copy(update={"access": "open"})
    async with serve_ingest(unlimited, ready=False, file_limit=200) as served:
        async with AsyncExitStack() as stack:
            for _ in range(150):
                await stack.enter_async_context(connected(served))
            assert (await say(port_of(served), b"")).startswith(b"HTTP/1.1 503")
        await until(lambda: is_healthy(served), 20, "the connections are given back")


async def test_behind_a_proxy_requests_under_way_count_for_whom_it_names(settings: Settings) -> None:
    async with serve_ingest(settings.model_copy(update={"proxies": LOOPBACK}), ready=False) as served:
        async with AsyncExitStack() as stack:
            for _ in range(ADDRESS_LIMIT):
                _, writer = await stack.enter_async_context(connected(served))
                writer.write(chunk_head(settings, "203.0.113.7"))

            async def ask(address: str) -> int:
                async with httpx.AsyncClient() as client:
                    answer = await client.get(f"{served.url}/healthz", headers={"X-Forwarded-For": address})
                return answer.status_code

            async def is_full() -> bool:
                return await ask("203.0.113.7") == 429

            await until(is_full, 20, "the address has no more")
            assert await ask("203.0.113.8") == 200
        await until(lambda: is_healthy(served), 20)


async def test_unfinished_bodies_have_a_budget_and_the_refusal_is_retryable(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quotas, "BODIES_BYTES_PER_ADDRESS", 1_000_000)
    async with serve_ingest(settings, ready=False) as served:

        async def probe() -> bytes:
            """A chunk that is refused as soon as it is there: half a sample is no audio."""
            head = chunk_head(settings, size_bytes=PROBE_BYTES).replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
            return await say(port_of(served), head + bytes(PROBE_BYTES))

        async with AsyncExitStack() as stack:

            async def is_refused() -> bool:
                _, writer = await stack.enter_async_context(connected(served))
                writer.write(chunk_head(settings) + bytes(CHUNK_BYTES - 100))
                return b"too_many_bodies" in await probe()

            await until(is_refused, 20, "the address holds as much as it may")
            said = await probe()
            assert said.startswith(b"HTTP/1.1 429")
            assert b'"retryable":true' in said

        async def is_taken() -> bool:
            return b"frame_odd" in await probe()

        await until(is_taken, 20, "the bytes are given back")
