"""Committed words never change, whatever the hypotheses do."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.speech.commitment import Commitment, agree

WORDS = st.sampled_from(
    ["we", "We", "we,", "will", "not", "not.", "기차도", "전기도", "없었다.", "今日", "は", "。", "…", "ไม่"]
)
HYPOTHESES = st.lists(st.lists(WORDS, max_size=6).map(" ".join) | st.text(max_size=12), max_size=8)


def hear(*hypotheses: str) -> list[Commitment]:
    shown = [Commitment()]
    for hypothesis in hypotheses:
        shown.append(agree(shown[-1], hypothesis))
    return shown


def fixed(commitment: Commitment) -> str:
    return commitment.text[: commitment.committed]


@given(HYPOTHESES)
def test_what_is_committed_stands_and_only_grows(hypotheses: list[str]) -> None:
    for before, after in pairwise(hear(*hypotheses)):
        assert after.text.startswith(fixed(before))
        assert after.committed >= before.committed
        assert len(after.text) >= after.committed


@given(st.lists(WORDS, min_size=1, max_size=6).map(" ".join))
def test_twice_the_same_is_shown_as_it_is(text: str) -> None:
    last = hear(text, text)[-1]
    assert last.text == text
    assert fixed(last) == text.rstrip(".。…, ")


@pytest.mark.parametrize(
    ("hypotheses", "committed", "text"),
    [
        (["we will"], "", "we will"),
        (["we will", "we will not"], "we will", "we will not"),
        (["we wi", "we will not"], "we", "we will not"),
        (["We will.", "We will not"], "We will", "We will not"),
        (["we will.", "we will.", "we will. Not"], "we will", "we will. Not"),
        (["we, will", "We will", "we will not"], "We will", "We will not"),
        (["기차도 전", "기차도 전기도 없", "기차도 전기도 없었다."], "기차도 전기도", "기차도 전기도 없었다."),
        (["今日", "今日はいい", "今日はいい天気"], "今日はいい", "今日はいい天気"),
        (["we will not", "we will not", ""], "we will not", "we will not"),
        (["we will", "we will go", "yes we will go home"], "we will go", "we will go home"),
        (["we will", "we will", "you"], "we will", "we will"),
    ],
)
def test_agreement(hypotheses: list[str], committed: str, text: str) -> None:
    last = hear(*hypotheses)[-1]
    assert (fixed(last), last.text) == (committed, text)
