"""What every attacker has: an address of its own, an ordinary API key, and connections of its own to the server."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import asdict, dataclass, field
from typing import Any, NoReturn
from urllib.parse import urlsplit

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, WebSocketException

from benchmarks.hostile.tally import Tally
from undertone.session_keys import SessionKeys

FAILURES = (OSError, EOFError, TimeoutError, WebSocketException, ValueError)
REST_S = 0.02  # after a failure: an attacker that spins takes processor time and does no harm
ASK_WITHIN_S = 60.0
READ_BYTES = 262_144


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer; ``code`` is that of an error body, else empty."""

    status: int
    body: bytes
    code: str

    def __str__(self) -> str:
        return f"{self.status} {self.code}".strip()


@dataclass(frozen=True)
class Given:
    """What an attacker is given: the server's address, its own, its key, and sessions that it made before.

    ``fresh`` are new ones: in the attack the server may refuse to make any, as too busy. ``long`` is a session of 20
    hours in the history, ``old`` one that was made 20 hours ago and never spoken in. ``hand`` numbers the processes of
    one attacker.
    """

    url: str
    address: str
    key: str
    long: SessionKeys
    old: SessionKeys
    fresh: tuple[SessionKeys, ...] = ()
    hand: int = 0

    def as_json(self) -> dict[str, Any]:
        """All of it as JSON values, for another process; ``from_json`` reads it back."""
        return asdict(self)

    @staticmethod
    def from_json(given: dict[str, Any]) -> "Given":
        """What ``as_json`` wrote."""
        fresh = tuple(SessionKeys(**keys) for keys in given["fresh"])
        long, old = SessionKeys(**given["long"]), SessionKeys(**given["old"])
        return Given(**{**given, "long": long, "old": old, "fresh": fresh})


@dataclass
class Stranger:
    """One attacker at work. Every request and answer is counted in ``tally``."""

    given: Given
    tally: Tally = field(default_factory=Tally)
    taken: int = 0

    @property
    def host(self) -> str:
        """The server's name and port, as ``Host`` carries them."""
        return urlsplit(self.given.url).netloc

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Open a connection from the attacker's own address."""
        parts = urlsplit(self.given.url)
        opened = await asyncio.open_connection(
            parts.hostname, parts.port, local_addr=(self.given.address, 0), limit=READ_BYTES
        )
        self.tally.connections += 1
        return opened

    @asynccontextmanager
    async def connection(self) -> AsyncIterator["Connection"]:
        """A connection for one request after another."""
        reader, writer = await self.connect()
        try:
            yield Connection(self, reader, writer)
        finally:
            writer.transport.abort()

    async def make_session(self) -> SessionKeys:
        """The next of the fresh sessions; without any left, one made with the key, however often that takes."""
        if self.taken < len(self.given.fresh):
            self.taken += 1
            return self.given.fresh[self.taken - 1]
        while True:
            with suppress(*FAILURES):
                async with self.connection() as connection:
                    answer = await connection.ask("POST", "/v1/sessions", b"{}", with_key=True)
                    if answer.status == 201:
                        made = json.loads(answer.body)
                        return SessionKeys(made["session_id"], made["write_token"], made["read_token"])
            await asyncio.sleep(1.0)

    @asynccontextmanager
    async def socket(self, keys: SessionKeys, next_sample: int = 0) -> AsyncIterator[ClientConnection]:
        """An audio WebSocket that has sent ``start`` and got ``ready``."""
        address = f"ws://{self.host}/v1/sessions/{keys.session_id}/audio?token={keys.write_token}"
        async with connect(
            address,
            local_addr=(self.given.address, 0),
            open_timeout=ASK_WITHIN_S,
            close_timeout=0.1,
            ping_interval=None,
            compression=None,
        ) as socket:
            self.tally.connections += 1
            await self.say(socket, "start", sample_rate=16_000, encoding="pcm_s16le", next_sample=next_sample)
            await socket.recv()
            self.tally.answers["ready"] += 1
            yield socket

    async def say(self, socket: ClientConnection, kind: str, **fields: object) -> None:
        """Send a control message."""
        text = json.dumps({"type": kind, **fields})
        self.tally.sent_bytes += len(text)
        await socket.send(text)

    async def repeat(self, act: Callable[[], Awaitable[object]]) -> NoReturn:
        """Act again and again until cancelled; failures and closes are counted."""
        while True:
            try:
                await act()
            except ConnectionClosed as closed:
                told = closed.rcvd
                self.tally.answers[f"{told.code} {told.reason}".strip() if told else "cut off"] += 1
                await asyncio.sleep(REST_S)
            except FAILURES as error:
                self.tally.answers[type(error).__name__] += 1
                await asyncio.sleep(REST_S)

    async def side_by_side(self, count: int, act: Callable[[int], Awaitable[object]]) -> None:
        """Repeat ``act`` in so many tasks at once, each with its number, until cancelled."""
        async with asyncio.TaskGroup() as group:
            for number in range(count):
                group.create_task(self.repeat(lambda number=number: act(number)))  # type: ignore[misc]


@dataclass
class Connection:
    """One HTTP/1.1 connection of an attacker, kept alive."""

    stranger: Stranger
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def ask(
        self,
        method: str,
        path: str,
        body: bytes = b"",
        *,
        with_key: bool = False,
        within_s: float = ASK_WITHIN_S,
        more: bytes = b"",
    ) -> Answer:
        """Send a request and read the whole answer, which is counted. ``more`` holds further header lines."""
        self.send(head_of(self.stranger, method, path, len(body), with_key=with_key, more=more) + body)
        async with asyncio.timeout(within_s):
            await self.writer.drain()
            return await self.answer()

    def send(self, data: bytes) -> None:
        """Send bytes as they are, counted."""
        self.stranger.tally.sent_bytes += len(data)
        self.writer.write(data)

    async def answer(self) -> Answer:
        """Read one answer. Raises ``EOFError`` or ``OSError`` where none comes."""
        head = await self.reader.readuntil(b"\r\n\r\n")
        status, headers = read_head(head)
        if b"chunked" in headers.get(b"transfer-encoding", b""):
            body = b"".join([piece async for piece in self._chunks()])
        else:
            body = await self.reader.readexactly(int(headers.get(b"content-length", 0)))
        tally = self.stranger.tally
        tally.received_bytes += len(head) + len(body)
        answer = Answer(status, body, error_code(status, body))
        tally.answers[str(answer)] += 1
        return answer

    async def _chunks(self) -> AsyncIterator[bytes]:
        while size := int(await self.reader.readuntil(b"\r\n"), 16):
            yield await self.reader.readexactly(size)
            await self.reader.readexactly(2)
        await self.reader.readexactly(2)


def head_of(
    stranger: Stranger, method: str, path: str, body_bytes: int, *, with_key: bool = False, more: bytes = b""
) -> bytes:
    """The head of a request."""
    lines = f"{method} {path} HTTP/1.1\r\nHost: {stranger.host}\r\nContent-Length: {body_bytes}\r\n"
    if with_key:
        lines += f"Authorization: Bearer {stranger.given.key}\r\n"
    return lines.encode() + more + b"\r\n"


def read_head(head: bytes) -> tuple[int, dict[bytes, bytes]]:
    """Status and headers (names in lower case) of an answer's head."""
    first, *lines = head.rstrip().split(b"\r\n")
    pairs = (line.partition(b":")[::2] for line in lines)
    return int(first.split(b" ", 2)[1]), {name.lower(): value.strip() for name, value in pairs}


def error_code(status: int, body: bytes) -> str:
    """The code of an error body, empty for other answers."""
    if status < 400:
        return ""
    try:
        return str(json.loads(body).get("code", ""))
    except (ValueError, AttributeError):
        return ""


async def pace(began_s: float, number: int, every_s: float) -> None:
    """Sleep until the ``number``-th step is due; a late one is not waited for."""
    await asyncio.sleep(max(0.0, began_s + number * every_s - time.monotonic()))
