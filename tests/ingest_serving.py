"""A real ingest server for tests, and what the log and the topics say of a session."""

import asyncio
import json
import socket
import struct
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import httpx
import numpy as np
import uvicorn
from websockets.asyncio.client import ClientConnection, connect

from ingest_api.app import make_app
from tests.waiting import until
from undertone.codec import decode_audio
from undertone.events import Session
from undertone.kafka import Publisher, open_reader, read_to_end
from undertone.local.serve import make_config
from undertone.records import Audio, AudioRecord, Close, Gap, Open
from undertone.settings import Settings
from undertone.topics import AUDIO, SESSIONS

FILE_LIMIT = 4096
START = {"type": "start", "sample_rate": 16_000, "encoding": "pcm_s16le"}


@dataclass(frozen=True)
class Made:
    """A session that a test made."""

    session_id: str
    write_token: str
    read_token: str


@dataclass(frozen=True)
class Served:
    """A running server: its address, and an HTTP client for it."""

    url: str
    http: httpx.AsyncClient

    async def make(self, **body: object) -> Made:
        """A new session."""
        answer = await self.http.post("/v1/sessions", json=body)
        assert answer.status_code == 201, answer.text
        given = answer.json()
        return Made(given["session_id"], given["write_token"], given["read_token"])

    async def post(
        self, made: Made, what: str, data: bytes = b"", token: str | None = None, **params: object
    ) -> httpx.Response:
        """The answer to a request of the session's own: ``audio``, ``stop``, ``file``."""
        query = {"token": token or made.write_token} | {name: str(value) for name, value in params.items()}
        return await self.http.post(f"/v1/sessions/{made.session_id}/{what}", content=data, params=query)

    def connect(self, made: Made, token: str | None = None) -> connect:
        """A raw WebSocket to the session."""
        address = self.url.replace("http", "ws", 1)
        return connect(f"{address}/v1/sessions/{made.session_id}/audio?token={token or made.write_token}")


@asynccontextmanager
async def serve_ingest(
    settings: Settings, *, ready: bool = True, file_limit: int = FILE_LIMIT
) -> AsyncIterator[Served]:
    """The write side as it is served, on a free port, by default once it is ready."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = uvicorn.Server(make_config(make_app(settings), settings, file_limit))
        running = asyncio.create_task(server.serve(sockets=[listening]))
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        try:
            async with httpx.AsyncClient(base_url=url, timeout=30) as http:
                path = "/readyz" if ready else "/healthz"

                async def answers() -> bool:
                    try:
                        return (await http.get(path)).status_code == 200
                    except httpx.TransportError:
                        return False

                await until(answers, 20, f"{path} answers")
                yield Served(url, http)
        finally:
            server.should_exit = True
            await running


def pcm(at: int, samples: int) -> bytes:
    """Samples that each hold their own position, modulo 2**15."""
    return ((np.arange(at, at + samples)) % 32768).astype("<i2").tobytes()


def frame(at: int, samples: int = 1600) -> bytes:
    """A binary frame of such samples."""
    return struct.pack("<Q", at) + pcm(at, samples)


async def read_log(settings: Settings, session_id: str) -> list[AudioRecord]:
    """The session's records, in order."""
    return [record for _, record in await read_entries(settings, session_id)]


async def read_entries(settings: Settings, session_id: str) -> list[tuple[int, AudioRecord]]:
    """The session's records with their offsets, in order."""
    async with open_reader(settings, [AUDIO]) as consumer:
        records = [record async for record in read_to_end(consumer)]
    return [
        (record.offset, decode_audio(record.key, record.value, record.headers))
        for record in records
        if record.key == session_id.encode()
    ]


def heard(log: Sequence[AudioRecord]) -> tuple[bytes, list[tuple[int, int]]]:
    """What the rules of the log make of it where no connection starts late: the samples in order, and the gaps."""
    return heard_entries([(0, replace(record, seen=None) if isinstance(record, Open) else record) for record in log])


def heard_entries(log: Sequence[tuple[int, AudioRecord]]) -> tuple[bytes, list[tuple[int, int]]]:
    """What the rules of the log make of records with their offsets: the samples in order, and the gaps."""
    connection, opened, expected, samples, gaps = "", -1, 0, bytearray(), list[tuple[int, int]]()
    for offset, record in log:
        match record:
            case Open() if record.seen is None or opened < record.seen:
                connection, opened = record.connection, offset
                if record.at > expected:
                    gaps.append((expected, record.at))
                    expected = record.at
            case Audio() if record.connection == connection and record.at <= expected < record.end:
                samples += record.pcm[(expected - record.at) * 2 :]
                expected = record.end
            case Gap() if record.connection == connection and record.at <= expected < record.to:
                gaps.append((expected, record.to))
                expected = record.to
            case Close() if record.connection == connection:
                break
            case _:
                pass
    return bytes(samples), gaps


async def tell(publisher: Publisher, session_id: str, **changes: object) -> None:
    """Write the session's record as the transcriber does."""
    session = Session(session_id=session_id, created_at=datetime.now(UTC)).model_copy(update=changes)
    await publisher.publish(SESSIONS, session_id, session)


async def read_until(socket_: ClientConnection, kind: str) -> dict[str, object]:
    """The next message of a type, others passed over."""
    while True:
        async with asyncio.timeout(20):
            message: dict[str, object] = json.loads(await socket_.recv())
        if message["type"] == kind:
            return message
