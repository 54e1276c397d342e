"""What the sentiment models are trained on: read, kept apart, and put into the form of speech."""

import gzip
from difflib import SequenceMatcher
from pathlib import Path
from random import Random

import numpy as np
import pytest

from models.sentiment.ngrams import Runs, rows_of, score_of
from models.training.everyday_korean import make_korean
from models.training.examples import Example, leave_out, read_rows, split
from models.training.spoken import bare, mishear, sound, sound_alikes, write_out, write_out_korean
from undertone.errors import FatalError

WITHIN = Runs(3, over_words=False)
GOOD = (0.0, 0.0, 1.0)


def examples(*texts: str) -> list[Example]:
    return [Example(text, GOOD, "test") for text in texts]


@pytest.mark.parametrize("packed", [False, True])
def test_rows_are_read_packed_or_not(tmp_path: Path, packed: bool) -> None:
    content = b'label\ttext\torig\npositive\tFine "so"\t9|1\n'
    file = tmp_path / ("rows.tsv.gz" if packed else "rows.tsv")
    file.write_bytes(gzip.compress(content) if packed else content)
    assert read_rows(file) == [("positive", 'Fine "so"', "9|1")]


def test_a_file_without_the_marks_of_its_source_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "rows.tsv"
    file.write_text("label\ttext\nneutral\tx\n")
    with pytest.raises(FatalError, match="no column orig"):
        read_rows(file)


def test_a_missing_file_says_where_the_data_are_described(tmp_path: Path) -> None:
    with pytest.raises(FatalError, match=r"docs/sentiment\.md"):
        read_rows(tmp_path / "none.tsv")


def test_what_is_judged_is_not_trained_on_whatever_its_case() -> None:
    kept = leave_out(examples("So, it works!", "It broke."), ["so it WORKS"])
    assert [example.text for example in kept] == ["It broke."]


def test_the_split_is_the_same_for_everyone_and_keeps_twins_together() -> None:
    texts = [f"sentence {number}" for number in range(1000)]
    training, held_out = split(examples(*texts, *(f"{text.upper()}!" for text in texts)))
    assert 60 < len(held_out) < 140
    assert not {bare(example.text) for example in training} & {bare(example.text) for example in held_out}
    assert split(examples(*texts, *(f"{text.upper()}!" for text in texts)))[1] == held_out


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("OMG u r so #cool :) https://x.y/z 😀", "OMG you are so cool."),
        ("dont know... im fine", "Don't know. I'm fine."),
        ("WHY WOULD YOU DO THIS", "Why would you do this."),
        ("*sooooo* good (really)", "Soo good really."),
    ],
)
def test_english_is_written_out_as_a_transcript(typed: str, said: str) -> None:
    assert write_out(typed, Random(1)) == said


def test_names_take_the_place_of_handles() -> None:
    assert "[NAME]" not in write_out("I agree with [NAME] and @someone", Random(1))
    assert "@" not in write_out("I agree with [NAME] and @someone", Random(1))


def test_korean_loses_what_nobody_can_say() -> None:
    assert write_out_korean("재밌어요ㅋㅋㅋ ~~ 최고ㅠㅠ", Random(1)) == "재밌어요 최고."


def test_mishearing_changes_some_words_and_is_the_same_with_the_same_seed() -> None:
    text = " ".join(f"said{number}" for number in range(400))
    alike = {sound(text.split()[0]): ["sad"]}
    heard = mishear(text, Random(1), alike)
    assert heard == mishear(text, Random(1), alike) != text
    assert 0.85 < SequenceMatcher(None, text.split(), heard.split()).ratio() < 1


def test_words_that_sound_alike_share_a_key() -> None:
    assert sound("bad") == sound("bat")
    assert sound("good") != sound("bad")
    assert set(sound_alikes(["bad bat", "good"], 1)[sound("bad")]) == {"bad", "bat"}


def test_everyday_korean_has_all_labels_alike_and_whole_patterns() -> None:
    made = list(make_korean(Random(1), 500))
    assert {label: sum(label == other for other, _ in made) for label in ("positive", "neutral", "negative")} == {
        "positive": 500,
        "neutral": 500,
        "negative": 500,
    }
    assert not [text for _, text in made if "{" in text or "_" in text]
    assert made == list(make_korean(Random(1), 500))


def test_particles_follow_the_sound_before_them() -> None:
    text = " ".join(text for _, text in make_korean(Random(1), 2000))
    assert "회의를" in text
    assert "회의을" not in text
    assert "병원을" in text
    assert "병원를" not in text


def test_runs_of_characters_are_each_counted_once_and_know_where_words_end() -> None:
    rows = rows_of("ab ab", WITHIN, 1 << 30)
    assert list(rows) == sorted(set(rows))
    assert len(rows) == len({" a", "a", "b", "ab", "b ", " ab", "ab "})
    assert list(rows_of("AB \n ab", WITHIN, 1 << 30)) == list(rows)
    assert not set(rows_of("ba", WITHIN, 1 << 30)) >= set(rows)
    assert rows_of("", WITHIN, 8).tolist() == []
    assert rows_of("재밌어요ㅋㅋㅋㅋㅋㅋ", Runs(2, over_words=False), 64).max() < 64


def test_runs_may_go_from_a_word_to_the_next() -> None:
    over = Runs(3, over_words=True)
    rows = rows_of("AB \n ab", over, 1 << 30)
    assert len(rows) == len({" a", "a", "b", "ab", "b ", " ab", "ab ", "b a"})
    assert set(rows) > set(rows_of("ab ab", WITHIN, 1 << 30))
    assert rows_of(" ", over, 8).tolist() == []


def test_a_table_scores_a_text_by_its_runs_whatever_their_number() -> None:
    table = np.zeros((1 << 16, 3))
    table[:, 2] = 1
    good, bad = rows_of("good", WITHIN, 1 << 16), rows_of("bad", WITHIN, 1 << 16)
    table[good, 0] = 1
    table[bad, 1] = 1
    scores = score_of(table, "good", WITHIN)
    assert scores[0] == pytest.approx(len(good) ** 0.5)
    assert score_of(table, "bad bad", WITHIN)[1] == pytest.approx(len(bad) ** 0.5)
    assert score_of(table, "", WITHIN).tolist() == [0, 0]
