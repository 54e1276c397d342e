"""Undertone below a path prefix of another site, behind a real nginx: what programs and the command line meet there."""

import asyncio
import re
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from tests.integration.test_access_served import SESSION, Serve, serve
from tests.nginx import nginx
from undertone.access.keys import make_key
from undertone.access.logins import link_to
from undertone.access.rights import Right
from undertone.commands.credentials import find_own_server, find_server
from undertone.commands.rest import ask
from undertone.errors import UndertoneError
from undertone.local.ports import LOOPBACK, free_ports

__all__ = ["serve"]

PAGES = ("", "record", "history", "session", "login")
BROWSER = {"accept": "text/html"}


@pytest.mark.parametrize("prefix", ["/undertone", "/a/b", "/record", "/v1"])
async def test_everything_that_a_page_names_is_below_the_prefix(serve: Serve, tmp_path: Path, prefix: str) -> None:
    (port,) = free_ports(1)
    async with (
        serve() as web,
        nginx(tmp_path / "nginx", web.url, port, prefix) as url,
        httpx.AsyncClient() as http,
    ):
        for path in PAGES:
            page = await http.get(f"{url}/{path}")
            named = re.findall(r'(?:href|src)="([^"#]+)', page.text)
            assert len(set(named)) > 6
            for each in set(named):
                address = page.url.join(each)
                assert str(address).startswith(f"{url}/"), each
                assert (await http.get(address)).text != "another site", each
        lost = await http.get(f"{url}/no/where", headers=BROWSER)
        style = lost.url.join(re.findall(r'href="([^"]*app\.css)"', lost.text)[0])
        assert (lost.status_code, str(style)) == (404, f"{url}/app.css")
        slash = await http.get(f"{url}/record/", follow_redirects=True)
        assert str(slash.url) == f"{url}/record"
        manifest = (await http.get(f"{url}/manifest.webmanifest")).json()
        assert [manifest["start_url"], manifest["scope"]] == ["./", "./"]


async def test_logins_and_the_command_line_work_below_the_prefix(serve: Serve, tmp_path: Path) -> None:
    (port,) = free_ports(1)
    public = f"http://{LOOPBACK}:{port}/undertone/"
    async with serve(UNDERTONE_PUBLIC_URL=public) as web, nginx(tmp_path / "nginx", web.url, port, "/undertone") as url:
        for given in (url, f"{url}/", url.replace("http", "HTTP", 1)):
            server = await asyncio.to_thread(find_server, given, web.settings)
            assert (server.url, server.credential is not None) == (url, True)
        assert await asyncio.to_thread(find_own_server, public, web.settings) == url
        async with httpx.AsyncClient(base_url=url) as http:
            link = link_to(web.settings, url, datetime.now(UTC))
            assert link.startswith(f"{url}/login#")
            page = {"Origin": f"http://{LOOPBACK}:{port}"}
            logged_in = await http.post("/v1/login", json={"link": link.partition("#")[2]}, headers=page)
            assert logged_in.status_code == 204
            assert logged_in.headers["set-cookie"].startswith("undertone-undertone=")
            assert (await http.get("/v1/login")).json()["name"] == "owner"
            described = (await http.get("/openapi.json")).json()
            assert described["servers"] == [{"url": "/undertone"}]


async def test_the_words_of_the_server_reach_the_command_line_through_the_prefix(
    serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (port,) = free_ports(1)
    public = f"http://{LOOPBACK}:{port}/undertone"
    async with serve(UNDERTONE_PUBLIC_URL=public) as web, nginx(tmp_path / "nginx", web.url, port, "/undertone") as url:
        monkeypatch.setenv("UNDERTONE_HOME", str(tmp_path / "nobody"))
        monkeypatch.setenv("UNDERTONE_KEY", make_key(web.settings.keys_file(), "ana", [Right.READ]))
        with pytest.raises(UndertoneError, match="this needs the right to operate, and ana has it not"):
            await asyncio.to_thread(ask, "DELETE", url, f"/v1/sessions/{SESSION}")
        with pytest.raises(UndertoneError, match=r"not as Undertone does|does not prove"):
            await asyncio.to_thread(ask, "GET", url.removesuffix("/undertone"), f"/v1/sessions/{SESSION}")
