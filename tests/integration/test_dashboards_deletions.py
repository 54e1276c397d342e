"""What viewers and readers get of a deleted session: that it was deleted, whatever the rows and the ring still have."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from dashboards.app import make_app
from dashboards.streams import Pace
from storage.migrations import upgrade
from storage.upserts import Sourced
from stream_apps.archivist import Archivist
from tests.conftest import running
from tests.forgetting import conversation, deletion, write
from tests.storage_events import partial, session, session_id, utterance
from tests.viewing import served, watching
from undertone.codec import decode
from undertone.kafka import open_reader, read_to_end
from undertone.local.postgres import EmbeddedPostgres
from undertone.settings import Settings
from undertone.tokens import make_token
from undertone.topics import SESSIONS, UTTERANCES, WINDOWS

SESSION = f"/v1/sessions/{session_id()}"
EVENTS = f"{SESSION}/events"
PARTS = ("", "/utterances", "/windows", "/statistics", "/search?q=secret", "/export?format=json", "/events")


async def store_without_forgetting(settings: Settings) -> None:
    """Store what is written so far as an archivist does that has not read any deletion yet."""
    archivist = Archivist(settings.database_url())
    async with open_reader(settings, [SESSIONS, UTTERANCES, WINDOWS]) as consumer:
        await archivist.apply(
            [
                Sourced(record.topic, record.partition, record.offset, decode(record.value, record.headers))
                async for record in read_to_end(consumer)
            ]
        )
    await archivist.close()


async def answers(client: httpx.AsyncClient, token: str | None = None) -> set[tuple[int, str]]:
    urls = [httpx.URL(f"{SESSION}{part}") for part in PARTS]
    found = [await client.get(url if token is None else url.copy_add_param("token", token)) for url in urls]
    return {(answer.status_code, answer.json().get("code", "")) for answer in found}


GONE = {(410, "session_deleted")}


@pytest.fixture
async def client(whole: Settings) -> AsyncIterator[httpx.AsyncClient]:
    """The read side, with two sessions in rows and ring of which the first was deleted a moment ago."""
    await write(whole, *conversation(1, 5), *conversation(3, 2))
    await store_without_forgetting(whole)
    await write(whole, deletion())
    async with served(make_app(whole)) as address, httpx.AsyncClient(base_url=address) as client:
        yield client


async def test_rows_that_are_still_there_are_not_shown(client: httpx.AsyncClient, whole: Settings) -> None:
    token = make_token(whole.signing_key(), session_id(), "read", datetime.now(UTC), 1)
    assert await answers(client) == await answers(client, token=token) == GONE
    page = (await client.get("/v1/sessions")).json()
    assert [item["session_id"] for item in page["sessions"]] == [session_id(3)]
    assert [item["session_id"] for item in page["windows"]] == [session_id(3)]
    for word, hits in (("secret", []), ("public", [session_id(3)] * 2)):
        found = (await client.get("/v1/search", params={"q": word})).json()
        assert [hit["utterance"]["session_id"] for hit in found["hits"]] == hits
    async with watching(str(client.base_url), "/v1/events") as stream:
        data = await stream.until("snapshot")
        assert data["complete"] is True
        assert {item["session_id"] for kind in ("sessions", "utterances", "windows") for item in data[kind]} == {
            session_id(3)
        }


async def test_whoever_watches_is_told_and_a_resume_replays_nothing(whole: Settings) -> None:
    await write(whole, *conversation(1, 2), *conversation(3, 1))
    await store_without_forgetting(whole)
    async with served(make_app(whole)) as address:
        async with watching(address, EVENTS) as one, watching(address, "/v1/events") as every:
            assert len((await one.until("snapshot"))["utterances"]) == 2
            await every.until("snapshot")
            cut = every.last_id
            await write(whole, utterance(1, 3, text="secret 3"), utterance(3, 2))
            for stream in (one, every):
                await stream.until("utterance", session_id=session_id(), seq=3)
            await write(whole, deletion())
            told = await one.until("session", state="deleted")
            assert (told["title"], told["tags"], told["reason"]) == (None, [], "delete")
            assert [sent.name for sent in await one.rest() if sent.data] == []  # it ends
            await every.until("session", session_id=session_id(), state="deleted")
            await write(
                whole, utterance(1, 4, text="late"), partial(), session(1, seq=9, title="late"), utterance(3, 3)
            )
            while (sent := await every.next()).data is None or sent.data.get("seq") != 3:
                assert sent.data is None or sent.data.get("session_id") != session_id(), sent
        async with httpx.AsyncClient(base_url=address) as client:
            refused = await client.get(EVENTS, headers={"last-event-id": one.last_id})
            assert (refused.status_code, refused.json()["code"]) == (410, "session_deleted")
        async with served(make_app(whole)) as replica:
            for server in (address, replica):
                async with watching(server, "/v1/events", cut) as resumed:
                    seen: list[Any] = []  # a hub that was filled later may hand over these two in another order
                    while {"deleted", 3} - {data.get("state") or data.get("seq") for data in seen}:
                        if (data := (await resumed.next()).data) is not None:
                            seen.append(data)
                about = [data for data in seen if data.get("session_id") == session_id()]
                assert [data.get("state") for data in about] == ["deleted"]
                assert "secret" not in str(seen)


async def test_it_is_gone_while_postgres_is_away_too(topics: Settings, tmp_path: Path) -> None:
    server = EmbeddedPostgres(tmp_path)
    with running(server):
        upgrade(server.url)
    away = topics.model_copy(update={"database": SecretStr(server.url)})
    await write(away, *conversation(1, 2), partial(first_sample=240_000), *conversation(3, 1))
    async with served(make_app(away)) as address, httpx.AsyncClient(base_url=address) as client:
        async with watching(address, EVENTS) as stream:
            assert len((await stream.until("snapshot"))["utterances"]) == 2
            await write(away, deletion())
            await stream.until("session", state="deleted")
        assert await answers(client) == GONE
        async with watching(address, "/v1/events") as stream:
            data = await stream.until("snapshot")
            assert (data["complete"], data["partials"]) == (False, [])
            assert {item["session_id"] for item in data["sessions"] + data["utterances"]} == {session_id(3)}


async def test_nothing_is_shown_before_it_is_known_what_was_deleted(whole: Settings) -> None:
    """The rows are there, and Kafka, which alone knows, is not."""
    await write(whole, *conversation(1, 2))
    await store_without_forgetting(whole)
    lost = whole.model_copy(update={"kafka": "127.0.0.1:1"})
    async with served(make_app(lost, Pace(fill_wait_s=0.1))) as address, httpx.AsyncClient(base_url=address) as client:
        assert await answers(client) == {(503, "not_ready")}
        assert (await client.get("/v1/sessions")).json()["code"] == "not_ready"


async def test_a_deletion_long_ago_is_known_after_a_restart(whole: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """The ring holds ten minutes; deletions never grow old."""
    from dashboards import follower

    await write(whole, *conversation(1, 2))
    await store_without_forgetting(whole)
    await write(whole, deletion())
    began_ms = follower._now_ms()
    monkeypatch.setattr(follower, "_now_ms", lambda: began_ms + 3_600_000)
    async with served(make_app(whole)) as address, httpx.AsyncClient(base_url=address) as client:
        assert await answers(client) == GONE
        async with watching(address, "/v1/events") as stream:
            assert (await stream.until("snapshot"))["sessions"] == []
