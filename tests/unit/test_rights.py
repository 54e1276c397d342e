"""Every route of both sides: what it asks for, and what happens without that, with another's and with an old one."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import jwt
import pytest
from fastapi import FastAPI
from pydantic import SecretStr

import dashboards.app
import dashboards.rights
import ingest_api.app
import ingest_api.rights
from dashboards.streams import Pace
from tests.docs.code import endpoints
from undertone.access.keys import make_key
from undertone.access.logins import OWNER, make_command_login
from undertone.access.rights import PUBLIC, Need, Needs, Right
from undertone.settings import Settings
from undertone.tokens import instance_id, make_token, sign

SECRET = "a-secret-of-these-tests-alone-and-no-other"


def now() -> datetime:
    """When it is asked: other tests may have run for longer than a login lives."""
    return datetime.now(UTC)


OURS = "01890000-0000-7000-8000-000000000001"
THEIRS = "01890000-0000-7000-8000-000000000002"
HOST = "localhost"
SIDES: dict[str, Needs] = {"ingest": ingest_api.rights.NEEDS, "dashboards": dashboards.rights.NEEDS}
ROUTES = [(side, *route, need) for side, needs in SIDES.items() for route, need in needs.items()]
GUARDED = [route for route in ROUTES if route[3] != PUBLIC]
SESSIONS = [route for route in GUARDED if route[3].session]
LOGINS = [route for route in GUARDED if route[3].right]
Shown = dict[str, str]


def each(routes: list[tuple[str, str, str, Need]]) -> pytest.MarkDecorator:
    """A test for each of these routes."""
    return pytest.mark.parametrize(("side", "method", "path", "need"), routes, ids=str)


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setattr("undertone.refusals.LINGER_S", 0.01)
    return Settings(
        home=tmp_path,
        kafka="127.0.0.1:9",
        database=SecretStr("postgresql://nobody@127.0.0.1:9/none"),
        secret=SecretStr(SECRET),
    )


@pytest.fixture
def apps(settings: Settings) -> dict[str, FastAPI]:
    return {side: make_side(side, settings) for side in SIDES}


def make_side(side: str, settings: Settings) -> FastAPI:
    """A side without Kafka and PostgreSQL: whoever is let in finds out that these are away."""
    if side == "ingest":
        return ingest_api.app.make_app(settings)
    return dashboards.app.make_app(settings, Pace(fill_wait_s=0.01))


def client_of(app: FastAPI) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url=f"http://{HOST}")


class Asker:
    """Asks one route for something that it does not do, and gives the status and the code of the refusal."""

    def __init__(self, app: FastAPI, method: str, path: str) -> None:
        self._app = app
        self._method = method
        self._path = path.format(session_id=OURS, utterance_id=f"{OURS}-000000000000")

    async def ask(self, *, token: str = "", headers: Shown | None = None) -> tuple[int, str]:
        query = f"token={token}" if token else ""
        if self._method == "WS":
            return await self._connect(query, headers or {})
        async with client_of(self._app) as client:
            wrong = b"[" if self._method == "POST" else b""
            answer = await client.request(self._method, f"{self._path}?{query}", headers=headers, content=wrong)
        is_json = answer.headers.get("content-type") == "application/json"
        return answer.status_code, answer.json().get("code", "") if is_json else ""

    async def _connect(self, query: str, headers: Shown) -> tuple[int, str]:
        """What a socket is closed with that says something wrong when it is let in."""
        events = iter([{"type": "websocket.connect"}, {"type": "websocket.receive", "text": "no JSON"}])
        sent: list[Any] = []

        async def receive() -> Any:
            return next(events)

        async def send(message: Any) -> None:
            sent.append(message)

        scope = {
            "type": "websocket",
            "path": self._path,
            "query_string": query.encode(),
            "headers": [(name.lower().encode(), value.encode()) for name, value in ({"Host": HOST} | headers).items()],
            "server": (HOST, 80),
            "client": ("127.0.0.1", 1),
            "scheme": "ws",
            "subprotocols": [],
        }
        await self._app(scope, receive, send)
        accepted, said, closed = sent
        assert accepted["type"] == "websocket.accept"
        assert json.loads(said["text"])["code"] == closed["reason"]
        return closed["code"] - 4000, closed["reason"]


@pytest.fixture
def asker(apps: dict[str, FastAPI], side: str, method: str, path: str, need: Need) -> Asker:
    """For the route of the test; what it needs is for the test to know."""
    return Asker(apps[side], method, path)


def bearer(credential: str) -> Shown:
    return {"Authorization": f"Bearer {credential}"}


def is_let_in(status: int) -> bool:
    return status not in {401, 403}


@pytest.mark.parametrize("side", SIDES)
def test_every_route_says_what_it_asks_for(apps: dict[str, FastAPI], side: str) -> None:
    assert set(endpoints(apps[side].routes)) == set(SIDES[side])


def test_what_is_public_shows_nothing_of_any_session() -> None:
    public = {path for _, _, path, need in ROUTES if need == PUBLIC}
    assert public == {"/", "/healthz", "/readyz", "/metrics", "/openapi.json", "/v1/login", "/v1/login/proof"}


def test_to_delete_is_for_operators() -> None:
    deleting = [need for _, method, path, need in ROUTES if method == "DELETE" and path != "/v1/login"]
    assert all(need.right is Right.OPERATE for need in deleting)


@each(GUARDED)
async def test_nothing_shown(asker: Asker, need: Need) -> None:
    assert await asker.ask() == (401, "login_needed" if need.right else "token_missing")


@each(GUARDED)
async def test_another_sessions_token(asker: Asker) -> None:
    for right in ("read", "write"):
        assert await asker.ask(token=make_token(SECRET, THEIRS, right, now(), 1)) == (403, "token_foreign")


@each(SESSIONS)
async def test_the_sessions_own_token(asker: Asker, need: Need) -> None:
    write, reading = (make_token(SECRET, OURS, right, now(), 1) for right in ("write", "read"))
    assert is_let_in((await asker.ask(token=write))[0])
    if need.session == "read":
        assert is_let_in((await asker.ask(token=reading))[0])
    else:
        assert await asker.ask(token=reading) == (403, "token_foreign")


@each(SESSIONS)
async def test_an_old_or_forged_token(asker: Asker) -> None:
    past = now() - timedelta(hours=2)
    assert await asker.ask(token=make_token(SECRET, OURS, "write", past, 1)) == (401, "token_expired")
    assert await asker.ask(token=make_token("x" * 32, OURS, "write", now(), 1)) == (401, "token_invalid")
    for kind in ("login", "link"):
        other = sign(SECRET, kind, {"sub": OURS, "right": "write"}, now(), timedelta(hours=1))
        assert await asker.ask(token=other) == (401, "token_invalid")


@each(LOGINS)
async def test_keys(asker: Asker, settings: Settings, need: Need) -> None:
    for right in Right:
        key = make_key(settings.keys_file(), f"for-{right}", [right])
        status, code = await asker.ask(headers=bearer(key))
        if right in {need.right, Right.OPERATE}:
            assert is_let_in(status)
        else:
            assert (status, code) == (403, "right_missing")
    assert await asker.ask(headers=bearer("undertone_forged")) == (401, "key_unknown")


@each([route for route in GUARDED if not route[3].right])
async def test_no_key_speaks_in_somebodys_session(asker: Asker, settings: Settings) -> None:
    key = make_key(settings.keys_file(), "operator", [Right.OPERATE])
    assert await asker.ask(headers=bearer(key)) == (401, "token_missing")


@each(LOGINS)
async def test_the_owners_logins(asker: Asker, settings: Settings, apps: dict[str, FastAPI]) -> None:
    here, elsewhere = (make_command_login(settings, f"http://{host}", now()) for host in (HOST, "localhost:9"))
    assert is_let_in((await asker.ask(headers=bearer(here)))[0])
    assert await asker.ask(headers=bearer(elsewhere)) == (401, "login_ended")
    claimed = bearer(elsewhere) | {"Host": "localhost:9"}  # as a program at that port would, which got the login
    assert await asker.ask(headers=claimed) == (401, "login_ended")
    old = make_command_login(settings, f"http://{HOST}", now() - timedelta(hours=2))
    assert await asker.ask(headers=bearer(old)) == (401, "login_ended")
    session = make_token(SECRET, OURS, "write", now(), 1)
    assert await asker.ask(headers=bearer(session)) == (401, "login_ended")


@each(LOGINS)
async def test_a_login_that_names_no_instance(asker: Asker) -> None:
    for issuer in ({}, {"iss": "another"}, {"iss": instance_id("x" * 32)}):
        claims = {"sub": OWNER, "aud": "login", "iat": now(), "exp": now() + timedelta(hours=1), **issuer}
        login = jwt.encode(claims, SECRET, algorithm="HS256")
        assert await asker.ask(headers=bearer(login)) == (401, "login_ended")


@each(LOGINS)
async def test_a_login_in_the_cookie(asker: Asker, settings: Settings) -> None:
    key = make_key(settings.keys_file(), "somebody", [Right.OPERATE])
    async with client_of(ingest_api.app.make_app(settings)) as client:
        answer = await client.post("/v1/login", json={"key": key})
    assert answer.status_code == 204
    cookie = {"Cookie": answer.headers["set-cookie"].partition(";")[0]}
    assert is_let_in((await asker.ask(headers=cookie))[0])
    assert await asker.ask(headers={"Cookie": cookie["Cookie"][:-3] + "xxx"}) == (401, "login_ended")


@each(SESSIONS)
async def test_an_ended_login_does_not_spoil_a_good_token(asker: Asker) -> None:
    good = make_token(SECRET, OURS, "write", now(), 1)
    assert is_let_in((await asker.ask(token=good, headers=bearer("undertone_forged")))[0])


@each([route for route in SESSIONS if route[3].right])
async def test_an_old_token_does_not_spoil_a_good_login(asker: Asker, settings: Settings) -> None:
    old = make_token(SECRET, OURS, "write", now() - timedelta(hours=2), 1)
    login = make_command_login(settings, f"http://{HOST}", now())
    assert is_let_in((await asker.ask(token=old, headers=bearer(login)))[0])


@pytest.mark.parametrize("side", SIDES)
async def test_the_secret_before_is_taken_and_others_are_not(settings: Settings, side: str) -> None:
    method, path = next((method, path) for name, method, path, _ in SESSIONS if name == side)
    token = make_token(SECRET, OURS, "write", now(), 1)
    changed = settings.model_copy(update={"secret": SecretStr("n" * 32)})
    assert await Asker(make_side(side, changed), method, path).ask(token=token) == (401, "token_invalid")
    both = changed.model_copy(update={"secret_before": SecretStr(SECRET)})
    assert is_let_in((await Asker(make_side(side, both), method, path).ask(token=token))[0])
