"""What every sentiment engine must do with any text at all.

The engine on torch is tested where the extra is installed: ``make test-torch``, which CI runs too.
"""

import shutil
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from itertools import product
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as how
from hypothesis import strategies as st

from models.sentiment import SHIPPED, load_engines
from models.sentiment.engines import SentimentEngine
from models.sentiment.onnx_card import CARD, read_card
from models.sentiment.routing import Router
from tests.examples import transcript
from tests.hub_folders import change_weights, write_model
from tests.shipped_weights import write_as_hub_model
from undertone.errors import FatalError
from undertone.events import Sentiment, Transcript
from undertone.languages import LANGUAGES

HAS_TORCH = find_spec("transformers") is not None

ANYTHING = st.text(st.characters(exclude_categories=()))
"""Surrogates, controls and marks of direction too."""

WORDS = st.lists(
    st.sampled_from(
        ["I", "love", "hate", "it", "not", "좋아요", "싫어요", "ужасно", "素晴らしい", "مرحبا", "😀", "\u200f", "\x00"]
    ),
    max_size=40,
).map(" ".join)
"""Scripts mixed, with words that engines know among them."""

SENTENCES = {
    "en": (
        ("I think this", "The meeting", "My phone", "Honestly, that film", "Your help"),
        (
            "is wonderful.",
            "was a waste of time.",
            "starts at ten.",
            "makes me so angry!",
            "is fine, I guess.",
            "is great",
        ),
    ),
    "ko": (
        ("이 영화는", "오늘 회의는", "그 사람은", "여기 음식은", "새 전화기는"),
        ("정말 좋아요.", "너무 별로예요.", "열 시에 있어요.", "최악이에요!", "그냥 그래요.", "재미있어요"),
    ),
}
"""Beginnings and ends."""

many = how(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def on_torch(name: str) -> object:
    """A parameter for the lane of torch."""
    absent = pytest.mark.skipif(not HAS_TORCH, reason="needs the extra torch: make test-torch")
    return pytest.param(name, marks=[pytest.mark.torch, absent])


ENGINES = ["vader", "shipped", *map(on_torch, ("three", "two", "stars"))]


@pytest.fixture(scope="module", params=ENGINES)
def engine(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> SentimentEngine:
    labels = {
        "three": ("negative", "neutral", "positive"),
        "two": ("NEGATIVE", "POSITIVE"),
        "stars": ("1 star", "2 stars", "3 stars", "4 stars", "5 stars"),
    }
    name = request.param
    if name in labels:
        name = str(write_model(tmp_path_factory.mktemp("hub") / name, labels[name]))
    engines = load_engines(name, tmp_path_factory.mktemp("cache"))
    return next(engine for engine in engines if "en" in engine.languages)


def said(text: str) -> Transcript:
    """A final with any text at all: the router bears more than the codec lets through."""
    return transcript(1, 0, 900).model_copy(update={"text": text})


def check(sentiment: Sentiment | None, engine: SentimentEngine) -> None:
    """A judgement says who made it, and agrees with itself."""
    if sentiment is None:
        return
    assert sentiment.model == engine.name
    assert -1 <= sentiment.score <= 1
    assert sentiment.score == round(sentiment.score, 4)
    if sentiment.probabilities is not None:
        shares = sentiment.probabilities.model_dump()
        assert sum(shares.values()) == pytest.approx(1, abs=2e-4)
        assert sentiment.score == pytest.approx(shares["positive"] - shares["negative"], abs=2e-4)
        assert sentiment.label in {"neutral", max(shares, key=lambda label: shares[label])}


def test_tells_its_model_and_its_languages(engine: SentimentEngine) -> None:
    model, _, revision = engine.name.partition("@")
    assert model
    assert len(revision) >= 5
    assert "en" in engine.languages <= LANGUAGES


@pytest.mark.parametrize(
    ("text", "label"),
    [("I love this", "positive"), ("this is terrible", "negative"), ("the meeting is at ten", "neutral")],
)
def test_judges(engine: SentimentEngine, text: str, label: str) -> None:
    sentiment = engine.classify(text)
    assert sentiment is not None
    assert sentiment.label == label
    assert sentiment.score == pytest.approx(0, abs=0.3) if label == "neutral" else abs(sentiment.score) > 0.3
    check(sentiment, engine)


@pytest.mark.parametrize("text", ["Good", "good!", "BAD", "great"])
def test_one_word_is_enough(engine: SentimentEngine, text: str) -> None:
    assert engine.classify(text) is not None


@many
@given(text=ANYTHING)
def test_any_text_has_an_answer(engine: SentimentEngine, text: str) -> None:
    check(engine.classify(text), engine)


@many
@given(text=WORDS)
def test_any_mixture_of_words_has_an_answer(engine: SentimentEngine, text: str) -> None:
    check(engine.classify(text), engine)
    judged = Router([engine]).judge(said(text))
    assert isinstance(judged, str) or judged.model == engine.name


@pytest.mark.parametrize(
    "text", ["", " \n\t", "😀😀❤️", "123 ... ?!", "\x00\x00", "\ud800", "\u200e\u202e", "\ufffe", "좋아요 ужасно"]
)
def test_without_a_word_of_its_language_there_is_no_score(engine: SentimentEngine, text: str) -> None:
    assert Router([engine]).judge(said(text)) in {"words", "script"}
    check(engine.classify(text), engine)


@pytest.mark.parametrize(
    "text",
    ["love " * 10_000, "x" * 200_000, "love\x00bad\ud800", "not " * 5000 + "good", "!" * 9000 + "a", "좋" * 100_000],
    ids=["words", "letters", "controls", "not", "marks", "syllables"],
)
def test_monstrous_text_does_not_stall(engine: SentimentEngine, text: str) -> None:
    started = time.monotonic()
    check(engine.classify(text), engine)
    Router([engine]).judge(said(text))
    assert time.monotonic() - started < 5


def test_what_is_invisible_does_not_change_the_judgement(engine: SentimentEngine) -> None:
    router = Router([engine])
    plain = router.judge(transcript(1, 0, 900, "I love this"))
    assert isinstance(plain, Sentiment)
    for text in (
        "I lo\x00ve this",
        "\u200fI love this\u200f",
        "I \u202alove\u202c this",
        "\ufeffI love this",
        "I love\ud83d this",
    ):
        assert router.judge(said(text)) == plain


def test_gives_beside_others_exactly_what_it_gives_alone(engine: SentimentEngine) -> None:
    texts = ["I love this", "this is terrible", "the meeting is at ten " * 20, "good", "bad " * 100] * 4
    alone = [engine.classify(text) for text in texts]
    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(engine.classify, texts)) == alone


def likeliest(sentiment: Sentiment | None) -> str:
    assert sentiment is not None
    assert sentiment.probabilities is not None
    shares = sentiment.probabilities.model_dump()
    return max(shares, key=lambda label: shares[label])


@pytest.fixture
def change_model(tmp_path: Path) -> Callable[..., str]:
    """Writes a model, of which something may be missing or changed; the setting that names it."""

    def write(labels: tuple[str, ...] = ("negative", "neutral", "positive"), **settings: object) -> str:
        return str(write_model(tmp_path / "model", labels, **settings))

    return write


@pytest.mark.torch
@pytest.mark.skipif(not HAS_TORCH, reason="needs the extra torch: make test-torch")
class TestModelsOfTheHub:
    """What can be wrong with a folder in the hub's form is told at the start, with the setting to change."""

    def test_its_languages_are_those_of_the_card_unless_the_setting_says(
        self, change_model: Callable[..., str], tmp_path: Path
    ) -> None:
        name = change_model()
        (by_card,) = load_engines(name, tmp_path)
        (by_setting,) = load_engines(f"{name}[de,fr]", tmp_path)
        assert by_card.languages == {"en", "ko"}
        assert by_setting.languages == {"de", "fr"}
        Path(name, "README.md").unlink()
        with pytest.raises(FatalError, match=r"which languages.*UNDERTONE_SENTIMENT_MODEL.*\[de,fr\]"):
            load_engines(name, tmp_path)

    def test_korean_is_judged(self, change_model: Callable[..., str], tmp_path: Path) -> None:
        (engine,) = load_engines(change_model(), tmp_path)
        labels = [judged and judged.label for judged in map(engine.classify, ("정말 좋아요", "싫어요", "오늘 회의"))]
        assert labels == ["positive", "negative", "neutral"]

    @pytest.mark.parametrize("language", SENTENCES)
    def test_the_shipped_weights_in_the_form_of_the_hub_judge_the_same(self, language: str, tmp_path: Path) -> None:
        shipped = shutil.copytree(SHIPPED / f"sentiment-{language}", tmp_path / "shipped")
        card = read_card(shipped).model_copy(update={"longest_ngram": 0})
        (shipped / CARD).write_text(card.model_dump_json())
        write_as_hub_model(shipped, tmp_path / "hub")
        (ours,) = load_engines(str(shipped), tmp_path)
        (hub,) = load_engines(f"{tmp_path / 'hub'}[{language}]", tmp_path)
        pairs = [(ours.classify(text), hub.classify(text)) for text in map(" ".join, product(*SENTENCES[language]))]
        assert sum(likeliest(first) == likeliest(second) for first, second in pairs) >= len(pairs) - 2
        assert all(abs(first.score - second.score) < 0.15 for first, second in pairs if first and second)

    def test_no_word_that_it_knows_is_no_score(self, change_model: Callable[..., str], tmp_path: Path) -> None:
        (engine,) = load_engines(change_model(), tmp_path)
        assert engine.classify("xyzzy plugh") is None

    def test_the_name_follows_the_weights(self, change_model: Callable[..., str], tmp_path: Path) -> None:
        (first,) = load_engines(change_model(), tmp_path)
        (other,) = load_engines(change_model(("1 star", "2 stars", "3 stars", "4 stars", "5 stars")), tmp_path)
        assert first.name.startswith("model@")
        assert first.name != other.name

    @pytest.mark.parametrize(
        ("labels", "settings", "told"),
        [
            (("LABEL_0", "LABEL_1", "LABEL_2"), {}, "are LABEL_0, LABEL_1, LABEL_2"),
            (("joy", "anger"), {}, "are joy, anger"),
            (("negative", "positive"), {"problem_type": "multi_label_classification"}, "multi_label_classification"),
        ],
    )
    def test_a_model_of_something_else_is_refused(
        self, labels: tuple[str, ...], settings: dict[str, object], told: str,
        change_model: Callable[..., str], tmp_path: Path,
    ) -> None:  # fmt: skip
        with pytest.raises(FatalError, match=told) as error:
            load_engines(change_model(labels, **settings), tmp_path)
        assert "UNDERTONE_SENTIMENT_MODEL" in str(error.value)

    @pytest.mark.parametrize("file", ["config.json", "model.safetensors", "tokenizer.json"])
    @pytest.mark.parametrize("content", [None, b"", b"{", b"\x00" * 1000])
    def test_a_missing_or_corrupt_file_is_told(
        self, file: str, content: bytes | None, change_model: Callable[..., str], tmp_path: Path
    ) -> None:
        name = change_model()
        if content is None:
            Path(name, file).unlink()
        else:
            Path(name, file).write_bytes(content)
        with pytest.raises(FatalError, match="UNDERTONE_SENTIMENT_MODEL"):
            load_engines(name, tmp_path)

    def test_weights_that_were_never_trained_to_classify_are_refused(
        self, change_model: Callable[..., str], tmp_path: Path
    ) -> None:
        name = change_model()
        change_weights(Path(name), lambda weights: {k: v for k, v in weights.items() if "classifier" not in k})
        with pytest.raises(FatalError, match=r"lack classifier\.bias, classifier\.weight.*UNDERTONE_SENTIMENT_MODEL"):
            load_engines(name, tmp_path)

    def test_weights_that_are_no_numbers_are_refused(self, change_model: Callable[..., str], tmp_path: Path) -> None:
        name = change_model()
        change_weights(Path(name), lambda weights: {k: v * float("nan") for k, v in weights.items()})
        with pytest.raises(FatalError, match="nan"):
            load_engines(name, tmp_path)

    def test_no_code_of_a_model_runs(self, change_model: Callable[..., str], tmp_path: Path) -> None:
        import json

        name = change_model()
        config = json.loads(Path(name, "config.json").read_text())
        config["model_type"] = "mine"
        config["auto_map"] = {"AutoConfig": "mine.Config", "AutoModelForSequenceClassification": "mine.Model"}
        Path(name, "config.json").write_text(json.dumps(config))
        ran = tmp_path / "ran"
        Path(name, "mine.py").write_text(f"open({str(ran)!r}, 'w')\n")
        with pytest.raises(FatalError, match="UNDERTONE_SENTIMENT_MODEL"):
            load_engines(name, tmp_path)
        assert not ran.exists()


@pytest.mark.skipif(HAS_TORCH, reason="the extra torch is installed here")
def test_without_the_extra_the_remedy_is_told(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(FatalError, match=r"EXTRA=torch.*undertone\[torch\].*UNDERTONE_SENTIMENT_MODEL"):
        load_engines(f"{tmp_path}[en]", tmp_path)
