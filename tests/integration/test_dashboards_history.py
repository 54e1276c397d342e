"""History over REST, on a real PostgreSQL and a real Kafka: pages, filters, refusals, tokens, static pages."""

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from dashboards.app import make_app
from storage.cursors import make_cursor
from storage.engine import make_engine
from storage.migrations import upgrade
from storage.upserts import Sourced, store
from tests.storage_events import session, session_id, utterance, window
from tests.viewing import served
from tests.waiting import until
from undertone.errors import FatalError
from undertone.events import Event
from undertone.kafka import open_publisher
from undertone.settings import Settings
from undertone.tokens import make_token
from undertone.topics import SESSIONS


@pytest.fixture
def whole(topics: Settings, database: str) -> Settings:
    upgrade(database)
    return topics.model_copy(update={"database": SecretStr(database)})


@pytest.fixture
async def client(whole: Settings) -> AsyncIterator[httpx.AsyncClient]:
    async with served(make_app(whole)) as address, httpx.AsyncClient(base_url=address) as client:
        yield client


async def keep(settings: Settings, events: Sequence[Event], topic: str = "x", first_offset: int = 0) -> None:
    engine = make_engine(settings.database_url())
    await store(engine, [Sourced(topic, 0, first_offset + n, event) for n, event in enumerate(events)])
    await engine.dispose()


async def pages(client: httpx.AsyncClient, path: str, items: str, **query: Any) -> list[list[dict[str, Any]]]:
    found = []
    cursor = None
    while True:
        answer = await client.get(path, params=query | ({"cursor": cursor} if cursor else {}))
        assert answer.status_code == 200, answer.text
        found.append(answer.json()[items])
        cursor = answer.json()["next"]
        if cursor is None:
            return found


async def test_sessions_newest_first_in_stable_pages(whole: Settings, client: httpx.AsyncClient) -> None:
    await keep(whole, [session(number) for number in range(1, 6)] + [window(5, size_ms=0)])
    first = (await client.get("/v1/sessions", params={"limit": 2})).json()
    assert [item["session_id"] for item in first["sessions"]] == [session_id(5), session_id(4)]
    assert first["windows"] == [window(5, size_ms=0).model_dump(mode="json")]
    await keep(whole, [session(6), session(4, seq=9)], first_offset=10)
    second = (await client.get("/v1/sessions", params={"limit": 2, "cursor": first["next"]})).json()
    assert [item["session_id"] for item in second["sessions"]] == [session_id(3), session_id(2)]
    third = (await client.get("/v1/sessions", params={"limit": 2, "cursor": second["next"]})).json()
    assert ([item["session_id"] for item in third["sessions"]], third["next"]) == ([session_id(1)], None)


async def test_sessions_by_state_without_deleted_ones(whole: Settings, client: httpx.AsyncClient) -> None:
    await keep(whole, [session(1), session(2, state="ended", reason="stop"), session(3, state="deleted")])
    found = (await client.get("/v1/sessions", params={"state": "ended"})).json()["sessions"]
    assert [item["session_id"] for item in found] == [session_id(2)]
    assert len((await client.get("/v1/sessions")).json()["sessions"]) == 2
    assert (await client.get(f"/v1/sessions/{session_id(3)}")).status_code == 404


async def test_one_session_in_the_viewers_form(whole: Settings, client: httpx.AsyncClient) -> None:
    given = session(title="회의", tags=("a",), seq=3, through=99)
    await keep(whole, [given])
    found = (await client.get(f"/v1/sessions/{session_id()}")).json()
    assert found == given.model_dump(mode="json", exclude={"resume"})


async def test_utterances_in_order_and_in_pages(whole: Settings, client: httpx.AsyncClient) -> None:
    given = [utterance(seq=seq) for seq in range(1, 6)]
    await keep(whole, [session(), *given, utterance(2)])
    found = await pages(client, f"/v1/sessions/{session_id()}/utterances", "utterances", limit=2)
    assert [len(page) for page in found] == [2, 2, 1]
    assert [item for page in found for item in page] == [event.model_dump(mode="json") for event in given]


async def test_windows_of_one_size_or_all(whole: Settings, client: httpx.AsyncClient) -> None:
    given = [
        window(size_ms=size, start_ms=start) for size in (0, 10_000) for start in ((0,), (0, 10_000, 20_000))[size > 0]
    ]
    await keep(whole, [session(), *given])
    path = f"/v1/sessions/{session_id()}/windows"
    every = [event.model_dump(mode="json") for event in given]
    assert (await client.get(path)).json() == {"windows": every, "next": None}
    assert (await client.get(path, params={"size_ms": 0})).json()["windows"] == every[:1]
    found = await pages(client, path, "windows", size_ms=10_000, limit=2)
    assert [len(page) for page in found] == [2, 1]
    assert [item for page in found for item in page] == every[1:]
    assert [item for page in await pages(client, path, "windows", limit=1) for item in page] == every


async def test_an_unknown_session_is_refused(client: httpx.AsyncClient) -> None:
    for name in (session_id(9), "nonsense", "%00"):
        for path in ("", "/utterances", "/windows", "/events"):
            answer = await client.get(f"/v1/sessions/{name}{path}")
            found = answer.status_code, answer.json()["code"], answer.json()["retryable"]
            assert found == (404, "session_unknown", False), (name, path)


async def test_bad_queries_are_refused(client: httpx.AsyncClient) -> None:
    for name, value, code in (
        ("limit", "0", "request_invalid"),
        ("limit", "501", "request_invalid"),
        ("limit", "x", "request_invalid"),
        ("state", "lost", "request_invalid"),
        ("cursor", "!", "bad_cursor"),
        ("cursor", "WyJ4IiwgMV0", "bad_cursor"),
        ("cursor", "é", "bad_cursor"),
    ):
        answer = await client.get("/v1/sessions", params={name: value})
        assert answer.json()["code"] == code, (name, value)
        assert answer.status_code == {"bad_cursor": 400, "request_invalid": 422}[code]


async def test_a_cursor_with_impossible_values_is_refused(whole: Settings, client: httpx.AsyncClient) -> None:
    await keep(whole, [session()])
    assert (await client.get("/v1/sessions", params={"cursor": make_cursor("sessions", "\0")})).status_code == 422
    path = f"/v1/sessions/{session_id()}/utterances"
    assert (await client.get(path, params={"cursor": make_cursor("utterances", 2**80)})).json()["utterances"] == []


async def test_addresses_and_methods_that_are_none(client: httpx.AsyncClient) -> None:
    answer = await client.get("/v1/nothing")
    assert (answer.status_code, answer.json()["code"]) == (404, "address_unknown")
    answer = await client.put("/v1/events")
    assert (answer.status_code, answer.json()["code"]) == (405, "method_unknown")
    answer = await client.get("/nothing")
    assert (answer.status_code, answer.headers["content-type"]) == (404, "text/plain; charset=utf-8")
    assert (await client.get("/")).headers["content-type"] == "text/html; charset=utf-8"


async def test_a_token_opens_its_session_alone(whole: Settings, client: httpx.AsyncClient) -> None:
    await keep(whole, [session(1), session(2)])
    now = datetime.now(UTC)
    key = whole.signing_key()
    good, write = (make_token(key, session_id(1), right, now, 1) for right in ("read", "write"))
    expired = make_token(key, session_id(1), "read", now - timedelta(hours=2), 1)

    async def ask(number: int, token: str) -> tuple[int, str | None]:
        answer = await client.get(f"/v1/sessions/{session_id(number)}", params={"token": token})
        return answer.status_code, answer.json().get("code")

    assert await ask(1, good) == (200, None)
    assert await ask(1, write) == (200, None)
    assert await ask(2, good) == (403, "token_foreign")
    assert await ask(1, expired) == (401, "token_expired")
    assert await ask(1, "nonsense") == (401, "token_invalid")
    answer = await client.get("/v1/sessions", params={"token": good})
    assert (answer.status_code, answer.json()["code"]) == (403, "token_foreign")


async def test_a_session_that_is_not_stored_yet_is_found_through_the_hub(
    whole: Settings, client: httpx.AsyncClient
) -> None:
    async with open_publisher(whole) as publisher:
        await publisher.publish(SESSIONS, session_id(), session(title="just made"))

    async def found() -> bool:
        answer = await client.get(f"/v1/sessions/{session_id()}")
        assert answer.status_code == 200, answer.text
        return bool(answer.json()["title"] == "just made")

    await until(found, 10)
    assert (await client.get(f"/v1/sessions/{session_id()}/utterances")).json() == {"utterances": [], "next": None}


async def test_without_a_database_history_says_so(topics: Settings, postgres: str) -> None:
    gone = topics.model_copy(update={"database": SecretStr(postgres + "_gone")})
    async with served(make_app(gone)) as address, httpx.AsyncClient(base_url=address) as client:
        answer = await client.get("/v1/sessions")
        assert (answer.status_code, answer.json()["code"], answer.json()["retryable"]) == (503, "history_away", True)
        assert answer.headers["retry-after"] == "2"


async def test_answers_carry_headers_that_keep_pages_to_this_origin(client: httpx.AsyncClient) -> None:
    answer = await client.get("/v1/sessions")
    assert answer.headers["content-security-policy"].startswith("default-src 'self';")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "no-referrer"


async def test_health_says_when_the_hub_is_filled(client: httpx.AsyncClient) -> None:
    async def ready() -> bool:
        return (await client.get("/readyz")).status_code == 200

    await until(ready, 10)
    assert (await client.get("/healthz")).json() == {"status": "alive"}
    assert "undertone_viewers" in (await client.get("/metrics")).text


@pytest.mark.parametrize("lacking", ["kafka", "database", "secret"])
def test_a_missing_setting_is_named(lacking: str, settings: Settings) -> None:
    given = settings.model_copy(update={"database": SecretStr("postgresql://x@127.0.0.1/x"), lacking: None})
    with pytest.raises(FatalError, match=f"UNDERTONE_{lacking.upper()}"):
        make_app(given)
