"""HEAD is GET without the body, also where the body never ends."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, StreamingResponse
from starlette.routing import Route

from tests.raw_http import say
from tests.viewing import served
from undertone.errors import Refusal
from undertone.head_requests import HeadRequests
from undertone.refusals import answer

LIMIT_S = 10


class Endless:
    """An app with a stream that never ends, and notes of its ends."""

    def __init__(self) -> None:
        self.ended = asyncio.Event()

    async def stream(self, _: Request) -> StreamingResponse:
        async def pieces() -> AsyncIterator[bytes]:
            try:
                while True:
                    yield b"more\n"
                    await asyncio.Event().wait()
            finally:
                self.ended.set()

        return StreamingResponse(pieces(), media_type="text/event-stream", headers={"x-kind": "endless"})

    async def quiet(self, _: Request) -> StreamingResponse:
        async def pieces() -> AsyncIterator[bytes]:
            try:
                await asyncio.Event().wait()
                yield b""
            finally:
                self.ended.set()

        return StreamingResponse(pieces(), media_type="text/event-stream")

    async def text(self, request: Request) -> PlainTextResponse:
        return PlainTextResponse(f"{request.method} it is", headers={"etag": '"a"'})

    async def refuse(self, _: Request) -> object:
        return answer(Refusal("login_needed", "this needs a login", status=401))

    def app(self) -> HeadRequests:
        ways = {"/stream": self.stream, "/quiet": self.quiet, "/text": self.text, "/refused": self.refuse}
        return HeadRequests(Starlette(routes=[Route(path, way, methods=["GET"]) for path, way in ways.items()]))


@pytest.mark.parametrize("path", ["/text", "/refused", "/nothing"])
async def test_head_has_the_status_and_headers_of_get(path: str) -> None:
    async with served(Endless().app()) as url, httpx.AsyncClient(base_url=url, timeout=LIMIT_S) as http:
        got, head = await http.get(path), await http.head(path)
        assert head.status_code == got.status_code
        without_date = [{**each.headers, "date": ""} for each in (got, head)]
        assert without_date[0] == without_date[1]
        assert head.content == b""
        assert (await http.get("/text")).text == "GET it is"  # the connection is of use still


@pytest.mark.parametrize("path", ["/stream", "/quiet"])
async def test_head_of_a_stream_ends_with_its_headers_and_ends_the_stream(path: str) -> None:
    endless = Endless()
    async with served(endless.app()) as url:
        port = int(url.rpartition(":")[2])
        request = f"HEAD {path} HTTP/1.1\r\nhost: test\r\nconnection: close\r\n\r\n"
        told = await say(port, request.encode(), LIMIT_S)
        assert told.startswith(b"HTTP/1.1 200 OK\r\n")
        assert b"text/event-stream" in told
        assert told.endswith(b"\r\n\r\n")
        await asyncio.wait_for(endless.ended.wait(), LIMIT_S)
