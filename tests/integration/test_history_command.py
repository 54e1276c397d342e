"""`undertone show` against the real read side."""

import asyncio

import pytest
from pydantic import SecretStr

from dashboards.app import make_app
from storage.engine import make_engine
from storage.migrations import upgrade
from storage.upserts import Sourced, store
from tests.storage_events import mark, session, session_id, utterance
from tests.viewing import served
from undertone.commands.history import show
from undertone.events import Event
from undertone.settings import Settings


async def test_show_tells_what_was_said_and_how_it_went_from_quarter_to_quarter(
    topics: Settings, database: str, capsys: pytest.CaptureFixture[str]
) -> None:
    upgrade(database)
    judged = {"label": "positive", "score": 0.43, "probabilities": None, "model": "m@1"}
    events: list[Event] = [
        session(state="ended", reason="stop", seq=5, through=320_000, title="A call"),
        *(utterance(seq=seq) for seq in range(1, 3)),
        utterance(seq=3, sentiment=None),
        utterance(seq=4, sentiment=judged),
        mark(seq=5, through=320_000, ended="stop"),
    ]
    engine = make_engine(database)
    await store(engine, [Sourced("x", 0, offset, event) for offset, event in enumerate(events)])
    await engine.dispose()
    settings = topics.model_copy(update={"database": SecretStr(database)})
    async with served(make_app(settings)) as address:
        await asyncio.to_thread(show, session_id(), address, None)
    lines = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert "0:00:15 en positive +0.43 words 4" in lines
    assert lines[-7:] == [
        "Positive: 1 (33 %) / Neutral: 0 (0 %) / Negative: 2 (67 %)",
        "quarter from to talk score positive neutral negative",
        "1 0:00:00 0:00:05 0:00:02 -0.81 0 0 1",
        "2 0:00:05 0:00:10 0:00:02 -0.81 0 0 1",
        "3 0:00:10 0:00:15 0:00:02 - 0 0 0",
        "4 0:00:15 0:00:20 0:00:02 +0.43 1 0 0",
        "Trend: +1.24, the score of the last quarter less that of the first",
    ]
