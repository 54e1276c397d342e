"""Another user of the same computer, who listens where the owner's commands look for the server."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import httpx
import pytest
from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route
from websockets.asyncio.server import ServerConnection
from websockets.asyncio.server import serve as serve_sockets

from tests.integration.test_access_served import SESSION, Serve, Web, serve
from tests.viewing import served
from tests.waiting import until
from tests.wires import cuttable, open_wires
from undertone.access.keys import make_key
from undertone.access.logins import link_to, make_command_login
from undertone.access.rights import Right
from undertone.commands.credentials import find_own_server, find_server
from undertone.commands.rest import ask
from undertone.errors import FatalError, TransientError, UndertoneError
from undertone.local.ports import free_ports
from undertone.recorder import Recorder
from undertone.session_keys import SessionKeys
from undertone.settings import Settings

__all__ = ["serve"]

WAYS = ["login", "key"]


class Impostor:
    """A listener of another user that keeps all that it is sent. It answers by itself, or with the answers of ours."""

    def __init__(self, ours: str | None) -> None:
        self._ours = ours
        self.asked: list[Request] = []

    async def answer(self, request: Request) -> JSONResponse:
        self.asked.append(request)
        if self._ours is None:
            return JSONResponse({"proof": "e30.e30.AA", "sessions": [], "windows": [], "next": None})
        async with httpx.AsyncClient(base_url=self._ours) as http:
            passed_on = await http.request(request.method, request.url.path, params=request.query_params)
        return JSONResponse(passed_on.json(), passed_on.status_code)

    @property
    def shown(self) -> list[str]:
        """What it could open something with, if it were of use."""
        return [
            word
            for each in self.asked
            for word in (each.headers.get("authorization"), each.headers.get("cookie"))
            if word
        ]


@asynccontextmanager
async def impostor(ours: str | None) -> AsyncIterator[tuple[str, Impostor]]:
    found = Impostor(ours)
    routes = [Route("/{path:path}", found.answer, methods=["GET", "POST", "DELETE"])]
    async with served(Starlette(routes=routes)) as url:
        yield url, found


def owner(web: Web, way: str) -> Settings:
    """What the owner's command line knows."""
    if way == "login":
        return web.settings
    key = make_key(web.settings.keys_file(), "ana", [Right.OPERATE])
    return web.settings.model_copy(update={"key": SecretStr(key)})


async def is_taken(url: str, credential: str, **headers: str) -> bool:
    shown = {"Authorization": f"Bearer {credential}"} | headers
    async with httpx.AsyncClient(base_url=url) as http:
        answer = await http.get("/v1/sessions", headers=shown, params={"limit": "wrong"})
        return bool(answer.json()["code"] == "request_invalid")


@pytest.mark.parametrize("way", WAYS)
async def test_the_server_is_found_and_takes_what_it_is_shown(serve: Serve, way: str) -> None:
    async with serve() as web:
        for url in (web.url, web.url.replace("127.0.0.1", "localhost")):
            server = await asyncio.to_thread(find_server, url, owner(web, way) if url == web.url else web.settings)
            assert server.url == web.url  # by its address: a name may lead elsewhere the next time
            assert server.credential
            assert await is_taken(server.url, server.credential)
            await server.confirm()


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("passes_on", [False, True])
async def test_a_listener_of_another_user_is_sent_nothing(
    serve: Serve, way: str, passes_on: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with serve() as web, impostor(web.url if passes_on else None) as (url, other):
        settings = owner(web, way)
        with pytest.raises(FatalError, match="nothing was sent"):
            await asyncio.to_thread(find_server, url, settings)
        monkeypatch.setenv("UNDERTONE_HOME", str(settings.home))
        monkeypatch.setenv("UNDERTONE_SECRET", settings.signing_key())
        if settings.key:
            monkeypatch.setenv("UNDERTONE_KEY", settings.key.get_secret_value())
        with pytest.raises(UndertoneError, match="nothing was sent"):
            await asyncio.to_thread(ask, "DELETE", url, f"/v1/sessions/{SESSION}")
        assert other.asked
        assert other.shown == []
        assert {each.url.path for each in other.asked} == {"/v1/login/proof"}
        with pytest.raises(UndertoneError, match="nothing was sent"):
            await asyncio.to_thread(find_own_server, url, settings)


async def test_bytes_that_are_passed_on_unchanged_prove_nothing_either(serve: Serve) -> None:
    async with serve() as web, cuttable(web.url) as (url, _):
        with pytest.raises(FatalError, match=f"passes requests on to the Undertone at {web.url}"):
            await asyncio.to_thread(find_server, url, web.settings)


async def test_a_login_or_link_for_one_address_is_of_no_use_at_another(serve: Serve) -> None:
    """Whatever a listener at :8000 got hold of: it says to the server at :8120 that it asks for :8000."""
    async with serve() as web, cuttable(web.url) as (url, _):
        now, claimed = datetime.now(UTC), url.removeprefix("http://")
        assert not await is_taken(web.url, make_command_login(web.settings, url, now), Host=claimed)
        assert await is_taken(web.url, make_command_login(web.settings, web.url, now), Host=claimed)
        async with httpx.AsyncClient(base_url=web.url, headers={"Host": claimed}) as http:
            for address, status in ((url, 401), (web.url, 204)):
                link = link_to(web.settings, address, now).partition("#")[2]
                assert (await http.post("/v1/login", json={"link": link})).status_code == status


async def test_a_name_that_also_leads_to_another_user_leads_to_ours(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with serve() as web, impostor(web.url) as (url, other):
        # Both listen at 127.0.0.1 here, where on a computer one listens at ::1 and the other at 127.0.0.1.
        monkeypatch.setattr("undertone.commands.credentials._addresses", lambda _: [url, web.url])
        server = await asyncio.to_thread(find_server, web.url.replace("127.0.0.1", "localhost"), web.settings)
        assert server.url == web.url
        assert other.shown == []


async def test_a_session_token_is_used_where_nothing_is_proven_and_alone(serve: Serve) -> None:
    async with serve() as web, impostor(None) as (url, _):
        server = await asyncio.to_thread(find_server, url, web.settings, has_token=True)
        assert (server.url, server.credential) == (url, None)


async def test_the_public_url_stands_for_the_proxy_of_the_operator(serve: Serve) -> None:
    (port,) = free_ports(1)
    url = f"http://localhost:{port}"
    async with serve(UNDERTONE_PUBLIC_URL=url) as web, open_wires(web.settings.port, at=port):
        server = await asyncio.to_thread(find_server, url, web.settings)
        assert server.url == url
        assert server.credential
        assert await is_taken(url, server.credential)


async def test_a_recorder_goes_on_only_with_the_server_that_it_began_with() -> None:
    connected = 0

    async def speak(connection: ServerConnection) -> None:
        nonlocal connected
        connected += 1
        await connection.recv()
        await connection.send('{"type": "ready", "next_sample": 0}')
        await connection.close()

    refusals = 0
    is_ours = False

    async def confirm() -> None:
        nonlocal refusals
        if not is_ours:
            refusals += 1
            raise TransientError("another answers")

    async with serve_sockets(speak, "127.0.0.1", 0) as server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        recorder = Recorder(url, SessionKeys(SESSION, "write", "read"), confirm=confirm)
        await until(lambda: refusals >= 2, 20, "it comes back twice")
        assert connected == 1
        is_ours = True
        await until(lambda: connected >= 2, 20, "it goes on")
        await recorder.close()
