"""A Kafka that is killed in the middle of a recording, or hangs, and comes back."""

import asyncio
import json
from contextlib import suppress
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from ingest_api.connection import Connection
from ingest_api.record_sender import IN_FLIGHT_RECORDS
from tests.freezing import frozen
from tests.ingest_serving import START, Made, frame, heard, pcm, read_log, read_until, serve_ingest
from tests.waiting import until
from undertone.local.kafka import EmbeddedKafka
from undertone.recorder import open_recorder
from undertone.settings import Settings


async def test_a_recording_outlives_a_kafka_that_is_killed(own_kafka: EmbeddedKafka, alone: Settings) -> None:
    settings = alone
    async with serve_ingest(settings) as served, open_recorder(served.url) as recorder:

        async def why_not_ready() -> str:
            return str((await served.http.get("/readyz")).json().get("reason"))

        async def says_that_it_is_away() -> bool:
            return await why_not_ready() == "Kafka cannot be reached"

        def all_is_durable() -> bool:
            return recorder.acknowledged == recorder.next_sample

        for index in range(20):
            await recorder.write(pcm(index * 1600, 1600))
        await until(all_is_durable, 20)

        own_kafka.child.kill()
        for index in range(20, 80):
            await recorder.write(pcm(index * 1600, 1600))
        await until(says_that_it_is_away, 60)
        assert recorder.acknowledged == 20 * 1600

        await own_kafka.start()
        for index in range(80, 100):
            await recorder.write(pcm(index * 1600, 1600))
        await until(all_is_durable, 90)
        assert recorder.connections > 1
        log = await read_log(settings, recorder.keys.session_id)
    assert heard(log) == (pcm(0, 100 * 1600), [])


async def test_nothing_is_acknowledged_while_kafka_hangs(own_kafka: EmbeddedKafka, alone: Settings) -> None:
    """It keeps its connections and takes what is sent: only its answer says that a record is durable."""
    async with serve_ingest(alone) as served:
        spoken, chunked, stopped, deleted = [await served.make() for _ in range(4)]
        async with served.connect(spoken) as socket:
            await socket.send(json.dumps(START))
            await read_until(socket, "ready")
            with frozen(own_kafka.child.pid):
                await socket.send(frame(0))
                answers = await asyncio.gather(
                    served.http.post("/v1/sessions"),
                    served.http.post(**asking(chunked, "/audio"), content=frame(0)),
                    served.http.post(**asking(stopped, "/stop", next_sample=0)),
                    served.http.delete(**asking(deleted)),
                )
                assert [(answer.status_code, answer.json()["code"]) for answer in answers] == [(503, "kafka_away")] * 4
                told = list[dict[str, Any]]()
                with suppress(ConnectionClosed, TimeoutError):
                    async with asyncio.timeout(0.5):
                        while True:
                            told.append(json.loads(await socket.recv()))
        assert [message for message in told if message["type"] == "ack"] == []


async def test_a_socket_is_not_read_while_too_much_of_it_waits_for_a_kafka_that_hangs(
    own_kafka: EmbeddedKafka, alone: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken = 0
    take = Connection.take

    def counted(self: Connection, message: Any, now_ms: int) -> Any:
        nonlocal taken
        taken += isinstance(message, bytes)
        return take(self, message, now_ms)

    monkeypatch.setattr(Connection, "take", counted)
    async with serve_ingest(alone) as served, served.connect(await served.make()) as socket:
        await socket.send(json.dumps(START))
        await read_until(socket, "ready")
        with frozen(own_kafka.child.pid):
            sending = asyncio.create_task(send_all(socket, [frame(number * 320, 320) for number in range(500)]))
            for _ in range(3):  # seconds
                await read_until(socket, "status")
            assert 1 < taken <= IN_FLIGHT_RECORDS + 2
        await sending
        await until(lambda: taken == 500, 60)


async def send_all(socket: ClientConnection, frames: list[bytes]) -> None:
    for piece in frames:
        await socket.send(piece)


def asking(made: Made, path: str = "", **params: object) -> dict[str, Any]:
    """How one asks for something of a session, by its token."""
    return {"url": f"/v1/sessions/{made.session_id}{path}", "params": {"token": made.write_token, **params}}
