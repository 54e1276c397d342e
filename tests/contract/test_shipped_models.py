"""The sentiment models that come with the project, on sentences as people say them."""

import csv
import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from models.sentiment import SHIPPED, load_engines, make_router
from models.sentiment.engines import SentimentEngine
from models.sentiment.ngrams import score_of
from models.sentiment.onnx_card import CARD, MODEL, TABLE, read_card
from models.sentiment.onnx_engine import OnnxEngine
from tests.examples import transcript
from undertone.errors import FatalError
from undertone.events import Sentiment

EVERYDAY = Path(__file__).parents[2] / "benchmarks/sentiment"


@pytest.fixture(scope="module", params=["en", "ko"])
def engine(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> SentimentEngine:
    """One shipped model."""
    engines = load_engines("shipped", tmp_path_factory.mktemp("cache"))
    return next(engine for engine in engines if request.param in engine.languages)


def everyday(language: str) -> Iterator[tuple[str, str]]:
    with (EVERYDAY / f"everyday-{language}.tsv").open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE):
            yield row["label"], row["text"]


def judge(engine: SentimentEngine, text: str) -> Sentiment:
    judged = engine.classify(text)
    assert judged is not None
    assert judged.probabilities is not None
    return judged


def test_everyday_sentences_are_mostly_judged_right(engine: SentimentEngine) -> None:
    (language,) = engine.languages
    rows = list(everyday(language))
    right = [label for label, text in rows if judge(engine, text).label == label]
    assert len(rows) == 90
    assert len(right) >= 75
    assert min(right.count(label) for label in ("negative", "neutral", "positive")) >= 20, "none is guessed away"


@pytest.mark.parametrize(("language", "good", "bad"), [("en", "Great!", "Terrible."), ("ko", "좋아요", "최악이에요")])
def test_one_word_is_enough(language: str, good: str, bad: str, tmp_path: Path) -> None:
    engine = OnnxEngine(SHIPPED / f"sentiment-{language}")
    assert judge(engine, good).label == "positive"
    assert judge(engine, bad).label == "negative"


def change_card(language: str, folder: Path, **changes: object) -> Path:
    """A shipped model whose card says something else."""
    folder.mkdir()
    shipped = SHIPPED / f"sentiment-{language}"
    for file in read_card(shipped).files:
        (folder / file).symlink_to(shipped / file)
    (folder / CARD).write_text(read_card(shipped).model_copy(update=changes).model_dump_json())
    return folder


def log_odds(sentiment: Sentiment) -> float:
    """Of positive against negative."""
    assert sentiment.probabilities is not None
    return math.log(sentiment.probabilities.positive / sentiment.probabilities.negative)


@pytest.mark.parametrize(("language", "text"), [("en", "The room was fine I guess."), ("ko", "방은 그냥 괜찮았어요.")])
def test_table_bias_and_temperature_all_count(language: str, text: str, tmp_path: Path) -> None:
    shipped = SHIPPED / f"sentiment-{language}"
    card = read_card(shipped)
    bare = OnnxEngine(change_card(language, tmp_path / "bare", longest_ngram=0, bias=(0.0, 0.0, 0.0), temperature=1.0))
    scores = score_of(np.load(shipped / TABLE), text, card.runs)
    added = scores[2] - scores[0] + card.bias[2] - card.bias[0]
    assert abs(scores[2] - scores[0]) > 0.05, "this text says something to the table"
    expected = (log_odds(judge(bare, text)) + added) / card.temperature
    assert log_odds(judge(OnnxEngine(shipped), text)) == pytest.approx(expected, abs=0.01)


def test_what_is_not_sure_enough_is_neutral(tmp_path: Path) -> None:
    text = "I love it, thank you!"
    strict = OnnxEngine(change_card("en", tmp_path / "strict", least_probability=1.0))
    assert judge(OnnxEngine(SHIPPED / "sentiment-en"), text).label == "positive"
    assert judge(strict, text).label == "neutral"
    assert judge(strict, text).score > 0.5


@pytest.mark.parametrize(
    ("language", "text"),
    [("de", "Das ist wunderbar, vielen Dank!"), ("fr", "C'est magnifique, merci !"), ("ja", "とても素晴らしいです。")],
)
def test_german_french_and_japanese_are_not_judged(language: str, text: str, tmp_path: Path) -> None:
    heard = transcript(1, 0, 1000, text).model_copy(update={"language": language, "language_probability": 0.98})
    assert make_router("shipped", tmp_path).judge(heard) == "language"


def test_a_damaged_model_is_refused_at_the_start_naming_both_sums(tmp_path: Path) -> None:
    folder = tmp_path / "sentiment-en"
    folder.mkdir()
    for file in (SHIPPED / "sentiment-en").iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    content = bytearray((folder / MODEL).read_bytes())
    content[1000] ^= 255
    (folder / MODEL).write_bytes(content)
    wanted = read_card(SHIPPED / "sentiment-en").sha256[MODEL]
    with pytest.raises(FatalError, match=f"it should be {wanted}.*UNDERTONE_SENTIMENT_MODEL"):
        OnnxEngine(folder)


@pytest.mark.parametrize("missing", [MODEL, CARD, "tokenizer.json", "ngrams.npy"])
def test_a_model_that_is_not_whole_is_refused_at_the_start(missing: str, tmp_path: Path) -> None:
    folder = tmp_path / "sentiment-en"
    folder.mkdir()
    for file in (SHIPPED / "sentiment-en").iterdir():
        if file.name != missing:
            (folder / file.name).symlink_to(file)
    with pytest.raises(FatalError, match=f"{missing}.*UNDERTONE_SENTIMENT_MODEL"):
        OnnxEngine(folder)
