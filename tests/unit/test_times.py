"""Times as people write them, on the command line and in queries."""

import os
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from dashboards.filters import Wanted
from undertone.commands.local_time import show_time, utc_bound
from undertone.errors import UndertoneError
from undertone.refusals import handle_refusals
from undertone.times import read_time

NUMBERS = ["2026", "202612", "1764547200", "1764547200.5", "1e9", "-1", "0"]
WRONG = [*NUMBERS, "", "tomorrow", "12-01-2026", "2026-13-01", "2026-12-01T25:00", "0001-01-01"]


@pytest.mark.parametrize(
    ("text", "iso"),
    [
        ("2026-12-01", "2026-12-01T00:00:00"),
        ("20261201", "2026-12-01T00:00:00"),
        ("2026-12-01 09:00", "2026-12-01T09:00:00"),
        ("2026-12-01t09:00z", "2026-12-01T09:00:00+00:00"),
        ("2026-12-01T09:00-05:00", "2026-12-01T09:00:00-05:00"),
        ("2026-12-01T09:00 09:00", "2026-12-01T09:00:00+09:00"),
        ("2026-12-01T09:00:30.5 0900", "2026-12-01T09:00:30.500000+09:00"),
        ("20261201T090030 09", "2026-12-01T09:00:30+09:00"),
    ],
)
def test_a_time_is_what_is_written(text: str, iso: str) -> None:
    assert read_time(text).isoformat() == iso


@pytest.mark.parametrize("text", WRONG)
def test_what_is_no_time_is_refused_in_words(text: str) -> None:
    with pytest.raises(ValueError, match="is not a day as in 2026-01-31, or a time"):
        read_time(text)


@pytest.fixture
def zone(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    """Sets the local time zone until the test ends."""

    def enter(name: str) -> None:
        monkeypatch.setenv("TZ", name)
        time.tzset()

    before = os.environ.get("TZ")
    yield enter
    if before is None:
        monkeypatch.delenv("TZ", raising=False)
    else:
        monkeypatch.setenv("TZ", before)
    time.tzset()


@pytest.mark.parametrize(
    ("name", "given", "sent"),
    [
        ("Asia/Seoul", "2026-12-01", "2026-11-30T15:00:00+00:00"),
        ("America/New_York", "2026-07-01", "2026-07-01T04:00:00+00:00"),
        ("America/New_York", "2026-12-01", "2026-12-01T05:00:00+00:00"),
        ("Asia/Seoul", "2026-12-01T09:00Z", "2026-12-01T09:00:00+00:00"),
        ("UTC", "20261201", "2026-12-01T00:00:00+00:00"),
    ],
)
def test_the_command_line_counts_local_days(zone: Callable[[str], None], name: str, given: str, sent: str) -> None:
    zone(name)
    bound = utc_bound("--from", given)
    assert bound is not None
    assert datetime.fromisoformat(bound).astimezone(UTC).isoformat() == sent


def test_a_shown_time_names_its_zone_and_is_found_from_its_day_on(zone: Callable[[str], None]) -> None:
    zone("Asia/Seoul")
    made = "2026-11-30T17:58:00Z"
    shown = show_time(made)
    assert shown == "2026-12-01 02:58 KST"
    bound = utc_bound("--from", shown[:10])
    assert bound is not None
    assert datetime.fromisoformat(bound) <= datetime.fromisoformat(made)


@pytest.mark.parametrize("given", NUMBERS)
def test_the_command_line_names_the_option_that_is_wrong(given: str) -> None:
    with pytest.raises(UndertoneError, match=f"--to: '{given}' is not a day"):
        utc_bound("--to", given)


async def ask(query: str) -> httpx.Response:
    """The filters that the read side understands."""
    app = FastAPI()
    handle_refusals(app)

    @app.get("/v1/filters")
    async def filters(wanted: Wanted) -> dict[str, Any]:
        return {"from": wanted.since, "to": wanted.until, "language": wanted.language}

    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as http:
        return await http.get(f"/v1/filters?{query}")


@pytest.mark.parametrize("given", NUMBERS)
@pytest.mark.parametrize("name", ["from", "to"])
async def test_a_query_takes_no_number_for_a_time(name: str, given: str) -> None:
    answer = await ask(f"{name}={given}")
    assert answer.status_code == 422
    assert f"{name}: " in answer.json()["message"]
    assert "2026-01-31T09:00+09:00" in answer.json()["message"]


@pytest.mark.parametrize(
    ("query", "name", "understood"),
    [
        ("from=2026-12-01T09:00+09:00", "from", "2026-12-01T09:00:00+09:00"),
        ("to=2026-12-01T09:00:00%2B09:00", "to", "2026-12-01T09:00:00+09:00"),
        ("from=20261201", "from", "2026-12-01T00:00:00Z"),
        ("from=2026-12-01", "from", "2026-12-01T00:00:00Z"),
        ("language=en-US", "language", "en"),
        ("language=auto", "language", None),
        ("language=KO", "language", "ko"),
    ],
)
async def test_a_query_is_understood_as_it_is_written(query: str, name: str, understood: str | None) -> None:
    answer = await ask(query)
    assert answer.json()[name] == understood
