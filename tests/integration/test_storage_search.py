"""Search on a real PostgreSQL: what it finds, in which order, in which pages, and by which index."""

from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from itertools import chain
from random import Random
from typing import Any

import psycopg
import pytest
from sqlalchemy import Select, text
from sqlalchemy.ext.asyncio import AsyncEngine

from benchmarks.history.filling import fill
from benchmarks.history.texts import Said
from storage import search as searching
from storage.engine import make_engine
from storage.eras import backwards
from storage.listing import Filters
from storage.migrations import upgrade
from storage.questions import Question, read_question, without_earlier
from storage.search import search
from storage.terms import vector
from storage.upserts import Sourced, store
from tests.storage_events import NOW_MS, session, utterance
from undertone.errors import Refusal
from undertone.events import Event, Utterance
from undertone.identifiers import make_session_id, session_created_at, session_made_ms, utterance_id

DAY_MS = 86_400_000
WORDS = (
    *("the", "weather", "refund", "refunds", "running", "1,000", "don’t", "OK", "café", "it"),
    *("날씨가", "봄날씨", "오늘", "비가", "자동차", "좋다"),
)
QUESTIONS = (
    *("the", "weather", "refund", "run", "날씨", "날씨가", "비", "자동차", "동차", "1,000", "don't", "ok", "CAFÉ"),
    *("the refunds", '"the weather"', '"오늘 날씨"', "wea*", "refu* 날씨", '"the wea*"', "absent", "it's \\ 'x"),
)


@pytest.fixture
async def engine(database: str) -> AsyncIterator[AsyncEngine]:
    upgrade(database)
    engine = make_engine(database)
    yield engine
    await engine.dispose()


@pytest.fixture
def short_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """So few are read as they lie that the index is asked, era by era."""
    monkeypatch.setattr(searching, "NEWEST", 7)
    monkeypatch.setattr(searching, "FIRST_STRETCH", 1)


async def keep(engine: AsyncEngine, events: Sequence[Event], topic: str = "x") -> None:
    await store(engine, [Sourced(topic, 0, offset, event) for offset, event in enumerate(events)])


def said(days_ago: float, seq: int, words: str, **given: Any) -> Utterance:
    """An utterance of a session of its own that was made so many days ago."""
    name = make_session_id(NOW_MS - int(days_ago * DAY_MS), 7)
    first = seq * 80_000
    return utterance(seq=seq, first_sample=first, text=words).model_copy(
        update={"session_id": name, "utterance_id": utterance_id(name, first), **given}
    )


def history(random: Random) -> list[Utterance]:
    """Forty sessions over three years, ever further apart, each of a few utterances."""
    return [
        said(number**2 * 0.7, seq, " ".join(random.choices(WORDS, k=random.randint(1, 6))), language=language)
        for number in range(40)
        for seq, language in enumerate(random.choices(("en", "ko"), k=random.randint(1, 9)), start=1)
    ]


async def find(engine: AsyncEngine, question: str, filters: Filters | None = None, **given: Any) -> list[list[str]]:
    """The ids of what is found, page by page."""
    pages, cursor = [], None
    while True:
        async with engine.connect() as connection:
            page = await search(connection, read_question(question), filters, cursor=cursor, **given)
        pages.append([found.utterance_id for found in page.items])
        cursor = page.next
        if cursor is None:
            return pages


def expected(events: Sequence[Utterance], question: str) -> list[str]:
    """The ids of what should be found, by looking at every text."""
    phrases = read_question(question).phrases
    found = [
        event.utterance_id
        for event in events
        if all(any(is_match for _, is_match in Question((phrase,)).parts(event.text)) for phrase in phrases)
    ]
    return sorted(found, reverse=True)


@pytest.mark.usefixtures("short_steps")
async def test_what_is_found_is_what_is_marked_newest_first_in_pages_of_any_size(engine: AsyncEngine) -> None:
    events = history(Random(1))
    await keep(engine, events)
    assert sum(len(expected(events, question)) > 7 for question in QUESTIONS) > 10
    for question in QUESTIONS:
        for limit in (3, 500):
            pages = await find(engine, question, limit=limit)
            assert list(chain(*pages)) == expected(events, question), (question, limit)
            assert all(len(page) == limit for page in pages[:-1])


async def test_a_text_is_found_by_each_of_its_words_in_one_read(engine: AsyncEngine) -> None:
    events = history(Random(2))
    await keep(engine, events)
    for word in WORDS:
        assert list(chain(*await find(engine, word, limit=500))) == expected(events, word), word


@pytest.mark.parametrize("few", [3, 50])
@pytest.mark.usefixtures("short_steps")
async def test_filters(engine: AsyncEngine, few: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(searching, "FEW", few)
    events = history(Random(3))
    tagged = {name for number, name in enumerate(sorted({event.session_id for event in events})) if number % 3 == 0}
    sessions = [
        session().model_copy(
            update={
                "session_id": name,
                "created_at": session_created_at(name),
                "tags": ("one",) if name in tagged else (),
                "through": 16_000 if name in tagged else 160_000,
            }
        )
        for name in {event.session_id for event in events}
    ]
    await keep(engine, [*events, *sessions])
    first, last = (session_created_at(sorted(event.session_id for event in events)[at]) for at in (40, -20))

    async def check(filters: Filters, *those: Utterance, **given: Any) -> None:
        assert 2 < len(those) < len(events)
        found = list(chain(*await find(engine, "the", filters, limit=4, **given)))
        assert found == expected(those, "the")

    await check(Filters(language="ko"), *(event for event in events if event.language == "ko"))
    await check(Filters(tag="one"), *(event for event in events if event.session_id in tagged))
    await check(Filters(max_length_ms=1000), *(event for event in events if event.session_id in tagged))
    await check(Filters(min_length_ms=1001), *(event for event in events if event.session_id not in tagged))
    inside = [event for event in events if first <= session_created_at(event.session_id) < last]
    await check(Filters(since=first, until=last), *inside)
    (name,) = {event.session_id for event in events[-3:]}
    await check(Filters(), *(event for event in events if event.session_id == name), session_id=name)
    assert await find(engine, "the", Filters(since=last + timedelta(days=9))) == [[]]
    assert await find(engine, "the", Filters(sentiment="positive")) == [[]]
    assert list(chain(*await find(engine, "the", Filters(sentiment="negative"), limit=9))) == expected(events, "the")


@pytest.mark.usefixtures("short_steps")
async def test_pages_stay_as_they_are_while_sessions_come_in(engine: AsyncEngine) -> None:
    events = [said(day, seq, "the same") for day in range(20) for seq in (1, 2)]
    await keep(engine, events)
    question, cursor, pages = read_question("same"), None, []
    for turn in range(4):
        async with engine.connect() as connection:
            page = await search(connection, question, cursor=cursor, limit=10)
        pages += [found.utterance_id for found in page.items]
        cursor = page.next
        await keep(engine, [said(-turn - 1, seq, "the same") for seq in (1, 2, 3)], topic=f"turn {turn}")
    assert (pages, cursor) == (expected(events, "same"), None)


async def test_suppressed_utterances_are_not_found(engine: AsyncEngine) -> None:
    quality = utterance().quality.model_copy(update={"suppressed": "repetition"})
    await keep(engine, [said(1, 1, "heard"), said(1, 2, "heard", quality=quality, sentiment=None)])
    assert await find(engine, "heard") == [[said(1, 1, "heard").utterance_id]]


async def test_a_search_that_takes_too_long_is_refused_and_the_connection_goes_on(
    engine: AsyncEngine, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(searching, "STATEMENT_MS", 50)
    with psycopg.connect(database) as other:
        other.execute("LOCK TABLE utterances IN ACCESS EXCLUSIVE MODE")
        with pytest.raises(Refusal, match="takes too long") as refused:
            await find(engine, "word")
    assert (refused.value.code, refused.value.status) == ("search_too_broad", 503)
    async with engine.connect() as connection:
        assert (await connection.execute(text("SHOW statement_timeout"))).scalar_one() == "30s"


async def test_common_words_walk_the_keys_and_rare_ones_the_index(engine: AsyncEngine, database: str) -> None:
    common = [Said("so it is", "en", "neutral", 3, vector("so it is"))] * 999
    texts = {"en": [*common, Said("a rare refund", "en", "neutral", 3, vector("a rare refund"))]}
    fill(database, 30_000, texts | {"ko": texts["en"]}, Random(1))

    async def plan(query: Select[Any]) -> str:
        written = query.limit(51).compile(engine.sync_engine, compile_kwargs={"literal_binds": True})
        async with engine.connect() as connection:
            rows = await connection.execute(text("EXPLAIN (ANALYZE, BUFFERS OFF) " + str(written).replace(":", "\\:")))
        return "\n".join(rows.scalars())

    newest = await plan(searching._among_newest(without_earlier(read_question("it")), Filters(), "", "g"))
    assert "Index Scan Backward using utterances_pkey" in newest
    assert "rows=51.00" in newest.split("utterances_pkey")[1].splitlines()[0]
    async with engine.connect() as connection:
        edge, oldest, first, last = (await connection.execute(searching._edges("", "g"))).one()[1:]
    assert first == oldest
    assert edge < last
    eras = next(backwards(session_made_ms(edge), session_made_ms(oldest), 2**32, 2**60))
    rare = read_question("refund")
    for question in (rare, without_earlier(rare)):
        found = await plan(searching._in_eras(question, Filters(), eras, "", edge))
        assert "Bitmap Index Scan on utterances_by_term" in found
        assert "Seq Scan" not in found
    assert "Index Cond: ((eras && " in found
    assert "AND (terms @@ " in found
