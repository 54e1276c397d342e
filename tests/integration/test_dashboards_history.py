"""History over REST, on a real PostgreSQL and a real Kafka: pages, filters, refusals, tokens, static pages."""

import base64
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from dashboards.app import make_app
from storage.cursors import make_cursor
from storage.engine import make_engine
from storage.upserts import Sourced, store
from stream_apps import windows
from tests.recomputation import all_places, figures, recount
from tests.storage_events import mark, session, session_id, utterance, window
from tests.viewing import served
from tests.waiting import until
from undertone.audio import to_samples
from undertone.errors import FatalError
from undertone.events import Event, Statistics, Window
from undertone.kafka import open_publisher
from undertone.settings import Settings
from undertone.tokens import make_token
from undertone.topics import SESSIONS
from undertone.windows import place_of


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


async def test_sessions_by_state(whole: Settings, client: httpx.AsyncClient) -> None:
    await keep(whole, [session(1), session(2, state="ended", reason="stop")])
    found = (await client.get("/v1/sessions", params={"state": "ended"})).json()["sessions"]
    assert [item["session_id"] for item in found] == [session_id(2)]
    assert len((await client.get("/v1/sessions")).json()["sessions"]) == 2


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


async def test_utterances_from_a_moment_on_and_back_from_it(whole: Settings, client: httpx.AsyncClient) -> None:
    given = [utterance(seq=seq) for seq in range(1, 8)]
    await keep(whole, [session(), *given])
    path = f"/v1/sessions/{session_id()}/utterances"
    middle_ms = given[3].start_ms

    async def seqs(**query: Any) -> list[list[int]]:
        return [[item["seq"] for item in page] for page in await pages(client, path, "utterances", limit=2, **query)]

    assert await seqs(from_ms=middle_ms) == [[4, 5], [6, 7]]
    assert await seqs(from_ms=middle_ms + 1) == [[5, 6], [7]]
    assert await seqs(from_ms=middle_ms, order="desc") == [[3, 2], [1]]
    assert await seqs(from_ms=middle_ms + 1, order="desc") == [[4, 3], [2, 1]]
    assert await seqs(order="desc") == [[7, 6], [5, 4], [3, 2], [1]]
    assert await seqs(from_ms=2**62) == [[]]
    assert (await client.get(path, params={"from_ms": -1})).status_code == 422


async def test_windows_of_one_size_or_all(whole: Settings, client: httpx.AsyncClient) -> None:
    given = [
        window(size_ms=0, silence_ms=23_000),
        window(size_ms=10_000, start_ms=0),
        window(size_ms=10_000, start_ms=10_000),
        window(size_ms=10_000, start_ms=20_000),
        window(size_ms=60_000, start_ms=0),
    ]
    await keep(whole, [session(), *given])
    path = f"/v1/sessions/{session_id()}/windows"
    every = [event.model_dump(mode="json") for event in given]
    assert (await client.get(path)).json() == {"windows": every, "next": None}
    assert (await client.get(path, params={"size_ms": 0})).json()["windows"] == every[:1]
    found = await pages(client, path, "windows", size_ms=10_000, limit=2)
    assert [len(page) for page in found] == [2, 1]
    assert [item for page in found for item in page] == every[1:4]
    assert [item for page in await pages(client, path, "windows", limit=1) for item in page] == every


async def test_windows_in_which_nobody_talks_are_in_the_answers_though_no_row_is_there(
    whole: Settings, client: httpx.AsyncClient
) -> None:
    """Two hours and 7 s, with one utterance; in one answer, and in pages of any length."""
    length_ms = 7_207_000
    said = utterance(first_sample=to_samples(3_601_500), through=to_samples(3_604_000))
    statistics, first = windows.apply(Statistics(session_id=session_id()), said)
    _, second = windows.apply(statistics, mark(seq=2, through=to_samples(length_ms)))
    assert len({place_of(each) for each in (*first, *second)}) == 3
    await keep(whole, [session(seq=2), said, *first, *second])
    path = f"/v1/sessions/{session_id()}/windows"
    found = [Window.model_validate(item) for item in (await client.get(path)).json()["windows"]]
    assert [place_of(each) for each in found] == sorted(all_places(length_ms))
    for each in found:
        assert figures(each) == figures(recount([said], place_of(each), length_ms))
        assert each.final == (0 < each.size_ms <= length_ms - each.start_ms)
    for query in ({"limit": 1000}, {"limit": 100}, {"limit": 7, "size_ms": 60_000}):
        items = [item for page in await pages(client, path, "windows", **query) for item in page]
        wanted = [each for each in found if query.get("size_ms") in (None, each.size_ms)]
        assert items == [each.model_dump(mode="json") for each in wanted]
    foreign = make_cursor("windows", 10_000, -(2**70))
    assert len((await client.get(path, params={"cursor": foreign, "limit": 5000})).json()["windows"]) == len(found) - 1


async def test_statistics_of_a_session_that_goes_on_and_of_one_that_has_ended(
    whole: Settings, client: httpx.AsyncClient
) -> None:
    """Finals of 2 s, one every 5 s; heard up to 20 s, so that a quarter is 5 s."""
    path = f"/v1/sessions/{session_id()}/statistics"
    scores = {1: 0.5, 2: None, 3: -0.25, 4: -0.1}
    label = {1: "positive", 3: "negative", 4: "neutral"}
    finals = [
        utterance(seq=seq, sentiment={"label": label[seq], "score": score, "probabilities": None, "model": "m@1"})
        if score
        else utterance(seq=seq, sentiment=None)
        for seq, score in scores.items()
    ]
    await keep(whole, [session(state="live"), *finals, mark(seq=5, through=320_000)])
    found = (await client.get(path)).json()
    assert (found["session_id"], found["seq"], found["length_ms"], found["trend"]) == (session_id(), 5, 20_000, -0.6)
    assert [(part["start_ms"], part["size_ms"]) for part in found["quarters"]] == [(n * 5000, 5000) for n in range(4)]
    assert [part["score"] for part in found["quarters"]] == [0.5, None, -0.25, -0.1]
    assert [part["positive"] for part in found["quarters"]] == [1, 0, 0, 0]
    assert [(part["utterances"], part["talk_ms"], part["silence_ms"]) for part in found["quarters"]] == [
        (1, 2000, 3000)
    ] * 4
    assert found["quarters"][1]["longest_pause_ms"] == 3000
    assert found["whole"] == {
        "type": "window",
        "session_id": session_id(),
        "seq": 5,
        "size_ms": 0,
        "start_ms": 0,
        "final": False,
        "utterances": 4,
        "positive": 1,
        "neutral": 1,
        "negative": 1,
        "score": 0.05,
        "score_min": -0.25,
        "score_max": 0.5,
        "talk_ms": 8000,
        "silence_ms": 12_000,
        "longest_pause_ms": 3000,
        "words": 8,
        "words_per_minute": 60,
        "loudness_dbfs": -21.7,
    }
    ended = session(state="ended", reason="stop", seq=6, through=400_000)
    await keep(whole, [ended], first_offset=10)  # its last mark is still on its way
    assert {part["final"] for part in (await client.get(path)).json()["quarters"]} == {False}
    await keep(whole, [mark(seq=6, through=400_000, ended="stop")], first_offset=11)
    found = (await client.get(path)).json()
    assert {part["final"] for part in [found["whole"], *found["quarters"]]} == {True}
    assert [part["size_ms"] for part in found["quarters"]] == [6250] * 4
    assert [part["utterances"] for part in found["quarters"]] == [2, 1, 1, 0]
    assert found["trend"] is None


async def test_statistics_before_anything_was_heard(whole: Settings, client: httpx.AsyncClient) -> None:
    await keep(whole, [session(state="open")])
    found = (await client.get(f"/v1/sessions/{session_id()}/statistics")).json()
    assert (found["seq"], found["length_ms"], found["quarters"], found["trend"]) == (0, 0, [], None)
    assert (found["whole"]["utterances"], found["whole"]["score"], found["whole"]["longest_pause_ms"]) == (0, None, 0)


async def test_an_unknown_session_is_refused(client: httpx.AsyncClient) -> None:
    for name in (session_id(9), "nonsense", "%00"):
        for path in ("", "/utterances", "/windows", "/statistics", "/events"):
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
        ("cursor", base64.urlsafe_b64encode(b"[" * 20_000).decode(), "bad_cursor"),
        ("cursor", base64.urlsafe_b64encode(b'["sessions", "\\ud800"]').decode(), "bad_cursor"),
    ):
        answer = await client.get("/v1/sessions", params={name: value})
        assert answer.json()["code"] == code, (name, value)
        assert answer.status_code == {"bad_cursor": 400, "request_invalid": 422}[code]


async def test_a_cursor_with_impossible_values_is_refused(whole: Settings, client: httpx.AsyncClient) -> None:
    await keep(whole, [session()])
    assert (await client.get("/v1/sessions", params={"cursor": make_cursor("sessions", "\0")})).status_code == 400
    path = f"/v1/sessions/{session_id()}/utterances"
    assert (await client.get(path, params={"cursor": make_cursor("utterances", 2**80)})).json()["utterances"] == []


async def test_addresses_and_methods_that_are_none(client: httpx.AsyncClient) -> None:
    answer = await client.get("/v1/nothing")
    assert (answer.status_code, answer.json()["code"]) == (404, "address_unknown")
    answer = await client.put("/v1/events")
    assert (answer.status_code, answer.json()["code"]) == (405, "method_unknown")
    answer = await client.get("/nothing")
    assert (answer.status_code, answer.json()["code"]) == (404, "address_unknown")
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
        assert "_gone" not in answer.text, "where the database stands is for the log alone"


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
