"""New sessions under overload, on a real server and a real Kafka; the test reports as transcribers do."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import httpx
import pytest

from ingest_api.admission import RETRY_AT_LEAST_S, RETRY_AT_MOST_S
from tests.clips import SPEECH
from tests.ingest_serving import START, Made, Served, frame, read_until, serve_ingest
from tests.recordings import make_recording
from tests.transcribing import transcribing
from tests.waiting import until
from undertone.errors import Refusal
from undertone.events import Worker
from undertone.kafka import open_publisher
from undertone.session_keys import create_session
from undertone.settings import Settings
from undertone.topics import WORKERS

REPORT_EVERY_S = 0.2


class Transcriber:
    """What one would say of itself."""

    backlog_s = 0.0
    speed = 10.0
    load = 0.0


@asynccontextmanager
async def reporting(settings: Settings) -> AsyncIterator[Transcriber]:
    """A transcriber that reports as it is told, and does nothing else."""
    said = Transcriber()

    async def report() -> None:
        while True:
            worker = Worker(
                worker="t1",
                app="transcriber",
                at=datetime.now(UTC),
                backlog_s=said.backlog_s,
                speed=said.speed,
                replicas=2,
                load=said.load,
            )
            await publisher.publish(WORKERS, "t1", worker)
            await asyncio.sleep(REPORT_EVERY_S)

    async with open_publisher(settings) as publisher:
        task = asyncio.create_task(report())
        try:
            yield said
        finally:
            task.cancel()


async def answer(served: Served, status: int, what: str) -> httpx.Response:
    """The answer to a new session, once it has this status."""

    async def asked() -> httpx.Response | None:
        response = await served.http.post("/v1/sessions")
        return response if response.status_code == status else None

    response = await until(asked, 10, what)
    assert response is not None
    return response


async def refused(served: Served) -> float:
    text = (await served.http.get("/metrics")).text
    (line,) = [line for line in text.splitlines() if line.startswith("undertone_sessions_refused_total ")]
    return float(line.split()[1])


@pytest.fixture
def refusing(topics: Settings) -> Settings:
    """Settings that refuse as they come."""
    return topics.model_copy(update={"refuse_above_s": 10.0})


async def test_new_sessions_are_refused_while_too_much_waits_and_the_others_go_on(refusing: Settings) -> None:
    async with serve_ingest(refusing) as served, reporting(refusing) as transcriber:
        going_on, made = await served.make(), await served.make()
        async with served.connect(going_on) as socket:
            await socket.send(json.dumps(START))
            await read_until(socket, "ready")
            before = await refused(served)
            transcriber.backlog_s = 400.0  # 20 s of two decoders
            busy = await answer(served, 503, "too busy")
            body = busy.json()
            assert (body["code"], body["retryable"]) == ("too_busy", True)
            assert body["retry_after_ms"] == 34_000  # twice what is too much
            assert busy.headers["Retry-After"] == "34"
            assert await refused(served) > before
            metrics = (await served.http.get("/metrics")).text
            assert "undertone_ingest_backlog_seconds 400.0" in metrics
            file = await served.http.post(
                f"/v1/sessions/{made.session_id}/file",
                content=make_recording("wav", 1),
                params={"token": made.write_token},
            )
            assert (file.status_code, file.json()["code"]) == (503, "too_busy")
            await socket.send(frame(0))
            assert (await read_until(socket, "ack"))["next_sample"] == 1600
            transcriber.backlog_s = 100.0  # under what it takes to refuse, over what it takes to admit again
            assert (await answer(served, 503, "still busy")).json()["retry_after_ms"] <= 34_000
            transcriber.backlog_s = 10.0
            await answer(served, 201, "taken again")


async def test_a_crowd_at_once_is_taken_as_far_as_there_is_room(refusing: Settings) -> None:
    async with serve_ingest(refusing) as served, reporting(refusing) as transcriber:
        transcriber.load = 0.5
        known = "undertone_ingest_backlog_seconds 1.0"
        transcriber.backlog_s = 1.0
        await until(lambda: _says(served, known), 10)
        answers = await asyncio.gather(*(served.http.post("/v1/sessions") for _ in range(40)))
        taken = [each for each in answers if each.status_code == 201]
        assert len(taken) == 5  # a third of 20 s of audio in a second, of which people speak most
        assert {each.json()["code"] for each in answers if each.status_code != 201} == {"too_busy"}


async def test_short_files_one_after_the_other_are_never_refused(refusing: Settings) -> None:
    recording = (SPEECH / "LJ001-0008.flac").read_bytes()
    async with serve_ingest(refusing) as served, transcribing(refusing):
        for _ in range(20):
            made = await served.http.post("/v1/sessions", json={"language": "en"})
            assert made.status_code == 201, made.text
            session = Made(**{name: made.json()[name] for name in ("session_id", "write_token", "read_token")})
            taken = await served.post(session, "file", recording)
            assert taken.status_code == 200, taken.text
            ended = await served.post(session, "stop", next_sample=taken.json()["samples"])
            assert (ended.status_code, ended.json()["utterances"]) == (200, 1), ended.text


async def _says(served: Served, line: str) -> bool:
    return line in (await served.http.get("/metrics")).text.splitlines()


async def test_without_a_transcriber_sessions_begin_until_the_log_holds_enough(refusing: Settings) -> None:
    async with serve_ingest(refusing.model_copy(update={"unheard_minutes": 1 / 60})) as served:
        made = await served.make()
        async with served.connect(made) as socket:
            await socket.send(json.dumps(START))
            await read_until(socket, "ready")
            for at in range(0, 160_000, 16_000):
                await socket.send(frame(at, 16_000))
            body = (await answer(served, 503, "too much waits")).json()
            assert (body["code"], body["retry_after_ms"]) == ("too_busy", RETRY_AT_MOST_S * 1000)
        async with reporting(refusing):  # one that is back has its own measure
            await answer(served, 201, "a transcriber is back")


async def test_a_recorder_waits_for_its_turn_and_says_so(topics: Settings) -> None:
    said: list[str] = []
    impatient = topics.model_copy(update={"refuse_above_s": 1.0})
    async with serve_ingest(impatient) as served, reporting(topics) as transcriber:
        transcriber.backlog_s = 24.0
        await answer(served, 503, "too busy")
        with pytest.raises(Refusal) as caught:
            await create_session(served.url, patience_s=1)
        assert (caught.value.code, caught.value.retryable) == ("too_busy", True)
        began_s = time.monotonic()

        def say(words: str) -> None:
            said.append(words)
            transcriber.backlog_s = 0.0

        keys = await create_session(served.url, patience_s=60, say=say)
        assert keys.session_id
    assert time.monotonic() - began_s >= RETRY_AT_LEAST_S
    assert said in ([f"busy, retrying in {seconds} s"] for seconds in (2, 3))
