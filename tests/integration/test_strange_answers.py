"""What the commands say when something else than Undertone answers: a proxy, another program, a page of a hotel."""

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tests.viewing import served
from undertone.commands.credentials import find_own_server, find_server
from undertone.commands.history import Form, export, search, sessions, show
from undertone.commands.rest import ask
from undertone.errors import FatalError, TransientError, UndertoneError
from undertone.recorder import Recorder
from undertone.session_keys import SessionKeys, create_session
from undertone.settings import Settings

SESSION = "01890000-0000-7000-8000-000000000001"
KEY = "undertone_a-key-of-the-tests"
PAGE = b"<html><title>502 Bad Gateway</title></html>"
ANSWERS = {
    "502 html": (502, "text/html", PAGE),
    "502 string": (502, "application/json", b'"bad gateway"'),
    "503 object": (503, "application/json", b'{"error": "no upstream"}'),
    "404 list": (404, "application/json", b"[]"),
    "200 html": (200, "text/html", PAGE),
    "200 string": (200, "application/json", b'"hello"'),
    "200 null": (200, "application/json", b"null"),
    "200 cut": (200, "application/json", b'{"sessions":'),
}
COMMANDS: dict[str, Callable[[str], object]] = {
    "sessions": sessions,
    "show": lambda url: show(SESSION, url),
    "search": lambda url: search(["word"], url),
    "export": lambda url: export(SESSION, Form.SRT, url),
    "delete": lambda url: ask("DELETE", url, f"/v1/sessions/{SESSION}"),
}


class Stranger:
    """A program that gives everybody one answer, and keeps what it was asked."""

    def __init__(self, status: int, media_type: str, body: bytes, location: str | None = None) -> None:
        self.asked: list[Request] = []
        self._given = (body, status, {"location": location + "{path}"} if location else {}, media_type)

    async def answer(self, request: Request) -> Response:
        self.asked.append(request)
        body, status, headers, media_type = self._given
        filled = {name: value.replace("{path}", str(request.url.path)) for name, value in headers.items()}
        return Response(body, status, filled, media_type)


@asynccontextmanager
async def stranger(*given: object) -> AsyncIterator[tuple[str, Stranger]]:
    found = Stranger(*given)  # type: ignore[arg-type]
    routes = [Route("/{path:path}", found.answer, methods=["GET", "POST", "DELETE"])]
    async with served(Starlette(routes=routes)) as url:
        yield url, found


@asynccontextmanager
async def raw(answer: str) -> AsyncIterator[str]:
    """The address of a server that sends these lines, and hangs up."""

    async def send(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(f"{answer}\r\n\r\n".encode())
        writer.close()
        await writer.wait_closed()

    async with await asyncio.start_server(send, "127.0.0.1", 0) as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


@pytest.fixture
def nobody(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A user without a home of Undertone: nothing is proven, and everything is asked."""
    monkeypatch.setenv("UNDERTONE_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("UNDERTONE_KEY", raising=False)


@pytest.mark.usefixtures("nobody")
@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("answer", ANSWERS)
async def test_a_command_says_what_answered(command: str, answer: str) -> None:
    async with stranger(*ANSWERS[answer]) as (url, _):
        with pytest.raises(UndertoneError) as told:
            await asyncio.to_thread(COMMANDS[command], url)
    assert f"{url} answers with status {answer[:3]}" in str(told.value)


@pytest.mark.usefixtures("nobody")
@pytest.mark.parametrize("command", COMMANDS)
async def test_an_object_of_another_program_is_no_answer(command: str) -> None:
    async with stranger(200, "application/json", b'{"sessions": [{}], "windows": [3], "hits": 1}') as (url, _):
        if command == "delete":
            return
        with pytest.raises(UndertoneError, match="as Undertone does: check --url"):
            await asyncio.to_thread(COMMANDS[command], url)


@pytest.mark.usefixtures("nobody")
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("command", COMMANDS)
async def test_a_redirect_is_named_and_not_followed(command: str, status: int) -> None:
    async with (
        stranger(200, "text/html", PAGE) as (other, target),
        stranger(status, "text/html", PAGE, other) as (url, _),
    ):
        with pytest.raises(UndertoneError, match=f"status {status} .* sends us to {other}: name that with --url"):
            await asyncio.to_thread(COMMANDS[command], url)
        assert target.asked == []


@pytest.mark.usefixtures("nobody")
@pytest.mark.parametrize("answer", [name for name in ANSWERS if not name.startswith("200")])
async def test_a_recording_says_what_answered(answer: str) -> None:
    async with stranger(*ANSWERS[answer]) as (url, _):
        with pytest.raises(TransientError, match=f"answers with status {answer[:3]}"):
            await create_session(url)


async def test_a_credential_goes_to_no_other_origin(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> None:
    """Neither the key nor a question for a proof follows a redirect."""
    keyed = settings.model_copy(update={"key": SecretStr(KEY)})
    async with stranger(200, "text/html", PAGE) as (other, target), stranger(307, "text/html", b"", other) as (url, _):
        for find in (find_server, find_own_server):
            with pytest.raises(FatalError, match=f"status 307 .* sends us to {other}"):
                await asyncio.to_thread(find, url, keyed)
        with pytest.raises(TransientError, match="status 307"):
            await create_session(url, credential=KEY)
        assert target.asked == []


async def test_a_proof_behind_a_proxy_without_upstream_is_not_called_another_program(settings: Settings) -> None:
    async with stranger(*ANSWERS["502 html"]) as (url, _):
        with pytest.raises(FatalError, match="status 502 Bad Gateway: a proxy in front"):
            await asyncio.to_thread(find_server, url, settings)


@pytest.mark.parametrize("status", [301, 308, 404, 426])
async def test_a_recorder_whose_socket_is_never_passed_on_ends_at_once(status: int) -> None:
    async with (
        stranger(200, "text/html", PAGE) as (other, target),
        raw(f"HTTP/1.1 {status} No\r\nlocation: {other}") as url,
    ):
        recorder = Recorder(url, SessionKeys(SESSION, "a-token", "a-token"))
        with pytest.raises(FatalError, match=f"status {status}: .* does not pass WebSockets on"):
            await recorder.stop()
        assert target.asked == []


@pytest.mark.parametrize("status", [408, 429, 503])
async def test_a_recorder_whose_socket_is_refused_for_a_while_tries_again(status: int) -> None:
    async with raw(f"HTTP/1.1 {status} No\r\ncontent-length: 0") as url:
        recorder = Recorder(url, SessionKeys(SESSION, "a-token", "a-token"), patience_s=0.1)
        with pytest.raises(TransientError, match="the server has been away"):
            await recorder.stop()


@pytest.mark.usefixtures("nobody")
@pytest.mark.parametrize(
    ("status", "media_type", "location"),
    [(301, "text/html", "https://undertone.example.org"), (502, "application/json", None), (200, "text/html", None)],
)
async def test_an_export_writes_nothing(tmp_path: Path, status: int, media_type: str, location: str | None) -> None:
    output = tmp_path / "out.srt"
    async with stranger(status, media_type, PAGE, location) as (url, _):
        words = ["export", SESSION, "--format", "srt", "--url", url, "--output", str(output)]
        command = [sys.executable, "-m", "undertone.cli", *words]
        ended = await asyncio.to_thread(
            subprocess.run, command, env=dict(os.environ), capture_output=True, text=True, timeout=60, check=False
        )
    assert ended.returncode == 1
    assert ended.stderr.startswith("error: ")
    assert len(ended.stderr.splitlines()) == 1
    assert str(status) in ended.stderr
    assert not output.exists()


@pytest.mark.usefixtures("nobody")
async def test_an_export_that_is_cut_off_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    output = tmp_path / "out.srt"
    output.write_text("before", encoding="utf-8")

    head = "HTTP/1.1 200 OK\r\ncontent-type: application/x-subrip\r\ncontent-disposition: attachment"
    async with raw(f"{head}\r\ncontent-length: 100\r\n\r\n1") as url:
        with pytest.raises(UndertoneError, match="cannot be reached"):
            await asyncio.to_thread(export, SESSION, Form.SRT, url, output)
    assert output.read_text(encoding="utf-8") == "before"


@pytest.mark.usefixtures("nobody")
@pytest.mark.parametrize("bypass", [None, "127.0.0.0/8", "example.org", "*", "[::1", "http://x"])
@pytest.mark.parametrize(
    "proxy", ["http://127.0.0.1:9", "socks5://127.0.0.1:9", "socks5h://127.0.0.1:9", "127.0.0.1:9"]
)
@pytest.mark.parametrize("variable", ["ALL_PROXY", "HTTP_PROXY", "https_proxy"])
async def test_a_server_here_is_reached_whatever_the_proxy_variables_say(
    monkeypatch: pytest.MonkeyPatch, variable: str, proxy: str, bypass: str | None
) -> None:
    monkeypatch.setenv(variable, proxy)
    if bypass is not None:
        monkeypatch.setenv("NO_PROXY", bypass)
    answer = (200, "application/json", b'{"sessions": [], "windows": [], "next": null}')
    async with stranger(*answer) as (url, asked):
        await asyncio.to_thread(sessions, url)
        with pytest.raises(TransientError, match="status 200 OK, and not as Undertone does"):
            await create_session(url)
        recorder = Recorder(url, SessionKeys(SESSION, "a-token", "a-token"))
        with pytest.raises(FatalError, match="does not pass WebSockets on"):
            await recorder.stop()
        assert [request.method for request in asked.asked] == ["GET", "POST"]
