"""Which engine judges an utterance, and when none does; what models' labels and the names in the setting mean."""

import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.scripts import is_in_its_script
from models.sentiment import make_router
from models.sentiment.abstention import Unjudged, why_unjudged
from models.sentiment.cards import read_languages
from models.sentiment.labels import LEAST_OF_TWO, least_without_calibration, read_labels, to_sentiment
from models.sentiment.names import Model, hub_models, read_names
from models.sentiment.routing import Router
from models.sentiment.texts import clean, has_word
from models.sentiment.vader_engine import VaderEngine, label_of
from models.weights.registry import Hub
from tests.examples import transcript
from undertone.errors import FatalError
from undertone.events import Label, Quality, Sentiment, Suppression, Transcript
from undertone.settings import Settings

ROUTER = make_router("vader", Path())
COMMIT = "2e33845d25b3ed0c8994ed53adb72566a1d39d79"


def said(
    text: str,
    language: str | None = "en",
    probability: float | None = None,
    avg_logprob: float = -0.3,
    suppressed: Suppression | None = None,
) -> Transcript:
    quality = Quality(no_speech_probability=0.01, avg_logprob=avg_logprob, compression_ratio=1.1, suppressed=suppressed)
    heard = {"text": text, "language": language, "language_probability": probability, "quality": quality}
    return transcript(1, 0, 900).model_copy(update=heard)


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("I love this, it works so well.", "positive"),
        ("This is terrible and I am very angry.", "negative"),
        ("The meeting starts at ten.", "neutral"),
        ("It is not good.", "negative"),
        ("Great!", "positive"),
    ],
)
def test_english_is_judged(text: str, label: Label) -> None:
    sentiment = ROUTER.judge(said(text, "en", 0.98))
    assert isinstance(sentiment, Sentiment)
    assert sentiment.label == label == label_of(sentiment.score)
    assert sentiment.score == round(sentiment.score, 4)
    assert sentiment.probabilities is None
    assert sentiment.model == "vader@3.3.2"


@pytest.mark.parametrize(
    ("score", "label"), [(0.05, "positive"), (0.0499, "neutral"), (-0.0499, "neutral"), (-0.05, "negative")]
)
def test_labels_turn_where_the_authors_say(score: float, label: Label) -> None:
    assert label_of(score) == label


@pytest.mark.parametrize(
    ("utterance", "why"),
    [
        (said("I love this"), None),
        (said("I love this", "en", 0.5), None),
        (said("Great!"), None),
        (said("좋아요", "ko", 0.9), None),
        (said("이 project는 awesome해요", "ko"), None),
        (said("I had kimchi 김치", "en"), None),
        (said("I love this", avg_logprob=-0.8), None),
        (said("I love this", suppressed="repetition"), "suppressed"),
        (said("", suppressed="no_speech"), "suppressed"),
        (said("I love this", None), "language"),
        (said("I love this", "en", 0.49), "language"),
        (said("Das ist wunderbar", "de", 0.99), "language"),
        (said("", "de"), "language"),
        (said(""), "words"),
        (said(" \n\t\u3000"), "words"),
        (said("😀😀❤️"), "words"),
        (said("123 ... ?!"), "words"),
        (said("\x00\x00"), "words"),
        (said("\ud800"), "words"),
        (said("\u200e\u200f\u202e"), "words"),
        (said("정말 좋아요", "en"), "script"),
        (said("Это ужасно", "en"), "script"),
        (said("すばらしい", "en"), "script"),
        (said("This is wonderful", "ko"), "script"),
        (said("I love this", avg_logprob=-0.81), "doubt"),
    ],
)
def test_the_rule(utterance: Transcript, why: Unjudged | None) -> None:
    assert why_unjudged(utterance, {"en", "ko"}) == why


def test_what_cannot_be_judged_is_not() -> None:
    for utterance in (said("정말 좋아요", "ko", 0.99), said("I love this", "en", 0.4), said("I love this", None)):
        assert ROUTER.judge(utterance) == "language"
    assert ROUTER.judge(said("I love this", suppressed="low_confidence")) == "suppressed"


class Recorder(VaderEngine):
    """Says which texts it was asked about; finds no word in ``nothing``."""

    def __init__(self, name: str, *languages: str) -> None:
        super().__init__()
        self._name = name
        self._languages = frozenset(languages)
        self.texts: list[str] = []

    @property
    def languages(self) -> frozenset[str]:
        return self._languages

    def classify(self, text: str) -> Sentiment | None:
        self.texts.append(text)
        return None if text == "nothing" else super().classify(text)


def test_the_first_engine_that_knows_a_language_judges_it() -> None:
    router = Router([Recorder("first", "en"), Recorder("second", "en", "ko")])
    assert router.languages == {"en", "ko"}
    judged = [router.judge(utterance) for utterance in (said("I love this"), said("좋아 good", "ko"))]
    assert [judgement.model for judgement in judged if isinstance(judgement, Sentiment)] == ["first", "second"]


def test_an_engine_sees_words_and_may_find_none() -> None:
    engine = Recorder("only", "en")
    router = Router([engine])
    assert isinstance(router.judge(said("\u200eI lo\x00ve\ud800 this\n" + "no " * 9000)), Sentiment)
    assert router.judge(said("nothing")) == "words"
    assert router.judge(said("좋아요")) == "script"
    assert engine.texts[0].startswith("I love this\nno no")
    assert len(engine.texts[0]) <= 5000
    assert engine.texts[1:] == ["nothing"]


@given(st.text(st.characters(exclude_categories=())))
def test_what_is_cleaned_has_no_controls_and_is_clean(text: str) -> None:
    cleaned = clean(text)
    assert clean(cleaned) == cleaned
    assert has_word(cleaned) == has_word(text)
    assert {unicodedata.category(c) for c in cleaned if not c.isspace()}.isdisjoint({"Cc", "Cs"})


def test_the_spelling_of_other_scripts_is_kept() -> None:
    assert clean("می\u200cخواهم") == "می\u200cخواهم"


@pytest.mark.parametrize(
    ("text", "language", "fits"),
    [
        ("", "en", True),
        ("Très bien, naïve", "fr", True),
        ("ОК, good", "en", True),
        ("ОК, да, good", "en", False),
        ("すごい", "ja", True),
        ("大丈夫", "ja", True),
        ("大丈夫", "zh", True),
        ("すごい", "zh", False),
        ("Добър ден", "bg", True),
        ("Dobro", "sr", True),
        ("यह अच्छा है", "hi", True),
        ("ㅋㅋㅋ", "ko", True),
    ],
)
def test_scripts(text: str, language: str, *, fits: bool) -> None:
    assert is_in_its_script(text, language) is fits


@pytest.mark.parametrize(
    ("names", "labels"),
    [
        (("negative", "neutral", "positive"), ("negative", "neutral", "positive")),
        (("POS", "NEU", "NEG"), ("positive", "neutral", "negative")),
        (("NEGATIVE", "POSITIVE"), ("negative", "positive")),
        (
            ("1 star", "2 stars", "3 stars", "4 stars", "5 stars"),
            ("negative", "negative", "neutral", "positive", "positive"),
        ),
        (("Very Negative", "Neutral", "very_positive"), ("negative", "neutral", "positive")),
    ],
)
def test_labels_are_mapped_by_their_names(names: tuple[str, ...], labels: tuple[Label, ...]) -> None:
    assert read_labels(dict(enumerate(names)), "m@1") == labels
    shuffled = dict(reversed(list(enumerate(names))))
    assert read_labels(shuffled, "m@1") == labels


@pytest.mark.parametrize(
    "names",
    [
        ("LABEL_0", "LABEL_1"),
        ("joy", "anger", "positive", "negative"),
        ("negative", "neutral"),
        ("positive",),
        ("neutral",),
    ],
)
def test_labels_that_cannot_be_mapped_are_named_with_the_remedy(names: tuple[str, ...]) -> None:
    with pytest.raises(FatalError, match=rf"m@1 are {', '.join(names)},.*id2label.*UNDERTONE_SENTIMENT_MODEL"):
        read_labels(dict(enumerate(names)), "m@1")


def test_stars_are_added_up() -> None:
    labels = read_labels(dict(enumerate(["1 star", "2 stars", "3 stars", "4 stars", "5 stars"])), "m@1")
    sentiment = to_sentiment((0.3, 0.2, 0.35, 0.1, 0.05), labels, "m@1", least_probability=0.5)
    assert (sentiment.label, sentiment.score, sentiment.model) == ("negative", -0.35, "m@1")
    assert sentiment.probabilities is not None
    assert sentiment.probabilities.model_dump() == {"positive": 0.15, "neutral": 0.35, "negative": 0.5}


@pytest.mark.parametrize(
    ("positive", "label"), [(0.91, "positive"), (0.89, "neutral"), (0.11, "neutral"), (0.09, "negative")]
)
def test_of_two_labels_neither_is_neutral(positive: float, label: Label) -> None:
    labels: tuple[Label, ...] = ("negative", "positive")
    least = least_without_calibration(labels)
    assert least == LEAST_OF_TWO
    sentiment = to_sentiment((1 - positive, positive), labels, "m@1", least_probability=least)
    assert sentiment.label == label
    assert sentiment.probabilities is not None
    assert sentiment.probabilities.neutral == 0
    assert sentiment.score == round(2 * positive - 1, 4)


def test_a_model_that_knows_neutral_chooses_it_itself() -> None:
    labels: tuple[Label, ...] = ("negative", "neutral", "positive")
    least = least_without_calibration(labels)
    assert to_sentiment((0.32, 0.33, 0.35), labels, "m@1", least_probability=least).label == "positive"
    assert to_sentiment((0.32, 0.33, 0.35), labels, "m@1", least_probability=0.36).label == "neutral"


@pytest.mark.parametrize(
    ("language", "read"),
    [("en", {"en"}), ("[en, ko, xx]", {"en", "ko"}), ("multilingual", set()), ("[en", set()), ("no", set())],
)
def test_languages_of_a_card(language: str, read: set[str], tmp_path: Path) -> None:
    assert read_languages(tmp_path) == set()
    (tmp_path / "README.md").write_text(f"---\nlanguage: {language}\n---\n# A model\n")
    assert read_languages(tmp_path) == read


def test_a_setting_names_several(tmp_path: Path) -> None:
    folder = tmp_path / "my model"
    folder.mkdir()
    hub = f"hf:lxyuan/distil-bert_1.0@{COMMIT}"
    names = read_names(f"{hub}[de,fr]  shipped '{folder}'[en] vader {hub}")
    assert names == (
        Model(Hub("lxyuan/distil-bert_1.0", COMMIT), frozenset({"de", "fr"})),
        "shipped",
        Model(folder, frozenset({"en"})),
        "vader",
        Model(Hub("lxyuan/distil-bert_1.0", COMMIT), None),
    )
    assert hub_models(f"vader {hub}") == [Hub("lxyuan/distil-bert_1.0", COMMIT)]


@pytest.mark.parametrize(
    ("setting", "told"),
    [
        ("", "names no engine: set UNDERTONE_SENTIMENT_MODEL to shipped"),
        ("nonsense", r"'nonsense'.*set UNDERTONE_SENTIMENT_MODEL to shipped"),
        ("vader[en]", r"'vader\[en\]'.*UNDERTONE_SENTIMENT_MODEL"),
        ("/no/such/folder", "no folder is at that path"),
        ("hf:owner/name", r"UNDERTONE_SENTIMENT_MODEL.*hf:owner/name@commit.*cannot be compared"),
        ("hf:owner/name@main", "a branch such as main moves"),
        (f"hf:name@{COMMIT}", "written hf:owner/name@commit"),
        (f"hf:../name/x@{COMMIT}", "written hf:owner/name@commit"),
        (f"hf:owner/name@{COMMIT}[en,klingon]", "'klingon', which no transcript can be in"),
        (f"hf:owner/name@{COMMIT}[]", "which no transcript can be in"),
        ("'open", "cannot be read"),
    ],
)
def test_a_wrong_name_says_how_to_write_it(setting: str, told: str) -> None:
    with pytest.raises(FatalError, match=told) as error:
        make_router(setting, Path())
    assert "UNDERTONE_SENTIMENT_MODEL" in str(error.value)


def test_the_default_is_an_engine() -> None:
    assert "en" in make_router(Settings().sentiment_model, Path()).languages
