"""Write side and read side on one origin."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from undertone.health import health_routes
from undertone.local.web import goes_to_ingest, join


def client_of(ingest: Starlette, dashboards: Starlette) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(join(ingest, dashboards))
    return httpx.AsyncClient(transport=transport, base_url="http://undertone.test")


def make_side(name: str, lived: list[str] | None = None, reason: str | None = None) -> Starlette:
    async def answer(request: Request) -> PlainTextResponse:
        return PlainTextResponse(f"{name} {request.url.path}")

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        assert lived is not None
        lived.append(f"{name} starts")
        yield
        lived.append(f"{name} stops")

    methods = ["GET", "POST", "PUT", "DELETE"]
    routes = [*health_routes(lambda: reason), Route("/{path:path}", answer, methods=methods)]
    return Starlette(routes=routes, lifespan=lifespan)


@pytest.mark.parametrize(
    ("method", "path", "side"),
    [
        ("POST", "/v1/sessions", "ingest"),
        ("PUT", "/v1/sessions/a/file", "ingest"),
        ("DELETE", "/v1/sessions/a", "ingest"),
        ("GET", "/v1/sessions", "dashboards"),
        ("GET", "/", "dashboards"),
        ("POST", "/login", "dashboards"),
        ("POST", "/v1", "dashboards"),
    ],
)
async def test_each_request_goes_to_its_side_with_its_path(method: str, path: str, side: str) -> None:
    async with client_of(make_side("ingest"), make_side("dashboards")) as client:
        assert (await client.request(method, path)).text == f"{side} {path}"


async def test_it_lives_while_both_live() -> None:
    lived: list[str] = []
    app = join(make_side("ingest", lived), make_side("dashboards", lived))
    async with app.router.lifespan_context(app):
        assert lived == ["ingest starts", "dashboards starts"]
    assert lived[2:] == ["dashboards stops", "ingest stops"]


def test_websockets_go_to_ingest() -> None:
    assert goes_to_ingest({"type": "websocket", "path": "/v1/sessions/a/audio"})


@pytest.mark.parametrize(
    ("ingest", "dashboards", "status"),
    [(None, None, 200), ("no Kafka", None, 503), (None, "still reading", 503)],
)
async def test_it_is_ready_when_both_are(ingest: str | None, dashboards: str | None, status: int) -> None:
    async with client_of(make_side("ingest", reason=ingest), make_side("dashboards", reason=dashboards)) as client:
        response = await client.get("/readyz")
    assert response.status_code == status
    assert response.json().get("reason") == (ingest or dashboards)
