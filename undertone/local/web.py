"""The write side and the read side on one origin, as `up` and the reverse proxy of a deployment have them.

WebSockets, and POST, PUT and DELETE under ``/v1``, go to ``ingest_api``; everything else goes to ``dashboards``.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Mount, Route
from starlette.types import ASGIApp, Receive, Scope, Send

WRITES = frozenset({"POST", "PUT", "DELETE"})


def join(ingest: Starlette, dashboards: Starlette) -> Starlette:
    """One application of both. It lives while both live, and is ready when both are."""

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(ingest.router.lifespan_context(ingest))
            await stack.enter_async_context(dashboards.router.lifespan_context(dashboards))
            yield

    async def readyz(_: Request) -> JSONResponse:
        answers = await asyncio.gather(_ask(ingest, "/readyz"), _ask(dashboards, "/readyz"))
        status, body = max(answers, key=lambda answer: answer[0])
        return JSONResponse(json.loads(body), status_code=status)

    return Starlette(
        routes=[Route("/readyz", readyz), Mount("/", app=_Split(ingest, dashboards))],
        lifespan=lifespan,
    )


def goes_to_ingest(scope: Scope) -> bool:
    """Whether a request is one of the write side."""
    if scope["type"] == "websocket":
        return True
    return scope["method"] in WRITES and str(scope["path"]).startswith("/v1/")


class _Split:
    """Hands each request on, as it came."""

    def __init__(self, ingest: ASGIApp, dashboards: ASGIApp) -> None:
        self._ingest = ingest
        self._dashboards = dashboards

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await (self._ingest if goes_to_ingest(scope) else self._dashboards)(scope, receive, send)


async def _ask(app: ASGIApp, path: str) -> tuple[int, bytes]:
    """Status and body of a GET, asked inside this process."""
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "root_path": "",
        "query_string": b"",
        "headers": [(b"host", b"localhost")],
        "client": None,
        "server": None,
    }
    await app(scope, receive, send)
    return sent[0]["status"], b"".join(message.get("body", b"") for message in sent[1:])
