"""What a text is found by, and what is marked in it: the terms, the questions and the eras."""

import unicodedata
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.eras import backwards, eras_of
from storage.questions import Question, read_question
from storage.terms import LAST_POSITION, Token, tokens, vector
from undertone.errors import Refusal

SYLLABLES = st.characters(min_codepoint=0xAC00, max_codepoint=0xD7A3)
KOREAN = st.text(SYLLABLES, min_size=1, max_size=6)
ENGLISH = st.from_regex(r"[A-Za-z]{1,12}('[a-z]{1,2})?", fullmatch=True)
WORDS = st.lists(st.one_of(KOREAN, ENGLISH, st.from_regex(r"[0-9]{1,6}", fullmatch=True)), min_size=1, max_size=12)
MOMENTS = st.integers(0, 32_503_680_000_000)


def finds(question: str, text: str) -> bool:
    """Whether each phrase of the question is marked in the text; PostgreSQL finds the same (tests/integration)."""
    phrases = read_question(question).phrases
    return all(any(is_match for _, is_match in Question((phrase,)).parts(text)) for phrase in phrases)


@given(WORDS)
def test_a_text_is_found_by_each_of_its_words(words: list[str]) -> None:
    text = " ".join(words)
    for word in words:
        assert finds(word, text), word
        assert finds(word.upper(), text), word


@given(WORDS, st.data())
def test_a_text_is_found_by_any_stretch_of_it_as_a_phrase(words: list[str], data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(words) - 1))
    end = data.draw(st.integers(start + 1, len(words)))
    assert finds(f'"{" ".join(words[start:end])}"', " ".join(words))


@given(KOREAN, KOREAN, KOREAN)
def test_korean_is_found_by_any_two_syllables_or_more(before: str, word: str, behind: str) -> None:
    if len(word) >= 2:
        assert finds(word, f"{before}{word}{behind}")


@given(ENGLISH, st.integers(1, 12))
def test_a_word_is_found_by_its_beginning(word: str, length: int) -> None:
    beginning = word[:length].rstrip("'")
    assert finds(f"{beginning}*", f"well {word} then")


@given(st.text(max_size=300), st.text(max_size=40))
def test_any_text_is_cut_without_loss_and_any_question_is_read_or_refused(text: str, question: str) -> None:
    for token in tokens(text):
        assert 0 <= token.start < token.end <= len(unicodedata.normalize("NFC", text))
        assert 1 <= token.position <= LAST_POSITION
        assert token.term
    with suppress(Refusal):
        parts = read_question(question).parts(text)
        assert "".join(part for part, _ in parts) == unicodedata.normalize("NFC", text)


@pytest.mark.parametrize(
    ("question", "text", "marked"),
    [
        ("날씨", "오늘 날씨가 좋다", ["날씨"]),
        ("날씨가", "오늘 날씨는 좋다", []),
        ("날씨", "봄날씨네요", ["날씨"]),
        ("자동차", "자동 동차", []),
        ("비", "비가 온다, 준비", ["비"]),
        ("비", "준비했다", []),
        ('"오늘 날씨"', "오늘 날씨가", ["오늘", "날씨"]),
        ('"오늘 날씨"', "오늘은 날씨가", []),
        ("refund", "Two refunds were REFUNDED.", ["refunds", "REFUNDED"]),
        ("refunds", "a refund", ["refund"]),
        ("runn*", "running and runners run", ["running", "runners"]),
        ("john", "John’s idea", ["John’s"]),
        ("don't", "I don’t", ["don’t"]),
        ("1,000", "it was 1,000 then", ["1", "000"]),
        ("1,000", "1 of 000", []),
        ("cafe\u0301", "Caf\u00e9", ["Caf\u00e9"]),
        ("ＯＫ", "ok", ["ok"]),
        ("the weather", "weather, the", ["weather", "the"]),
        ("no yes", "yes", ["yes"]),
        ("水曜", "水曜日", ["水曜"]),
    ],
)
def test_what_is_marked(question: str, text: str, marked: list[str]) -> None:
    assert [part for part, is_match in read_question(question).parts(text) if is_match] == marked


@pytest.mark.parametrize("question", ["", "  ", "!?", '""', "*", '"', " ".join(f"w{number}" for number in range(40))])
def test_no_question_and_too_long_a_question_are_refused(question: str) -> None:
    with pytest.raises(Refusal, match="word"):
        read_question(question)


def test_terms_as_postgresql_reads_them() -> None:
    assert vector("The refunds aren't 날씨가 the") == "'the':1,7 'refund':2 'refunds':2 'aren''t':3 '날씨':4 '씨가':5"
    assert read_question('weath* "오늘 날씨" aren\'t').query() == "'weath':* & '오늘' <2> '날씨' & 'aren''t'"
    assert list(tokens("비가")) == [Token("비가", 1, 0, 2), Token("비", 1, 0, 1, is_spare=True)]


def test_a_text_without_end_is_cut_where_positions_end() -> None:
    assert max(token.position for token in tokens("so " * 20_000)) == LAST_POSITION
    assert max(token.position for token in tokens("가" * 20_000)) == LAST_POSITION


@given(MOMENTS, MOMENTS, MOMENTS, st.integers(0, 10**9))
def test_every_moment_is_in_some_of_the_eras(one: int, other: int, between: int, first_ms: int) -> None:
    oldest, moment, newest = sorted((one, between, other))
    found = set(eras_of(moment))
    lists = list(backwards(newest, oldest, first_ms, newest - oldest))
    assert any(eras is None or found & set(eras) for eras in lists)
    assert all(eras is None or len(eras) <= 8 for eras in lists)
    assert len(lists) <= 7


@given(MOMENTS, st.integers(1, 10**9))
def test_eras_go_back_in_longer_and_longer_steps(newest: int, first_ms: int) -> None:
    """A moment of the second step is in none of the first, so that a common word costs the first alone."""
    lists = list(backwards(newest, 0, first_ms, newest))
    if len(lists) > 2 and (first := lists[0]) is not None:
        assert not set(first) & set(eras_of(max(0, newest - 8 * max(first_ms, 2**20))))
        assert set(first) & set(eras_of(max(0, newest - first_ms // 2)))


def test_a_last_stretch_that_is_most_of_all_time_is_asked_for_without_eras() -> None:
    newest, year = 1_790_000_000_000, 365 * 86_400_000
    *stretches, last = backwards(newest, newest - year, 1000, all_ms=year)
    assert last is None
    assert all(stretches)
    assert None not in backwards(newest, newest - year // 12, 1000, all_ms=year), "a month of a year"
    assert None not in backwards(newest, newest - year, 1000, all_ms=20 * year), "the last of twenty years"


def test_eras_fit_into_the_column() -> None:
    assert max(eras_of(32_503_680_000_000)) < 2**31
    assert len(set(eras_of(1_790_000_000_000))) == 6
