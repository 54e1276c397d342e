"""The audio WebSocket: a thin adapter between a socket, the pure ``Connection`` and the publisher.

Eight tasks serve one socket, and the first to end decides how it ends. ``_receive`` reads, and hands records over in
order without waiting for the broker (``record_sender``); ``_acknowledge`` waits in the same order until they count, and
tells the recorder; ``_report`` says every second how far behind the transcriber is; ``_finish`` waits for the end after
a stop; ``_obey`` waits for a deletion, ``_yield`` for another recorder, ``_check`` for the end of the token; the sender
joins gaps.
"""

import asyncio
import time
import uuid
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any

from fastapi import WebSocket, WebSocketDisconnect

from ingest_api.connection import Connection, Phase, parse_frame
from ingest_api.ingest import Finished, Ingest, created_ms, finished
from ingest_api.messages import Message, Ping, Start, Stop, parse_message
from ingest_api.publishers import kafka_away
from ingest_api.record_sender import RecordSender
from ingest_api.session_writer import SessionWriter
from undertone.errors import Refusal
from undertone.records import Audio, AudioRecord, Gap
from undertone.refusals import refuse_socket

START_WITHIN_S = 10.0
ACKNOWLEDGED_WITHIN_S = 30.0
ACK_EVERY_S = 0.1
STATUS_EVERY_S = 1.0
TURN_WITHIN_S = 10.0
CHECK_EVERY_S = 5.0
LOOK_AGAIN_S = 60.0  # changes are told; this is for none at all
# One read of the wire can bring thousands of small messages: each lets others have their turn, and one that brings
# nothing new waits a little, so that a resume does not notice and a chatterer does.
NOTHING_NEW_COSTS_S = 0.002


async def serve_audio(socket: WebSocket, session_id: str, ingest: Ingest, check: Callable[[], None]) -> None:
    """Serve one socket from its handshake to its close. A refusal is sent as ``error``, then closes with its code.

    ``check`` raises ``Refusal`` once the token of the handshake is no longer good, which ends the socket.
    """
    with suppress(WebSocketDisconnect):
        try:
            # Before the recorder may say anything: should it go elsewhere, what it says there is behind this place.
            seen = await ingest.follower.catch_up(session_id)
            await socket.accept()
            connection = uuid.uuid4().hex
            with ingest.writer(session_id, connection) as writer:
                await _Serving(socket, session_id, connection, seen, writer, ingest).run(check)
        except Refusal as refusal:
            await refuse_socket(socket, refusal)


class _Serving:
    def __init__(
        self, socket: WebSocket, session_id: str, connection: str, seen: int, writer: SessionWriter, ingest: Ingest
    ) -> None:
        self._socket = socket
        self._session_id = session_id
        self._writer = writer
        self._ingest = ingest
        ended_at = ingest.length_if_stopped(session_id)
        self._connection = Connection(
            session_id,
            connection,
            ingest.limits,
            created_ms(session_id),
            ended_at=ended_at,
            expected=ingest.expected(session_id),
            seen=seen,
        )
        self._sender = RecordSender(session_id, writer, ingest)
        self._has_spoken = asyncio.Event()
        self._is_stopping = asyncio.Event()
        self._close: AudioRecord | None = None
        self._sending = asyncio.Lock()

    async def run(self, check: Callable[[], None]) -> None:
        work: list[Coroutine[Any, Any, Finished | None]] = [
            self._obey(),
            self._yield(),
            self._finish(),
            self._receive(),
            self._sender.run(),
            self._acknowledge(),
            self._report(),
            self._check(check),
        ]
        tasks = [asyncio.create_task(part) for part in work]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            ended = next((task for task in tasks if task.done()), None)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        if ended and (last_word := ended.result()):
            await self._send(last_word)
            await self._socket.close(1000)

    async def _obey(self) -> None:
        """End when the session is deleted, whatever else is going on."""
        while True:
            self._ingest.follower.knowledge.stopped(self._session_id)  # refuses a deleted one
            await self._ingest.follower.changed(self._session_id, LOOK_AGAIN_S)

    async def _check(self, check: Callable[[], None]) -> None:
        """End when the token has expired; a recorder that has said stop may wait for the end of its session."""
        while not self._is_stopping.is_set():
            check()
            await asyncio.sleep(CHECK_EVERY_S)
        await asyncio.Event().wait()

    async def _yield(self) -> None:
        """End when another recorder speaks for the session."""
        await self._writer.watch.counts_no_more()

    async def _receive(self) -> None:
        while True:
            message = await self._next_message()
            if isinstance(message, bytes):
                await self._wait_for_room(message)
            record = self._connection.take(message, self._ingest.now_ms())
            match message:
                case Ping():
                    await self._send({"type": "pong"})
                case Start():
                    await self._start(record)
                case Stop():
                    await self._sender.flush()
                    self._close = self._close or record
                    self._has_spoken.set()
                    self._is_stopping.set()
                case _ if isinstance(record, Audio | Gap):
                    await self._sender.send(record)  # while it blocks the socket is not read, and the recorder feels it
            await asyncio.sleep(0 if isinstance(record, Audio) else NOTHING_NEW_COSTS_S)

    async def _next_message(self) -> Message | bytes:
        event = await self._socket.receive()
        if event["type"] == "websocket.disconnect":
            raise WebSocketDisconnect(event.get("code", 1005), event.get("reason"))
        data: bytes | None = event.get("bytes")
        return data if data is not None else parse_message(event["text"])

    async def _wait_for_room(self, data: bytes) -> None:
        if self._connection.phase is not Phase.STREAMING:
            return
        frame = parse_frame(data, self._ingest.limits.max_frame_samples)
        known, end = self._connection.next_sample, frame.at + frame.samples
        if frame.at <= known < end:
            await self._ingest.wait_for_room(self._session_id, known, end)

    async def _start(self, record: AudioRecord | None) -> None:
        self._has_spoken.set()
        if record is not None:
            await self._ingest.spend(self._session_id, TURN_WITHIN_S)
            self._ingest.paces.skip(self._session_id, self._ingest.expected(self._session_id), record.end)
            await self._writer.write(record)
        await self._send(
            {
                "type": "ready",
                "session_id": self._session_id,
                "next_sample": self._connection.next_sample,
                "latest_sample": self._connection.latest_sample(self._ingest.now_ms()),
                "limits": self._ingest.limits.body(),
            }
        )

    async def _acknowledge(self) -> None:
        told_at = 0.0
        while True:
            record, durable = await self._sender.in_flight.get()
            try:
                async with asyncio.timeout(ACKNOWLEDGED_WITHIN_S):
                    if durable is not None:
                        await self._writer.confirm(record, durable)
            except TimeoutError as error:
                raise kafka_away() from error
            if self._sender.in_flight.empty() or time.monotonic() - told_at >= ACK_EVERY_S:
                await self._send({"type": "ack", "next_sample": record.end})
                told_at = time.monotonic()
            self._sender.in_flight.task_done()

    async def _report(self) -> None:
        if not await _is_set_within(self._has_spoken, START_WITHIN_S):
            raise Refusal("start_missing", f"no start came within {START_WITHIN_S:.0f} s: send it first", status=408)
        while True:
            await asyncio.sleep(STATUS_EVERY_S)
            self._ingest.follower.check()
            knowledge = self._ingest.follower.knowledge
            if self._writer.watch.is_open and knowledge.stopped(self._session_id) and not self._is_stopping.is_set():
                raise Refusal("session_ended", "the session was stopped elsewhere: start a new one", status=409)
            behind_ms = knowledge.behind_ms(self._session_id, self._connection.next_sample, self._ingest.now())
            latest_sample = self._connection.latest_sample(self._ingest.now_ms())
            await self._send({"type": "status", "behind_ms": behind_ms, "latest_sample": latest_sample})

    async def _finish(self) -> Finished:
        await self._is_stopping.wait()
        # The close ends the session for good: it is written only when everything before it is known to be durable.
        await self._sender.in_flight.join()
        if self._close:
            await self._writer.write(self._close)
        session = await self._ingest.wait_until_stopped(self._session_id)
        if session is None:
            raise RuntimeError("waited without a bound, and yet gave up")
        return finished(session)

    async def _send(self, message: dict[str, object]) -> None:
        async with self._sending:
            await self._socket.send_json(message)


async def _is_set_within(event: asyncio.Event, seconds: float) -> bool:
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()
    return event.is_set()
