"""Search, filters, sorting and export over REST and on the terminal, on a real PostgreSQL."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from dashboards.app import make_app
from storage.engine import make_engine
from storage.migrations import upgrade
from storage.upserts import Sourced, store
from tests.storage_events import session, session_id, utterance, window
from tests.viewing import served
from undertone.commands import history
from undertone.errors import UndertoneError
from undertone.events import Event
from undertone.identifiers import session_created_at
from undertone.settings import Settings


@pytest.fixture
async def address(topics: Settings, database: str) -> AsyncIterator[str]:
    upgrade(database)
    async with served(make_app(topics.model_copy(update={"database": SecretStr(database)}))) as address:
        yield address


@pytest.fixture
async def client(address: str) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=address) as client:
        yield client


async def keep(database: str, events: Sequence[Event], topic: str = "x") -> None:
    engine = make_engine(database)
    await store(engine, [Sourced(topic, 0, offset, event) for offset, event in enumerate(events)])
    await engine.dispose()


async def get(client: httpx.AsyncClient, path: str, status: int = 200, **query: Any) -> Any:
    answer = await client.get(path, params=query)
    assert answer.status_code == status, answer.text
    return answer.json()


async def found(client: httpx.AsyncClient, **query: Any) -> list[int]:
    """The numbers of the sessions of the list, all pages of it."""
    numbers = {session_id(number): number for number in range(1, 20)}
    listed: list[int] = []
    cursor: dict[str, Any] = {}
    while True:
        page = await get(client, "/v1/sessions", limit=2, **query, **cursor)
        listed += [numbers[item["session_id"]] for item in page["sessions"]]
        if page["next"] is None:
            return listed
        cursor = {"cursor": page["next"]}


async def test_hits_with_marks_their_sessions_and_pages(client: httpx.AsyncClient, database: str) -> None:
    events: list[Event] = [
        session(1, title="회의"),
        *(utterance(1, seq, text=f"<b>날씨가</b> {seq}") for seq in range(1, 6)),
    ]
    await keep(database, [*events, session(2), utterance(2, text="nothing of it")])
    page = await get(client, "/v1/search", q="날씨", limit=2)
    assert [hit["utterance"]["seq"] for hit in page["hits"]] == [5, 4]
    assert page["hits"][0]["utterance"] == events[5].model_dump(mode="json")
    assert page["hits"][0]["parts"] == [
        {"text": "<b>", "match": False},
        {"text": "날씨", "match": True},
        {"text": "가</b> 5", "match": False},
    ]
    assert [(item["session_id"], item["title"]) for item in page["sessions"]] == [(session_id(1), "회의")]
    await keep(database, [utterance(3, text="날씨")], topic="later")
    rest = await get(client, "/v1/search", q="날씨", limit=9, cursor=page["next"])
    assert ([hit["utterance"]["seq"] for hit in rest["hits"]], rest["next"]) == ([3, 2, 1], None)


async def test_search_in_one_session(client: httpx.AsyncClient, database: str) -> None:
    await keep(database, [session(2), *(utterance(number, text="said") for number in (1, 2, 3))])
    page = await get(client, f"/v1/sessions/{session_id(2)}/search", q="said")
    assert [hit["utterance"]["session_id"] for hit in page["hits"]] == [session_id(2)]
    unknown = await get(client, f"/v1/sessions/{session_id(9)}/search", 404, q="said")
    assert unknown["code"] == "session_unknown"


async def test_what_cannot_be_searched_for_is_refused(client: httpx.AsyncClient) -> None:
    for query in ({}, {"q": " !? "}, {"q": "x" * 201}, {"q": "a", "from": "soon"}, {"q": "a", "sentiment": "glad"}):
        assert (await get(client, "/v1/search", 422, **query))["code"] == "request_invalid", query
    assert (await get(client, "/v1/search", 400, q="a", cursor="WyJ4IiwgMV0"))["code"] == "bad_cursor"
    for question in ("' | x:*", "a & ! b", "\\", "%", "q\0q", "😀 <-> (", "a:*B"):
        await client.get("/v1/search", params={"q": question})
        assert (await client.get("/v1/search", params={"q": question})).status_code in {200, 422}, question


async def test_the_list_is_filtered(client: httpx.AsyncClient, database: str) -> None:
    counts = {1: (5, 1, 1), 2: (1, 1, 5), 3: (1, 5, 1), 4: (0, 0, 0), 5: (0, 0, 2)}
    windows = [
        window(number, size_ms=0, positive=positive, neutral=neutral, negative=negative)
        for number, (positive, neutral, negative) in counts.items()
    ]
    sessions = [
        session(1, tags=("a", "b"), language="en", through=16_000 * 60),
        session(2, tags=("b",), language="ko", through=16_000 * 120),
        session(3, language="ko", state="ended", reason="stop"),
        session(4, tags=("b",), state="deleted"),
        session(5, tags=("c b",)),
    ]
    await keep(database, [*sessions, *windows])
    assert await found(client) == [5, 3, 2, 1]
    assert await found(client, tag="b") == [2, 1]
    assert await found(client, tag="b", language="ko") == [2]
    assert await found(client, state="ended") == [3]
    assert await found(client, sentiment="negative") == [5, 2]
    assert await found(client, sentiment="neutral") == [3]
    assert await found(client, min_length_ms=60_000) == [2, 1]
    assert await found(client, min_length_ms=60_000, max_length_ms=60_000) == [1]
    times = {number: session_created_at(session_id(number)).isoformat() for number in counts}
    assert await found(client, **{"from": times[2]}) == [5, 3, 2]
    assert await found(client, **{"from": times[2], "to": times[5]}) == [3, 2]
    assert await found(client, to="2000-01-01") == []


async def test_a_tag_is_found_in_both_unicode_forms(client: httpx.AsyncClient, database: str) -> None:
    stored_before = session(1, tags=("cafe\u0301",))
    await keep(database, [stored_before, session(2, tags=("caf\u00e9",)), session(3, tags=("cafe",))])
    for typed in ("cafe\u0301", "caf\u00e9"):
        assert await found(client, tag=typed) == [2, 1]


async def test_the_list_is_sorted_in_stable_pages(client: httpx.AsyncClient, database: str) -> None:
    lengths = {1: 50, 2: 10, 3: 50, 4: 30, 5: 20, 6: 90}
    scores = {1: -0.1, 2: -0.9, 3: None, 4: -0.9, 5: 0.5}
    await keep(
        database,
        [
            *(session(number, through=length) for number, length in lengths.items()),
            *(window(number, size_ms=0, score=score) for number, score in scores.items()),
            window(1, size_ms=10_000, score=-1.0),
        ],
    )
    assert await found(client, sort="newest") == [6, 5, 4, 3, 2, 1]
    assert await found(client, sort="longest") == [6, 3, 1, 4, 5, 2]
    assert await found(client, sort="negative") == [2, 4, 1, 5]
    assert len((await get(client, "/v1/sessions", sort="negative", limit=50))["sessions"]) == 4
    page = await get(client, "/v1/sessions", sort="longest", limit=3)
    await keep(database, [session(7, through=99), session(8, through=50), session(9, through=1)], topic="later")
    rest = await get(client, "/v1/sessions", sort="longest", cursor=page["next"])
    assert [item["session_id"] for item in rest["sessions"]] == [session_id(number) for number in (4, 5, 2, 9)]
    assert (await get(client, "/v1/sessions", 400, sort="negative", cursor=page["next"]))["code"] == "bad_cursor"


async def test_export_of_a_long_session_comes_in_pieces(client: httpx.AsyncClient, database: str) -> None:
    refused = utterance(1, 3).quality.model_copy(update={"suppressed": "repetition"})
    events = [utterance(1, seq, text=f"말 {seq}") for seq in range(1, 1202)]
    events[2] = utterance(1, 3, quality=refused, sentiment=None)
    await keep(database, [session(1, title="회의"), *events, utterance(2)])
    path = f"/v1/sessions/{session_id(1)}/export"
    async with client.stream("GET", path, params={"format": "srt"}) as answer:
        assert answer.headers["content-type"] == "application/x-subrip; charset=utf-8"
        assert answer.headers["content-disposition"].endswith("filename*=UTF-8''%ED%9A%8C%EC%9D%98.srt")
        assert "content-length" not in answer.headers
        whole = (await answer.aread()).decode()
    assert whole.split("\n\n")[2] == "3\n00:00:15,000 --> 00:00:17,000\n말 4"
    assert whole.endswith("1200\n01:40:00,000 --> 01:40:02,000\n말 1201\n\n")
    every = (await client.get(path, params={"format": "json", "suppressed": True})).json()
    assert every["utterances"] == [event.model_dump(mode="json") for event in events]
    assert len((await client.get(path, params={"format": "csv"})).text.splitlines()) == 1201
    assert (await get(client, path, 422, format="doc"))["code"] == "request_invalid"
    unknown = await get(client, f"/v1/sessions/{session_id(9)}/export", 404, format="vtt")
    assert unknown["code"] == "session_unknown"


async def test_on_the_terminal(
    address: str, database: str, tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    await keep(database, [session(1, title="A call"), utterance(1, text="The <weather> was fine"), utterance(1, 2)])

    async def said(command: Any, *given: Any, **options: Any) -> str:
        await asyncio.to_thread(command, *given, url=address, **options)
        return capfdbinary.readouterr().out.decode()

    lines = (await said(history.search, ["the", "weathers"], limit=5)).splitlines()
    assert lines == [f"{session_id(1)}  0:00:00  -0.81  A call", "  The <weather> was fine"]
    assert await said(history.search, ["was fine"], limit=5) != "Nothing was found.\n"
    assert await said(history.search, ["fine was"], limit=5) == "Nothing was found.\n"
    assert await said(history.search, ["fine", "was"], limit=5, language="ko") == "Nothing was found.\n"
    vtt = await said(history.export, session_id(1), history.Form.VTT)
    assert vtt.startswith("WEBVTT\n\n")
    assert await said(history.export, session_id(1), history.Form.VTT, output=tmp_path / "x.vtt") == ""
    assert (tmp_path / "x.vtt").read_text() == vtt
    with pytest.raises(UndertoneError, match="there is no session"):
        await said(history.export, session_id(9), history.Form.CSV)
    with pytest.raises(UndertoneError, match="cannot be written"):
        await said(history.export, session_id(1), history.Form.CSV, output=tmp_path / "none" / "x.csv")
