"""Sessions written out: what other programs read is what was said, whatever was said."""

import csv
import io
import json
import re
from collections.abc import AsyncIterator, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboards.exports import Format, disposition, write
from tests.storage_events import session, session_id, utterance
from undertone.events import Utterance

TEXTS = st.lists(st.text(max_size=60), max_size=6)
_CUE = re.compile(r"\d{2,}:\d\d:\d\d([.,])\d{3} --> \d{2,}:\d\d:\d\d\1\d{3}")


async def written(form: Format, utterances: Sequence[Utterance], page: int = 2) -> str:
    async def pages() -> AsyncIterator[Sequence[Utterance]]:
        for start in range(0, max(1, len(utterances)), page):
            yield utterances[start : start + page]

    return "".join([piece async for piece in write(form, session(title="A call"), pages())])


def said(*texts: str) -> list[Utterance]:
    return [utterance(seq=seq, text=text) for seq, text in enumerate(texts, start=1)]


async def test_srt() -> None:
    first, second, *rest = (await written("srt", said("One  line\nof two", " ", "셋 <i> -->"))).split("\n\n")
    assert first == "1\n00:00:00,000 --> 00:00:02,000\nOne line of two"
    assert second == "2\n00:00:10,000 --> 00:00:12,000\n셋 <\u2060i> --\u2060>"
    assert rest == [""]


async def test_vtt() -> None:
    assert await written("vtt", said("a --> b & <c>")) == (
        f"WEBVTT\n\n{session_id()}-000000000000\n00:00:00.000 --> 00:00:02.000\na --&gt; b &amp; &lt;c&gt;\n\n"
    )


async def test_a_subtitle_lasts_a_millisecond_at_least_and_may_come_after_a_day() -> None:
    late = utterance(first_sample=16 * 90_061_001, start_ms=90_061_001, end_ms=90_061_001)
    assert "25:01:01.001 --> 25:01:01.002" in await written("vtt", [late])
    assert "25:01:01,001 --> 25:01:01,002" in await written("srt", [late])


@given(TEXTS)
async def test_subtitles_are_cut_by_no_text(texts: list[str]) -> None:
    heard = [" ".join(text.split()) for text in texts if text.split()]
    for form, start in (("srt", ""), ("vtt", "WEBVTT\n\n")):
        whole = await written("srt" if form == "srt" else "vtt", said(*texts))
        assert whole.startswith(start)
        blocks = whole.removeprefix(start).split("\n\n")
        assert blocks.pop() == ""
        assert len(blocks) == len(heard)
        for block in blocks:
            _, times, *lines = block.split("\n")
            assert _CUE.fullmatch(times)
            assert len(lines) == 1
            assert "-->" not in lines[0]


@given(TEXTS)
async def test_a_table_is_read_back_and_holds_no_formula(texts: list[str]) -> None:
    whole = await written("csv", said(*texts))
    assert whole.startswith("\ufeff")
    rows = list(csv.DictReader(io.StringIO(whole.removeprefix("\ufeff"), newline="")))
    assert [row["text"].removeprefix("'") for row in rows] == [text.removeprefix("'") for text in texts]
    assert not any(
        row["text"].lstrip(" ")[:1] in set("=+-@\t\r\n＝＋－＠") - {""} for row in rows if row["text"].strip(" ")
    )


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", "\t=1", " =1", "＝1"])
async def test_what_could_be_a_formula_gets_an_apostrophe(text: str) -> None:
    (row,) = csv.DictReader(io.StringIO((await written("csv", said(text))).removeprefix("\ufeff"), newline=""))
    assert row["text"] == "'" + text
    assert (row["score"], row["label"], row["start"]) == ("-0.81", "negative", "00:00:00.000")


async def test_json_holds_the_session_and_its_utterances() -> None:
    utterances = said("a", "b", "c")
    found = json.loads(await written("json", utterances))
    assert found["session"]["title"] == "A call"
    assert [Utterance.model_validate(item) for item in found["utterances"]] == utterances
    assert json.loads(await written("json", []))["utterances"] == []


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("A call", "A-call.srt"),
        ("회의 1", "%ED%9A%8C%EC%9D%98-1.srt"),
        ("../../etc/passwd\r\nx: y", "etc-passwd-x-y.srt"),
        ('"; filename=x', "filename-x.srt"),
        (None, f"{session_id()}.srt"),
        ("...", f"{session_id()}.srt"),
    ],
)
def test_the_name_of_the_file(title: str | None, name: str) -> None:
    expected = f"attachment; filename=\"{session_id()}.srt\"; filename*=UTF-8''{name}"
    assert disposition(session(title=title), "srt") == expected
