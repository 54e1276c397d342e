"""The benchmark of the history: its texts and its mix of questions."""

from pathlib import Path
from random import Random

from benchmarks.history.__main__ import percentiles
from benchmarks.history.questions import EACH, SHARES, mix
from benchmarks.history.texts import read_texts, words_by_share
from storage.questions import read_question
from storage.terms import vector


def test_texts_by_language_with_their_words_and_terms(tmp_path: Path) -> None:
    file = tmp_path / "texts.tsv"
    file.write_text(
        "label\ttext\npositive\tfine  weather\nnegative\t날씨가 나쁘다\nneutral\tOK then\n", encoding="utf-8"
    )
    texts = read_texts([file], 9, Random(1))
    assert (len(texts["en"]), len(texts["ko"])) == (2, 1)
    for said in (*texts["en"], *texts["ko"]):
        assert said.words == len(said.text.split())
        assert said.terms == vector(said.text)
    assert texts["ko"][0].label == "negative"
    shares = dict(words_by_share(texts["ko"], "ko"))
    assert shares == {"날씨": 0.5, "나쁘": 0.5}  # of both languages together: a half at most


def test_the_mix_has_common_words_and_rare_ones_of_every_kind() -> None:
    words = [(f"{'abcdefghij'[number % 10] * 5}{number}", 0.25 / (number + 1)) for number in range(20_000)]
    asked = list(mix(words))
    kinds = {question.kind for question in asked}
    assert {"two words", "one label", "a month", "a tag", "the third page", "no such word"} < kinds
    assert {f"a word in {share:.3%}" for share in SHARES} < kinds
    assert sum(question.kind.startswith("a word") for question in asked) == EACH * len(SHARES)
    assert all(read_question(question.words).phrases for question in asked)


def test_percentiles() -> None:
    assert percentiles([float(number) for number in range(101)]) == (50.0, 95.0, 100.0)
