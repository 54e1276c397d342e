"""Neither a page of another site nor a borrowed name reaches a server, even one that asks nobody for anything."""

from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from pydantic import SecretStr

import dashboards.app
import ingest_api.app
from undertone.access.keys import make_key
from undertone.access.rights import Right
from undertone.headers import HEADERS
from undertone.settings import Settings

PORT = 8000
OURS = f"http://127.0.0.1:{PORT}"
SESSION = "/v1/sessions/01890000-0000-7000-8000-000000000001"
ASKED = [
    ("ingest", "POST", "/v1/sessions"),
    ("ingest", "POST", "/v1/login"),
    ("ingest", "DELETE", "/v1/login"),
    ("ingest", "POST", f"{SESSION}/stop"),
    ("dashboards", "GET", "/v1/sessions"),
    ("dashboards", "GET", "/v1/events"),
    ("dashboards", "GET", f"{SESSION}/events"),
    ("dashboards", "GET", "/v1/login"),
    ("dashboards", "GET", "/"),
    ("dashboards", "GET", "/metrics"),
]
STRANGERS = [
    "https://evil.example.org",
    "http://evil.example.org:8000",
    "http://127.0.0.1:9000",
    "http://localhost:8000",
    "http://127.0.0.1:8000.evil.example.org",
    "null",
    "",
]


def settings_of(home: Path, **given: object) -> Settings:
    return Settings(
        home=home,
        kafka="127.0.0.1:9",
        database=SecretStr("postgresql://nobody@127.0.0.1:9/none"),
        secret=SecretStr("s" * 32),
        **given,  # type: ignore[arg-type]
    )


def make_sides(settings: Settings) -> dict[str, FastAPI]:
    return {"ingest": ingest_api.app.make_app(settings), "dashboards": dashboards.app.make_app(settings)}


@pytest.fixture
def sides(tmp_path: Path) -> dict[str, FastAPI]:
    """Both sides without Kafka and PostgreSQL, where nobody is asked for anything."""
    return make_sides(settings_of(tmp_path, access="open"))


async def code(app: FastAPI, method: str, path: str, **headers: str) -> str:
    """The code of the refusal; of other answers their status."""
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url=OURS) as client:
        answer = await client.request(method, path, headers={n.replace("_", "-"): v for n, v in headers.items()})
    is_json = answer.headers.get("content-type") == "application/json"
    assert {name: answer.headers.get(name) for name in HEADERS} == HEADERS
    return str(answer.json().get("code", answer.status_code)) if is_json else str(answer.status_code)


async def handshake(app: FastAPI, host: str, origin: str | None) -> str:
    """What is first sent to a socket."""
    sent: list[Any] = []

    async def receive() -> Any:
        return {"type": "websocket.connect"} if len(sent) == 0 else {"type": "websocket.disconnect", "code": 1005}

    async def send(message: Any) -> None:
        sent.append(message)

    headers = [(b"host", host.encode())] + ([(b"origin", origin.encode())] if origin is not None else [])
    scope = {
        "type": "websocket",
        "path": f"{SESSION}/audio",
        "query_string": b"",
        "headers": headers,
        "server": ("127.0.0.1", PORT),
        "client": ("127.0.0.1", 1),
        "scheme": "ws",
        "subprotocols": [],
    }
    await app(scope, receive, send)
    return str(sent[0]["type"])


@pytest.mark.parametrize(("side", "method", "path"), ASKED)
@pytest.mark.parametrize(
    "host", ["evil.example.org", "evil.example.org:8000", "127.0.0.1.evil.org", "localhost.", "[", ""]
)
async def test_a_borrowed_name_is_refused(
    sides: dict[str, FastAPI], side: str, method: str, path: str, host: str
) -> None:
    assert await code(sides[side], method, path, Host=host) == "host_unknown"


@pytest.mark.parametrize(("side", "method", "path"), ASKED)
@pytest.mark.parametrize("origin", STRANGERS)
async def test_another_sites_page_is_refused(
    sides: dict[str, FastAPI], side: str, method: str, path: str, origin: str
) -> None:
    assert await code(sides[side], method, path, Origin=origin) == "origin_foreign"


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
async def test_what_another_site_embeds_is_refused_and_its_links_are_not(sides: dict[str, FastAPI], site: str) -> None:
    embedded = {"Sec_Fetch_Site": site, "Sec_Fetch_Mode": "no-cors"}
    assert await code(sides["dashboards"], "GET", "/v1/login", **embedded) == "origin_foreign"
    assert await code(sides["dashboards"], "GET", "/v1/login", Sec_Fetch_Site=site, Sec_Fetch_Mode="navigate") == "200"
    assert await code(sides["dashboards"], "GET", "/", Sec_Fetch_Site=site, Sec_Fetch_Mode="navigate") == "200"


@pytest.mark.parametrize("host", ["127.0.0.1:8000", "localhost:8000", "LOCALHOST:8000", "[::1]:8000", "localhost:9000"])
async def test_our_own_pages_and_programs_pass(sides: dict[str, FastAPI], host: str) -> None:
    assert await code(sides["dashboards"], "GET", "/v1/login", Host=host) == "200"
    assert await code(sides["dashboards"], "GET", "/v1/login", Host=host, Origin=f"http://{host}".lower()) == "200"


async def test_sockets_are_checked_at_the_handshake(sides: dict[str, FastAPI]) -> None:
    ingest = sides["ingest"]
    here = f"127.0.0.1:{PORT}"
    assert await handshake(ingest, here, None) == "websocket.accept"
    assert await handshake(ingest, here, OURS) == "websocket.accept"
    assert await handshake(ingest, "evil.example.org", None) == "websocket.close"
    for origin in STRANGERS:
        assert await handshake(ingest, here, origin) == "websocket.close"


async def test_behind_a_proxy_the_public_address_is_ours(tmp_path: Path) -> None:
    public = {"host": "0.0.0.0", "public_url": "https://undertone.example.org"}
    settings = settings_of(tmp_path, **public)
    make_key(settings.keys_file(), "ana", [Right.OPERATE])
    app = make_sides(settings)["dashboards"]
    name = "undertone.example.org"
    assert await code(app, "GET", "/v1/login", Host=name) == "200"
    assert await code(app, "GET", "/v1/login", Host=name, Origin=f"https://{name}") == "200"
    assert await code(app, "GET", "/v1/login", Host=name, Origin="https://example.org") == "origin_foreign"
    assert await code(app, "GET", "/v1/login", Host="dashboards:8000") == "host_unknown"
    assert await code(app, "GET", "/metrics", Host="dashboards:8000") == "200"  # to Prometheus, by its own name for us
