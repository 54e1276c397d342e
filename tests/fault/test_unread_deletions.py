"""A web part that cannot read deletions shows and takes nothing of sessions until it can again."""

import json
from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import httpx
import pytest
from pydantic import SecretStr

from dashboards.app import make_app
from dashboards.streams import Pace
from ingest_api import app as app_module
from ingest_api.follower import Follower
from storage.migrations import upgrade
from tests.conftest import running
from tests.freezing import frozen
from tests.ingest_serving import START, read_until, serve_ingest
from tests.storage_events import session, session_id, utterance
from tests.viewing import Writer, served, watching
from tests.waiting import until
from undertone.kafka import open_publisher, open_reader
from undertone.local.kafka import EmbeddedKafka
from undertone.local.postgres import EmbeddedPostgres
from undertone.settings import Settings
from undertone.topics import DELETIONS

STALE_AFTER_S = 4.0
ONE = f"/v1/sessions/{session_id()}"
SHOWN = (
    "/v1/sessions",
    "/v1/search?q=word",
    "/v1/events",
    *(f"{ONE}{part}" for part in ("", "/utterances", "/windows", "/statistics", "/search?q=word", "/events")),
    f"{ONE}/export?format=json",
    f"{ONE}/kept-audio",
    f"{ONE}/utterances/{session_id()}-000000000001/audio",
)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[str]:
    server = EmbeddedPostgres(tmp_path)
    with running(server):
        upgrade(server.url)
        yield server.url


async def test_the_read_side_shows_nothing_while_kafka_hangs(
    own_kafka: EmbeddedKafka, alone: Settings, database: str
) -> None:
    whole = alone.model_copy(update={"database": SecretStr(database)})
    app = make_app(whole, Pace(stale_after_s=STALE_AFTER_S, heartbeat_s=0.5))
    async with (
        open_publisher(whole) as publisher,
        served(app) as address,
        httpx.AsyncClient(base_url=address, timeout=30) as client,
    ):
        writer = Writer(publisher, whole)
        await writer.write(session(), utterance(seq=1))
        await writer.archive()

        async def status(path: str) -> int:
            async with client.stream("GET", path) as answer:
                return answer.status_code

        async def is_ready() -> bool:
            return await status("/readyz") == 200

        async def is_not_ready() -> bool:
            return await status("/readyz") == 503

        await until(is_ready, 20)
        async with watching(address, f"{ONE}/events") as stream:
            assert len((await stream.until("snapshot"))["utterances"]) == 1
            with frozen(own_kafka.child.pid):
                await until(is_not_ready, 60)
                for path in SHOWN:
                    answer = await client.get(path)
                    told = (answer.status_code, answer.json()["code"], answer.json()["retryable"])
                    assert told == (503, "not_ready", True), path
                    assert "retry-after" in answer.headers
                assert {sent.name for sent in await stream.rest() if sent.name} <= {"heartbeat"}  # and then it ends
                assert await status("/healthz") == 200
        await until(is_ready, 60)
        assert {await status(path) for path in ("/v1/sessions", ONE, f"{ONE}/utterances")} == {200}
        async with watching(address, f"{ONE}/events") as stream:
            assert len((await stream.until("snapshot"))["utterances"]) == 1


async def test_the_write_side_takes_nothing_while_it_cannot_read(
    own_kafka: EmbeddedKafka, alone: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its producer may still work, as it does where one partition of the deletions has lost its leader."""
    monkeypatch.setattr(
        app_module, "Follower", lambda settings, clock: Follower(settings, clock, stale_after_s=STALE_AFTER_S)
    )
    async with serve_ingest(alone) as served_:
        session_made = await served_.make()

        async def reason() -> str:
            return str((await served_.http.get("/readyz")).json().get("reason"))

        async def cannot_read() -> bool:
            return "have not been read from Kafka" in await reason()

        async def is_ready() -> bool:
            return (await served_.http.get("/readyz")).status_code == 200

        async with served_.connect(session_made) as socket:
            await socket.send(json.dumps(START))
            await read_until(socket, "ready")
            with frozen(own_kafka.child.pid):
                await until(cannot_read, 60)
                told = await read_until(socket, "error")
                assert (told["code"], told["retryable"]) == ("kafka_away", True)
                await socket.wait_closed()
                assert socket.close_code == 4503
                answer = await served_.http.post("/v1/sessions")
                assert (answer.status_code, answer.json()["code"]) == (503, "kafka_away")
        await until(is_ready, 90)
        await served_.make()


async def test_readers_close_while_kafka_is_gone(own_kafka: EmbeddedKafka, alone: Settings) -> None:
    """Closing one that waits to fetch again is no cancellation of whoever closes it."""
    async with AsyncExitStack() as stack:
        readers = [await stack.enter_async_context(open_reader(alone, [DELETIONS])) for _ in range(10)]
        for reader in readers:
            await reader.getmany(timeout_ms=200)
        own_kafka.child.kill()
        for reader in readers:
            assert await reader.getmany(timeout_ms=500) == {}
