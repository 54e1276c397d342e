"""PostgreSQL hangs: it keeps its connections and answers nothing. Nobody waits for it longer than a bound of ours."""

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from pydantic import SecretStr
from sqlalchemy import func, select

from dashboards.app import make_app
from storage import engine as engine_module
from storage.engine import make_engine, reading
from storage.migrations import upgrade
from storage.schema import utterances
from storage.upserts import Sourced, store
from tests.conftest import running
from tests.freezing import frozen
from tests.storage_events import session, session_id, utterance
from tests.viewing import Writer, served, watching
from tests.waiting import until
from undertone.errors import TransientError
from undertone.kafka import open_publisher
from undertone.local.postgres import EmbeddedPostgres
from undertone.retry import retry
from undertone.settings import Settings

ONE = f"/v1/sessions/{session_id()}"
BOUND_S = 1.0
SLACK_S = 4.0  # what a busy machine may add


@pytest.fixture
def server(tmp_path: Path) -> Iterator[EmbeddedPostgres]:
    """A PostgreSQL of this test's own, with tables."""
    own = EmbeddedPostgres(tmp_path)
    with running(own):
        upgrade(own.url)
        yield own


async def test_viewers_and_rest_are_answered_in_time(
    topics: Settings, server: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine_module, "READ_S", BOUND_S)
    whole = topics.model_copy(update={"database": SecretStr(server.url)})
    async with (
        open_publisher(whole) as publisher,
        served(make_app(whole)) as address,
        httpx.AsyncClient(base_url=address, timeout=30) as client,
    ):
        writer = Writer(publisher, whole)
        await writer.write(session(), utterance(seq=1))
        await writer.archive()
        async with watching(address, f"{ONE}/events") as early:
            assert (await early.next()).data["complete"] is True

            async def ask_all() -> list[httpx.Response]:
                """More at once than the pool has connections."""
                return await asyncio.gather(*(client.get(f"{ONE}/utterances") for _ in range(15)))

            assert {answer.status_code for answer in await ask_all()} == {200}
            with frozen(server.child.pid):
                for _ in range(2):  # the first time with connections that were open, then without
                    began = time.monotonic()
                    assert {(answer.status_code, answer.json()["code"]) for answer in await ask_all()} == {
                        (503, "history_away")
                    }
                    assert time.monotonic() - began < BOUND_S + SLACK_S
                began = time.monotonic()
                async with watching(address, f"{ONE}/events") as late:
                    data = (await late.next()).data
                    assert time.monotonic() - began < BOUND_S + SLACK_S
                    assert data["complete"] is False
                    assert [item["seq"] for item in data["utterances"]] == [1]
                    await writer.write(utterance(seq=2))
                    for stream in (early, late):
                        assert (await stream.until("utterance"))["seq"] == 2

            async def are_answered() -> bool:
                return {answer.status_code for answer in await ask_all()} == {200}

            await until(are_answered, 20)
            await writer.archive()

            async def is_stored() -> bool:
                answer = await client.get(f"{ONE}/utterances")
                return answer.is_success and [item["seq"] for item in answer.json()["utterances"]] == [1, 2]

            await until(is_stored, 20)
            async with watching(address, f"{ONE}/events") as stream:
                assert (await stream.next()).data["complete"] is True


async def test_what_is_stored_meanwhile_is_stored_once(
    server: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It hangs again and again, anywhere in a transaction: before it, between its statements, after its commit."""
    count = 300
    monkeypatch.setattr(engine_module, "_GRACE_S", 0.3)
    engine = make_engine(server.url, pool_size=2, statement_timeout_ms=200)
    stored = given_up = 0

    async def store_one(number: int) -> None:
        nonlocal given_up
        try:
            new = await store(engine, [Sourced("undertone.utterances", 0, number, utterance(seq=number + 1))])
            assert new == 1 or given_up > 0
        except TransientError:
            given_up += 1
            raise

    async def store_all() -> None:
        nonlocal stored
        for number in range(count):
            await retry(lambda number=number: store_one(number))  # type: ignore[misc]
            stored += 1

    storing = asyncio.create_task(store_all())
    for _ in range(6):
        before, reached = given_up, stored
        with frozen(server.child.pid):
            await until(lambda: given_up > before, 20)  # noqa: B023 - asked in this round alone
        await until(lambda: stored > reached + 5 or storing.done(), 20)  # noqa: B023
    await asyncio.wait_for(storing, 60)
    assert given_up >= 6
    async with reading(engine) as connection:
        seqs = utterances.c.seq
        assert (await connection.execute(select(func.count(), func.min(seqs), func.max(seqs)))).one() == (
            count,
            1,
            count,
        )
    await engine.dispose()
