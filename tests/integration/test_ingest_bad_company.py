"""Recorders that do harm, beside one that speaks as people do: on a real server and a real Kafka."""

import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest
from websockets.asyncio.client import ClientConnection

from ingest_api import bodies
from ingest_api.websocket import START_WITHIN_S
from tests.ingest_serving import START, Made, Served, frame, read_log, read_until, serve_ingest
from tests.raw_http import drip
from undertone import refusals
from undertone.local import request_clock
from undertone.records import Audio
from undertone.settings import Settings

FRAMES = 20
ACKNOWLEDGED_WITHIN_S = 3.0


@pytest.fixture
async def served(topics: Settings) -> AsyncIterator[Served]:
    async with serve_ingest(topics) as running:
        yield running


def port_of(served: Served) -> int:
    port = served.http.base_url.port
    assert port is not None
    return port


async def begin(socket: ClientConnection) -> None:
    await socket.send(json.dumps(START))
    await read_until(socket, "ready")


async def speak(served: Served) -> float:
    """A recorder that sends 100 ms of audio when the last are acknowledged; the longest that it had to wait."""
    made, longest_s = await served.make(), 0.0
    async with served.connect(made) as socket:
        await begin(socket)
        for number in range(FRAMES):
            sent_s = time.monotonic()
            await socket.send(frame(number * 1600))
            await read_until(socket, "ack")
            longest_s = max(longest_s, time.monotonic() - sent_s)
    return longest_s


HARM = """
import itertools, json, struct, sys
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

def frame(at, samples):
    return struct.pack("<Q", at) + bytes(2 * samples)

harms = {
    "flood": (frame(second * 16_000, 16_000) for second in itertools.count()),
    "pings": itertools.repeat('{"type":"ping"}'),
    "known": itertools.repeat(frame(0, 400)),
    "tiny": (frame(1600 + sample, 1) for sample in range(1_000_000)),
    "tiny and known": itertools.repeat(frame(0, 1), 1_000_000),
}
with connect(sys.argv[1]) as socket:
    socket.send(json.dumps({"type": "start", "sample_rate": 16_000, "encoding": "pcm_s16le"}))
    socket.recv()
    print("begun", flush=True)
    try:
        if sys.argv[2] != "flood":
            socket.send(frame(0, 1600))
        for word in harms[sys.argv[2]]:
            socket.send(word)
    except ConnectionClosed as closed:
        print(closed.rcvd.reason if closed.rcvd else "cut", flush=True)
"""


@asynccontextmanager
async def harming(served: Served, harm: str) -> AsyncIterator[tuple[Made, asyncio.StreamReader]]:
    """A recorder in a process of its own that has begun and does harm; what it says in the end."""
    made = await served.make()
    url = f"{served.url.replace('http', 'ws', 1)}/v1/sessions/{made.session_id}/audio?token={made.write_token}"
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", HARM, url, harm, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    try:
        assert await process.stdout.readline() == b"begun\n"
        yield made, process.stdout
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()


async def test_a_hundred_times_real_time_holds_up_nobody_else(served: Served, topics: Settings) -> None:
    async with harming(served, "flood") as (made, _):
        assert await speak(served) < ACKNOWLEDGED_WITHIN_S
        log = await read_log(topics, made.session_id)
    assert max(record.end for record in log if isinstance(record, Audio)) <= 60 * 16_000


@pytest.mark.parametrize("harm", ["pings", "known"])
async def test_messages_without_end_hold_up_nobody_else(served: Served, harm: str) -> None:
    async with harming(served, harm):
        assert await speak(served) < ACKNOWLEDGED_WITHIN_S


@pytest.mark.parametrize("harm", ["tiny", "tiny and known"])
async def test_a_million_tiny_frames_end_early(served: Served, harm: str) -> None:
    async with harming(served, harm) as (_, words), asyncio.timeout(20):
        assert await words.readline() == b"frame_too_small\n"


@pytest.mark.parametrize("what", ["audio", "file"])
async def test_a_body_that_comes_byte_by_byte_is_refused(
    served: Served, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    monkeypatch.setattr(bodies, "SILENT_FOR_S", 1.0)
    monkeypatch.setattr(refusals, "LINGER_S", 0.5)
    made = await served.make()
    path = f"/v1/sessions/{made.session_id}/{what}?token={made.write_token}"
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
    answer = await drip(port_of(served), head.encode(), b"1\r\nx\r\n")
    assert answer.startswith(b"HTTP/1.1 408")
    assert b"body_too_slow" in answer


@pytest.mark.parametrize("word", [b"x", b"X-Long: " + b"x" * 8000 + b"\r\n"], ids=["slow", "endless"])
async def test_a_head_without_end_is_hung_up_on(served: Served, monkeypatch: pytest.MonkeyPatch, word: bytes) -> None:
    monkeypatch.setattr(request_clock, "HEAD_WITHIN_S", 1.0 if len(word) == 1 else 60.0)
    said = await drip(port_of(served), b"POST /v1/sessions HTTP/1.1\r\nHost: localhost\r\n", word)
    assert said == b"" or said.startswith(b"HTTP/1.1 400")
    assert await speak(served) < ACKNOWLEDGED_WITHIN_S


@pytest.mark.parametrize("word", [b"\x89\xfd" + bytes(4 + 125), b"\x00\x80" + bytes(4)], ids=["pings", "fragments"])
async def test_a_socket_that_makes_us_keep_things_is_cut(served: Served, word: bytes) -> None:
    """Pings whose answers are not read; fragments of nothing, of a message without end."""
    made = await served.make()
    reader, writer = await asyncio.open_connection("127.0.0.1", served.http.base_url.port)
    writer.write(
        f"GET /v1/sessions/{made.session_id}/audio?token={made.write_token} HTTP/1.1\r\nHost: localhost\r\n"
        "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n".encode()
    )
    assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 101")
    reader._transport.pause_reading()  # type: ignore[attr-defined]
    writer.write(b"\x01\x80" + bytes(4))  # a text begins
    try:
        async with asyncio.timeout(START_WITHIN_S - 2):
            while not writer.transport.is_closing():
                writer.write(word * 100)
                with suppress(ConnectionError):
                    await writer.drain()
    finally:
        writer.transport.abort()
    assert await speak(served) < ACKNOWLEDGED_WITHIN_S
