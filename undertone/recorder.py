"""The recorder: the one client of the audio WebSocket, for the terminal, the demo, benchmarks and tests.

It numbers samples, keeps what is not acknowledged, and after any drop opens again and goes on from the last
acknowledged sample, so that nothing is lost or doubled. Its counterpart in the browser is dashboards/web/recorder.
"""

import asyncio
import json
import logging
import math
import random
import struct
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal, NoReturn

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidProxy, InvalidStatus, WebSocketException

from undertone.audio import SAMPLE_RATE
from undertone.errors import FatalError, Refusal, TransientError
from undertone.outbox import Outbox, Piece
from undertone.proxies import is_direct, unusable
from undertone.retry import backoff_s
from undertone.session_keys import NOT_ADMITTED, Confirm, SessionKeys, create_session, read_refusal

log = logging.getLogger(__name__)

KEEP_SAMPLES = 600 * SAMPLE_RATE
# More than this is not on its way unacknowledged: what waits in socket buffers delays everything behind it.
WINDOW_SAMPLES = 10 * SAMPLE_RATE
CONNECT_S = 10.0
PATIENCE_S = 600.0
# The server sends a status every second; so long without a word means that the wire is dead.
SILENT_FOR_S = 15.0
# A gap beyond what the server's clock allows waits for so long for its word: the machine may have slept.
BELIEVED_AFTER_S = 3.0


@dataclass(frozen=True)
class Finished:
    """The end of a session: its length and how many utterances count."""

    samples: int
    utterances: int


class Recorder:
    """Records into one session. ``write`` and ``gap`` number samples; ``stop`` returns when all is final.

    ``patience_s`` is how long it goes on trying without an answer, and while the server does not accept its token: what
    is kept is worth more than a quick error. Each method raises what ended the recording: ``Refusal``, or
    ``TransientError`` when patience is over.
    """

    def __init__(
        self,
        url: str,
        keys: SessionKeys,
        *,
        language: str | None = None,
        patience_s: float = PATIENCE_S,
        keep_samples: int = KEEP_SAMPLES,
        confirm: Confirm | None = None,
    ) -> None:
        """``confirm`` is called before each connection but the first."""
        self.keys = keys
        self.behind_ms: int | None = None
        self.connections = 0
        self._address = f"{url.rstrip('/').replace('http', 'ws', 1)}/v1/sessions/{keys.session_id}/audio"
        self._language = language
        self._patience_s = patience_s
        self._confirm = confirm
        self._started_at = datetime.now(UTC)
        self._latest_sample: int | None = None
        self._outbox = Outbox(keep_samples)
        self._is_stopping = False
        self._changed = asyncio.Event()
        self._running = asyncio.create_task(self._run())

    @property
    def is_full(self) -> bool:
        """Whether ``write`` would wait, because too much is not acknowledged."""
        return self._outbox.is_full

    @property
    def next_sample(self) -> int:
        """The number of the next sample written."""
        return self._outbox.end

    @property
    def acknowledged(self) -> int:
        """The sample up to which everything is durable."""
        return self._outbox.acknowledged

    async def write(self, pcm: bytes) -> None:
        """Keep and send the next samples (s16le, at most a second, best 100 ms); waits while too much is kept."""
        while self._outbox.is_full and not self._running.done():
            await self._wait_for_change()
        self._check_running()
        self._outbox.add(pcm)
        self._notify()

    def gap(self, samples: int) -> None:
        """Say that the next ``samples`` have no audio; a gap that would reach into the future is made shorter."""
        self._check_running()
        self._outbox.add_gap(samples)
        self._notify()

    async def stop(self) -> Finished:
        """End the session: send what is kept, and wait until its last utterance is final."""
        self._is_stopping = True
        self._notify()
        return await asyncio.shield(self._running)

    async def close(self) -> None:
        """Hang up; what is not acknowledged is forgotten, and the session ends by idleness."""
        self._running.cancel()
        await asyncio.gather(self._running, return_exceptions=True)

    async def _run(self) -> Finished:
        loop = asyncio.get_running_loop()
        attempt, heard_at = 0, loop.time()
        while True:
            before = self.connections
            retry_after_ms: int | None = None
            try:
                if attempt + self.connections > 0 and self._confirm is not None:
                    await self._confirm()
                address = f"{self._address}?token={self.keys.write_token}"
                async with _connected(address, is_first=self.connections == 0) as socket:
                    return await self._speak(socket)
            except Refusal as refusal:
                if refusal.code in NOT_ADMITTED:
                    if loop.time() - heard_at > self._patience_s:
                        raise
                elif refusal.retryable:
                    heard_at = loop.time()
                else:
                    raise
                retry_after_ms = refusal.retry_after_ms
            except (OSError, TimeoutError, WebSocketException, TransientError) as error:
                if self.connections == before and loop.time() - heard_at > self._patience_s:
                    raise TransientError(f"the server has been away for {self._patience_s:.0f} s: {error}") from error
            if self.connections > before:
                attempt, heard_at = 0, loop.time()
            wait_s = backoff_s(attempt, random.random())  # noqa: S311 - jitter, no secret
            await asyncio.sleep(max(wait_s, (retry_after_ms or 0) / 1000))
            attempt += 1

    async def _speak(self, socket: ClientConnection) -> Finished:
        """One connection from its start. Acknowledgements of another socket are never heard here."""
        begin = self._outbox.acknowledged
        start = {
            "type": "start",
            "sample_rate": SAMPLE_RATE,
            "encoding": "pcm_s16le",
            "language": self._language,
            "started_at": self._started_at.isoformat(),
            "next_sample": begin,
        }
        # A server that refuses at once may have closed by now: its reason is still to be read.
        with suppress(ConnectionClosed):
            await socket.send(json.dumps(start))
        while (ready := await _hear(socket))["type"] != "ready":
            pass
        self._latest_sample = ready.get("latest_sample")
        self.connections += 1
        sending = asyncio.create_task(self._send(socket, begin))
        listening = asyncio.create_task(self._listen(socket))
        try:
            await asyncio.wait([sending, listening], return_when=asyncio.FIRST_COMPLETED)
            # Sending ends only by breaking, and then the reason, if the server gave one, is still to be read.
            heard_the_end, _ = await asyncio.wait([listening], timeout=CONNECT_S)
            return await (listening if heard_the_end else sending)
        finally:
            sending.cancel()
            listening.cancel()
            await asyncio.gather(sending, listening, return_exceptions=True)

    async def _listen(self, socket: ClientConnection) -> Finished:
        while True:
            message = await _hear(socket)
            match message["type"]:
                case "ack":
                    self._outbox.acknowledge(int(message["next_sample"]))
                    self._notify()
                case "status":
                    self.behind_ms = int(message["behind_ms"])
                    self._latest_sample = message.get("latest_sample")
                    self._notify()
                case "finished":
                    return Finished(int(message["samples"]), int(message["utterances"]))

    async def _send(self, socket: ClientConnection, begin: int) -> NoReturn:
        sent, has_said_stop, held_since_s = begin, False, math.inf
        while True:
            piece = self._outbox.after(sent)
            if piece is not None and self._is_too_late(piece):
                now_s = asyncio.get_running_loop().time()
                held_since_s = min(held_since_s, now_s)
                if now_s - held_since_s < BELIEVED_AFTER_S:
                    await self._wait_for_change()
                else:  # some clock is wrong: what is said now is not said in the future
                    self._outbox.shorten(piece, max(sent, self._latest_sample or 0))
                continue
            held_since_s = math.inf
            if piece is not None and self._has_room(piece):
                await socket.send(_frame(piece))
                sent = piece.end
            elif piece is None and self._is_stopping and not has_said_stop:
                await socket.send('{"type":"stop"}')
                has_said_stop = True
            else:
                await self._wait_for_change()

    def _has_room(self, piece: Piece) -> bool:
        return piece.pcm is None or piece.at - self._outbox.acknowledged < WINDOW_SAMPLES

    def _is_too_late(self, piece: Piece) -> bool:
        return piece.pcm is None and self._latest_sample is not None and piece.end > self._latest_sample

    def _check_running(self) -> None:
        if self._running.done():
            self._running.result()
            raise Refusal("session_ended", "the recording has been stopped: start a new session", status=409)

    def _notify(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()

    async def _wait_for_change(self) -> None:
        changed = asyncio.create_task(self._changed.wait())
        try:
            await asyncio.wait([changed, self._running], return_when=asyncio.FIRST_COMPLETED)
        finally:
            changed.cancel()


@asynccontextmanager
async def open_recorder(
    url: str,
    *,
    title: str | None = None,
    tags: Sequence[str] = (),
    language: str | None = None,
    credential: str | None = None,
    say: Callable[[str], object] = log.info,
    confirm: Confirm | None = None,
) -> AsyncIterator[Recorder]:
    """A recorder on a new session, hung up on exit. Raises as ``create_session``; ``say`` hears of waits for it."""
    keys = await create_session(
        url,
        title=title,
        tags=tags,
        language=language,
        credential=credential,
        patience_s=PATIENCE_S,
        say=say,
        confirm=confirm,
    )
    recorder = Recorder(url, keys, language=language, confirm=confirm)
    try:
        yield recorder
    finally:
        await recorder.close()


async def _hear(socket: ClientConnection) -> dict[str, Any]:
    async with asyncio.timeout(SILENT_FOR_S):
        message: dict[str, Any] = json.loads(await socket.recv())
    if message["type"] == "error":
        raise read_refusal(message, 500)
    return message


_TEMPORARY = frozenset({408, 425, 429})


class _Connect(connect):
    """Follows no redirect: the sound is meant for one server."""

    def process_redirect(self, exc: Exception) -> Exception:
        """The error, as it is."""
        return exc


def _check_status(status: int) -> None:
    """Raise ``FatalError`` if a server that refuses the WebSocket with this status will go on doing so.

    Undertone itself accepts a WebSocket and then says why it refuses, but to foreign origins and where an address has
    too many connections (429).
    """
    if 300 <= status < 500 and status not in _TEMPORARY:
        raise FatalError(
            f"the WebSocket was answered with status {status}: a proxy in front of Undertone does not pass WebSockets "
            "on, or sends them elsewhere; let it pass the headers Upgrade and Connection on"
        )


def _frame(piece: Piece) -> str | bytes:
    if piece.pcm is None:
        return json.dumps({"type": "gap", "next_sample": piece.end})
    return struct.pack("<Q", piece.at) + piece.pcm


@asynccontextmanager
async def _connected(address: str, *, is_first: bool) -> AsyncIterator[ClientConnection]:
    """A WebSocket for the block. Raises what ``connect`` raises, ``FatalError`` for a proxy that cannot be used.

    The first one raises ``FatalError`` as well where something in front of the server will never let it pass.
    """
    proxy: Literal[True] | None = None if is_direct(address) else True
    try:
        socket = await _Connect(address, open_timeout=CONNECT_S, close_timeout=1, ping_interval=None, proxy=proxy)
    except (ImportError, InvalidProxy) as error:
        raise unusable(error) from error
    except InvalidStatus as error:
        if is_first:
            _check_status(error.response.status_code)
        raise
    try:
        yield socket
    finally:
        await socket.close()
