"""The web as it is served, without Kafka and PostgreSQL: what its log tells, and how often one may ask."""

import asyncio
import json
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from pydantic import SecretStr
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.integration.test_up import environment
from tests.waiting import until
from undertone.access.keys import make_key
from undertone.access.logins import link_to, make_command_login
from undertone.access.rights import Right
from undertone.local.environment import kafka_environment
from undertone.local.ports import LOOPBACK, free_ports
from undertone.settings import Settings
from undertone.tokens import make_token

SESSION = "01890000-0000-7000-8000-000000000001"
START_S = 60


@dataclass(frozen=True)
class Web:
    """A running web, its settings and its log."""

    url: str
    settings: Settings
    log: Path

    def token(self, right: str = "write", session_id: str = SESSION) -> str:
        return make_token(self.settings.signing_key(), session_id, right, datetime.now(UTC), 1)  # type: ignore[arg-type]

    def connect(self, token: str, session_id: str = SESSION, **headers: str) -> connect:
        address = f"{self.url.replace('http', 'ws', 1)}/v1/sessions/{session_id}/audio?token={token}"
        return connect(address, additional_headers=headers)

    async def login_attempt(self, **headers: str) -> httpx.Response:
        async with httpx.AsyncClient(base_url=self.url) as http:
            return await http.post("/v1/login", json={"key": "undertone_wrong"}, headers=headers)


Serve = Callable[..., AbstractAsyncContextManager[Web]]


@pytest.fixture
def serve(tmp_path: Path) -> Serve:
    """Serves both sides as `up` does, with these settings besides."""

    @asynccontextmanager
    async def serve(**given: str) -> AsyncIterator[Web]:
        (port,) = free_ports(1)
        settings = Settings(home=tmp_path / "home", port=port, secret=SecretStr("s" * 64))
        log = tmp_path / "web.log"
        variables = {
            "UNDERTONE_HOME": str(settings.home),
            "UNDERTONE_PORT": str(port),
            "UNDERTONE_SECRET": settings.signing_key(),
            "UNDERTONE_KAFKA": f"{LOOPBACK}:9",
            "UNDERTONE_DATABASE": f"postgresql://nobody:nothing@{LOOPBACK}:9/none",
            **given,
        }
        with log.open("wb") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", "undertone.cli", "serve", "all"],
                env=environment(**variables),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )
        try:
            url = f"http://{LOOPBACK}:{port}"

            def listens() -> bool:
                assert process.poll() is None, log.read_text()
                with socket.socket() as probe:
                    return probe.connect_ex((LOOPBACK, port)) == 0

            await until(listens, START_S, "the web listens")
            yield Web(url, settings, log)
        finally:
            process.kill()
            process.wait()

    return serve


async def test_no_log_metric_or_error_repeats_what_opens_something(serve: Serve) -> None:
    async with serve(UNDERTONE_LOG_LEVEL="debug") as web:
        key = make_key(web.settings.keys_file(), "ana", [Right.OPERATE])
        now = datetime.now(UTC)
        login = make_command_login(web.settings, web.url, now)
        link = link_to(web.settings, web.url, now).partition("#")[2]
        secrets = [key, "undertone_wrong", login, link, web.token(), web.token("read"), web.settings.signing_key()]
        said = ""
        async with httpx.AsyncClient(base_url=web.url, timeout=30) as http:
            logged_in = await http.post("/v1/login", json={"link": link})
            cookie = logged_in.headers["set-cookie"].split(";")[0]
            secrets.append(cookie.partition("=")[2])
            asked: list[Awaitable[httpx.Response]] = []
            for shown in (key, "undertone_wrong", login, login + "x", web.token(), web.token("read") + "x"):
                bearer = {"Authorization": f"Bearer {shown}"}
                for path in ("/v1/sessions", f"/v1/sessions/{SESSION}", f"/v1/sessions/{SESSION}/statistics", "/x"):
                    asked.append(http.get(path, params={"token": shown}))
                    asked.append(http.get(path, headers=bearer))
                asked.append(http.post(f"/v1/sessions/{SESSION}/stop", params={"token": shown}))
                asked.append(http.post(f"/v1/sessions/{SESSION}/file", params={"token": shown}, content=b"x"))
                asked.append(http.post("/v1/login", json={"key": shown}))
                asked.append(http.post("/v1/login", json={"link": shown, "key": [shown]}))
                asked.append(http.post("/v1/login", content=shown))
                asked.append(http.get("/v1/sessions", headers={"Host": "evil.example.org", "Cookie": shown}))
            said += "".join([answer.text for answer in await asyncio.gather(*asked)])
            for path in ("/metrics", "/openapi.json", "/healthz", "/readyz", "/v1/login"):
                said += (await http.get(path)).text
        for shown in secrets:
            try:
                async with web.connect(shown) as socket_:
                    await socket_.send("what is this?")
                    while True:
                        said += str(await socket_.recv())
            except (ConnectionClosed, InvalidStatus):
                pass
        await _send_raw(web, f"GET /v1/sessions?token={web.token()} HTTP/1.1\r\nno header\r\n\r\n")
        await _send_raw(web, f"NOTHING /v1/events?token={web.token()}\x00 HTTP/9\r\n\r\n")
        log = web.log.read_text()
    assert "DEBUG web" in log
    for secret in secrets:
        assert secret not in log
        assert secret not in said


async def _send_raw(web: Web, request: str) -> None:
    with socket.create_connection((LOOPBACK, web.settings.port), timeout=5) as raw:
        raw.sendall(request.encode())
        raw.recv(1000)


async def test_logins_are_tried_ten_times_a_minute_whatever_address_is_claimed(serve: Serve) -> None:
    async with serve() as web:
        tried = [await web.login_attempt(**{"X-Forwarded-For": f"203.0.113.{number}"}) for number in range(11)]
        assert [answer.status_code for answer in tried] == [401] * 10 + [429]
        assert tried[-1].json()["code"] == "too_many_logins"
        assert 0 < int(tried[-1].headers["retry-after"]) <= 7


async def test_a_trusted_proxy_says_who_asks(serve: Serve) -> None:
    async with serve(UNDERTONE_PROXIES=LOOPBACK) as web:
        tried = [await web.login_attempt(**{"X-Forwarded-For": f"203.0.113.{number}"}) for number in range(11)]
        assert {answer.status_code for answer in tried} == {401}
        same = [await web.login_attempt(**{"X-Forwarded-For": "1.2.3.4, 198.51.100.1"}) for _ in range(11)]
        assert [answer.status_code for answer in same] == [401] * 10 + [429]


async def test_sessions_are_made_so_often_a_minute_by_a_key_and_from_an_address(serve: Serve) -> None:
    async with serve(UNDERTONE_SESSIONS_PER_MINUTE="2", UNDERTONE_PROXIES="*") as web:
        keys = [make_key(web.settings.keys_file(), name, [Right.RECORD]) for name in ("ana", "ben")]
        async with httpx.AsyncClient(base_url=web.url) as http:

            async def make(key: str, address: str) -> str:
                shown = {"Authorization": f"Bearer {key}", "X-Forwarded-For": address}
                return str((await http.post("/v1/sessions", headers=shown, content=b"[")).json()["code"])

            assert [await make(keys[0], f"192.0.2.{n}") for n in range(3)] == ["request_invalid"] * 2 + [
                "too_many_sessions"
            ]
            assert await make(keys[1], "192.0.2.0") == "request_invalid"
            assert await make(keys[1], "192.0.2.0") == "too_many_sessions"


async def test_sockets_of_an_address_and_of_a_session_are_counted_while_they_are_open(
    serve: Serve, topics: Settings
) -> None:
    given = {
        **kafka_environment(topics),
        "UNDERTONE_TOPIC_PREFIX": topics.topic_prefix,
        "UNDERTONE_PARTITIONS": str(topics.partitions),
    }
    async with serve(UNDERTONE_STREAMS_PER_ADDRESS="5", UNDERTONE_PROXIES="*", **given) as web:
        other = SESSION[:-1] + "2"
        open_: list[ClientConnection] = [await web.connect(web.token()) for _ in range(4)]
        assert await _refusal(web.connect(web.token())) == ("too_many_streams", 4429)
        open_.append(await web.connect(web.token(session_id=other), other))
        assert await _refusal(web.connect(web.token(session_id=other), other)) == ("too_many_streams", 4429)
        elsewhere = await web.connect(web.token(session_id=other), other, **{"X-Forwarded-For": "192.0.2.1"})
        open_.append(elsewhere)
        await open_[0].close()

        async def has_room() -> bool:
            async with web.connect(web.token()) as socket_:
                try:
                    await socket_.send('{"type":"ping"}')
                    return bool(json.loads(await socket_.recv())["type"] != "error")
                except ConnectionClosed:
                    return False

        await until(has_room, 10, "the place is given back")
        for socket_ in open_:
            await socket_.close()


async def _refusal(connecting: connect) -> tuple[str, int]:
    async with connecting as socket_:
        code = str(json.loads(await socket_.recv())["code"])
        with pytest.raises(ConnectionClosed) as closed:
            await socket_.recv()
        assert closed.value.rcvd is not None
        return code, closed.value.rcvd.code
