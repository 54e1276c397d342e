"""Titles, tags and queries have one Unicode form, and their length is counted after it."""

import unicodedata
from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import FastAPI
from hypothesis import given
from hypothesis import strategies as st

from dashboards.filters import Wanted
from dashboards.search import Words
from ingest_api.sessions import parse_body
from undertone.errors import Refusal
from undertone.normal_form import normalize

NAMES = ("café", "Müller", "한국어", "ガイド", "Việt", "क़लम", "Å")
TWO_CODE_POINTS = "e\u0301"
GROWS = "\ufb2c"  # three code points in NFC


@given(st.text())
def test_a_text_has_one_form(text: str) -> None:
    forms = {normalize(unicodedata.normalize(form, text)) for form in ("NFC", "NFD")}
    assert forms == {normalize(text)} == {normalize(normalize(text))}


@pytest.mark.parametrize("name", NAMES)
def test_titles_and_tags_of_a_new_session(name: str) -> None:
    typed = unicodedata.normalize("NFD", name)
    made = parse_body(f'{{"title":"{typed}","tags":["{typed}"]}}'.encode())
    assert (made.title, made.tags) == (normalize(name), (normalize(name),))


def test_lengths_are_counted_after_normalization() -> None:
    assert parse_body(f'{{"title":"{TWO_CODE_POINTS * 200}"}}'.encode()).title == "é" * 200
    for field in ('"title":"%s"', '"tags":["%s"]'):
        with pytest.raises(Refusal, match="at most 200"):
            parse_body(f"{{{field % ('é' * 201)}}}".encode())
        with pytest.raises(Refusal, match="at most 200"):
            parse_body(f"{{{field % (GROWS * 100)}}}".encode())


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    app = FastAPI()

    @app.get("/")
    def echo(q: Words, filters: Wanted) -> list[str | None]:
        return [q, filters.tag]

    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
        yield client


async def test_queries_and_filters(client: httpx.AsyncClient) -> None:
    for name in NAMES:
        typed = unicodedata.normalize("NFD", name)
        assert (await client.get("/", params={"q": typed, "tag": typed})).json() == [normalize(name)] * 2
    assert (await client.get("/", params={"q": "e\u0301" * 200, "tag": "e\u0301" * 200})).status_code == 200
    for name in ("q", "tag"):
        wrong = {"q": "x", "tag": "x"} | {name: "é" * 201}
        assert (await client.get("/", params=wrong)).status_code == 422
