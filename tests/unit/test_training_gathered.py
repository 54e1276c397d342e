"""Two files of training, written from clones of their sources."""

import gzip
import json
from pathlib import Path

import pytest

from models.training.examples import read_rows
from models.training.gather import gather_emotions, gather_ratings, main
from undertone.errors import FatalError


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir()
    write_rows(folder / "goemotions3_train.tsv", "positive\tI love it\tknown1")
    write_rows(folder / "goemotions3_dev.tsv", "neutral\tIt is here\tknown2")
    write_rows(folder / "nsmc3_train_large.tsv.gz", "positive\t좋다\t9|11")
    write_rows(folder / "nsmc3_test.tsv", "negative\t나쁘다\t1|21")
    return folder


def write_rows(file: Path, *rows: str) -> None:
    content = "\n".join(["label\ttext\torig", *rows, ""]).encode()
    file.write_bytes(gzip.compress(content) if file.suffix == ".gz" else content)


def test_comments_of_several_groups_and_of_the_test_split_are_gathered(tmp_path: Path, data: Path) -> None:
    original = tmp_path / "clone/data/original"
    original.mkdir(parents=True)
    (original / "labels.txt").write_text("anger\njoy\nsurprise\nneutral\n")
    (original / "train.tsv").write_text("I love it\t1\tknown1\nOh, you!\t2,1,0\tmixed\nWhat?\t2\tneither\n")
    (original / "test.tsv").write_text("It is here\t3\tknown2\nA table.\t3\ttested\n")
    file, count = gather_emotions(tmp_path / "clone", data)
    assert count == 2
    assert read_rows(file) == [
        ("positive", "Oh, you!", "surprise,joy,anger|mixed"),
        ("neutral", "A table.", "neutral|tested"),
    ]


def test_ratings_are_gathered_but_of_films_that_are_judged(tmp_path: Path, data: Path) -> None:
    raw = tmp_path / "clone/raw"
    raw.mkdir(parents=True)
    films = {
        "10": [comment("11", 9, "좋다"), comment("12", 5, "그저\n 그렇다"), comment("13", 4, "별로")],
        "20": [comment("21", 1, "나쁘다"), comment("22", 10, "최고")],
        "30": [comment("31", 8, "볼만하다"), comment("32", 9, " ")],
    }
    for film, comments in films.items():
        (raw / f"{film}.json").write_text(json.dumps(comments), encoding="utf-8")
    file, count = gather_ratings(tmp_path / "clone", data)
    assert count == 3
    assert read_rows(file) == [
        ("neutral", "그저 그렇다", "5|12|10"),
        ("negative", "별로", "4|13|10"),
        ("neutral", "볼만하다", "8|31|30"),
    ]


def comment(number: str, rating: int, text: str) -> dict[str, str]:
    return {"review_id": number, "rating": str(rating), "review": text}


@pytest.mark.parametrize("source", ["goemotions", "nsmc"])
def test_a_folder_that_is_no_clone_says_what_to_give(
    source: str, tmp_path: Path, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gather = gather_emotions if source == "goemotions" else gather_ratings
    with pytest.raises(FatalError, match="give a checkout of"):
        gather(tmp_path / "nothing", data)
    monkeypatch.setattr("sys.argv", ["gather", source, str(tmp_path / "nothing"), "--data", str(data)])
    with pytest.raises(SystemExit, match="give a checkout of"):
        main()
