"""Parts of tests of the read side: the real app on a real port, what writes for it, and a reader of its events."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import uvicorn
from starlette.types import ASGIApp

from storage.upserts import Sourced
from stream_apps.archivist import INPUTS, Archivist
from tests.waiting import until
from undertone.codec import decode
from undertone.events import Event, Mark, Partial, Session, Utterance, Window
from undertone.kafka import Publisher, open_reader, read_to_end
from undertone.local.ports import free_ports
from undertone.settings import Settings
from undertone.topics import PARTIALS, SESSIONS, UTTERANCES, WINDOWS

TIMEOUT_S = 20.0
TOPIC_OF = {Session: SESSIONS, Partial: PARTIALS, Utterance: UTTERANCES, Mark: UTTERANCES, Window: WINDOWS}


class Writer:
    """Writes events as the workers do, and archives on demand."""

    def __init__(self, publisher: Publisher, settings: Settings) -> None:
        self._publisher = publisher
        self._settings = settings

    async def write(self, *events: Event) -> None:
        """Durable on return, in this order within a topic."""
        for event in events:
            assert isinstance(event, Session | Partial | Utterance | Mark | Window)
            key = event.session_id
            if isinstance(event, Utterance):
                key = event.utterance_id
            elif isinstance(event, Mark):
                key += "-mark"
            elif isinstance(event, Window):
                key += f"-{event.size_ms}-{event.start_ms}"
            await self._publisher.publish(TOPIC_OF[type(event)], event.session_id, event, key)

    async def archive(self) -> None:
        """Store everything that is written so far."""
        archivist = Archivist(self._settings.database_url())
        async with open_reader(self._settings, INPUTS) as consumer:
            batch = [
                Sourced(record.topic, record.partition, record.offset, decode(record.value, record.headers))
                async for record in read_to_end(consumer)
            ]
        await archivist.apply(batch)
        await archivist.close()


@asynccontextmanager
async def served(app: ASGIApp) -> AsyncIterator[str]:
    """The address of ``app`` while uvicorn serves it."""
    (port,) = free_ports(1)
    config = uvicorn.Config(app, "127.0.0.1", port, log_level="warning", timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server._serve())
    try:
        await until(lambda: server.started or serving.done(), TIMEOUT_S)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        await serving


@dataclass(frozen=True)
class Sent:
    """One block of a stream; ``id`` is None where it has none."""

    name: str | None
    id: str | None
    data: Any


class Stream:
    """A stream as a viewer reads it."""

    def __init__(self, response: httpx.Response) -> None:
        self.response = response
        self.last_id = ""
        self._lines = response.aiter_lines()

    async def next(self, timeout_s: float = TIMEOUT_S) -> Sent:
        """The next block, blocks without data included."""
        async with asyncio.timeout(timeout_s):
            fields: dict[str, str] = {}
            async for line in self._lines:
                if not line:
                    break
                name, _, value = line.partition(": ")
                fields[name.rstrip(":")] = value
            else:
                raise EOFError("the stream has ended")
        if "id" in fields:
            self.last_id = fields["id"]
        return Sent(fields.get("event"), fields.get("id"), json.loads(fields["data"]) if "data" in fields else None)

    async def until(self, name: str, **wanted: object) -> Any:
        """The data of the next event with this name and these values."""
        async with asyncio.timeout(TIMEOUT_S):
            while True:
                sent = await self.next()
                if sent.name == name and all(sent.data.get(key) == value for key, value in wanted.items()):
                    return sent.data

    async def rest(self) -> list[Sent]:
        """What is left of a stream that ends."""
        found = []
        while True:
            try:
                found.append(await self.next())
            except EOFError:
                return found


@asynccontextmanager
async def watching(address: str, path: str, last_id: str = "", **query: str) -> AsyncIterator[Stream]:
    """A stream, opened; ``last_id`` goes into the header that browsers use."""
    headers = {"last-event-id": last_id} if last_id else {}
    async with (
        httpx.AsyncClient(base_url=address, timeout=TIMEOUT_S) as client,
        client.stream("GET", path, params=query, headers=headers) as response,
    ):
        assert response.status_code == 200, (await response.aread()).decode()
        yield Stream(response)
