"""What somebody repeats is told from a loop of the decoder."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.speech.engines import Hearing, compression_ratio
from models.speech.gates import suppression
from models.speech.repetition import agrees, confirm, reduce_runs, said_once

NO = "No, " * 15 + "stop it."
FEWER = "No, " * 9 + "stop it!"
OH = "Oh, " * 40


def hearing(text: str, **changes: object) -> Hearing:
    plain = Hearing(text.strip(), "en", None, -0.2, 0.1, compression_ratio(text.strip()), 1)
    return replace(plain, **changes)  # type: ignore[arg-type]


def never() -> Hearing:
    pytest.fail("one decode too many")


@pytest.mark.parametrize(
    ("text", "once"),
    [
        (NO, "no stop it"),
        ("has never been surpassed, " * 4, "has never been surpassed"),
        ("We want justice! " * 6 + "Now!", "we want justice now"),
        ("안 돼요, 안 돼요, 안 돼요, 그만하세요.", "안 돼요 그만하세요"),
        ("不要不要不要", "不 要"),
        ("What can I do for you?", "what can i do for you"),
        ("… ♪", ""),
    ],
)
def test_what_is_said_once(text: str, once: str) -> None:
    assert said_once(text) == tuple(once.split())


@given(st.lists(st.sampled_from("abc"), max_size=24))
def test_reduced_words_stay_reduced(words: list[str]) -> None:
    reduced = reduce_runs(words)
    assert reduce_runs(reduced) == reduced
    assert set(reduced) == set(words)


@given(st.permutations("abcdef"), st.integers(1, 20))
def test_a_phrase_of_different_words_is_reduced_however_often_it_is_said(phrase: list[str], times: int) -> None:
    assert reduce_runs(phrase * times) == tuple(phrase)


def test_two_decodes_that_differ_in_the_count_alone_confirm_the_shorter_text() -> None:
    confirmed = confirm([hearing(NO), hearing(FEWER)], [never])
    assert confirmed is not None
    assert (confirmed.text, confirmed.attempts, confirmed.is_confirmed) == (FEWER, 2, True)
    assert suppression(hearing(NO), 7000) == "repetition"
    assert suppression(confirm([hearing(NO), hearing(NO)], []) or never(), 7000) is None


def test_a_loop_is_decoded_again_until_two_agree() -> None:
    more: list[Callable[[], Hearing]] = [lambda: hearing(NO), lambda: hearing(FEWER), never]
    confirmed = confirm([hearing(OH), hearing("Fio, " * 30)], more)
    assert confirmed is not None
    assert (confirmed.text, confirmed.attempts) == (FEWER, 4)


def test_a_loop_that_no_other_decode_finds_is_not_confirmed() -> None:
    assert confirm([hearing(OH), hearing("Fio, " * 30)], [lambda: hearing("What now?")]) is None
    assert confirm([hearing(OH)], []) is None


@pytest.mark.parametrize("change", [{"is_complete": False}, {"language": "ko"}])
def test_a_decode_that_was_cut_or_heard_another_language_confirms_nothing(change: dict[str, object]) -> None:
    assert agrees(hearing(OH), hearing(OH))
    assert not agrees(hearing(OH), hearing(OH, **change))
    assert not agrees(hearing(OH, **change), hearing(OH))


def test_nothing_said_confirms_nothing() -> None:
    assert not agrees(hearing("…"), hearing("♪"))


def test_one_letter_of_many_may_differ() -> None:
    assert agrees(hearing("제가 정호 이전의 입구말룰 " * 6), hearing("제가 정호 이전에 입구말룰 " * 7))
    assert not agrees(hearing("Fio, " * 28), hearing("For you, " * 14))
