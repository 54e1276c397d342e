"""Parts of tests of the read side: the real app on a real port, and a reader of server-sent events."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import uvicorn
from starlette.types import ASGIApp

from tests.waiting import until
from undertone.local.ports import free_ports

TIMEOUT_S = 20.0


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
