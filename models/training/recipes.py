"""The two recipes: which base, which examples, in which forms, and how long. ``prepare`` is all that differs."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

from models.sentiment.ngrams import Runs
from models.training.bases import Base, read_bge, read_e5
from models.training.everyday_korean import make_korean
from models.training.examples import LABELS, Example, leave_out, read_rows, split
from models.training.fitting import Fit, Vary
from models.training.gather import EMOTIONS_FILE, LABEL_OF, RATINGS_FILE
from models.training.ngram_table import Form
from models.training.spoken import KOREAN_FILLERS, bare, mishear, sound_alikes, write_out, write_out_korean
from models.training.teaching import Pupil
from models.weights.fetch import fetch
from undertone.events import Label

CONVERSATION = "goemotions3_train.tsv"
"""The file that is most like speech: how often people say something neutral is learnt from it, not from reviews."""

ENGLISH_FILES = (
    CONVERSATION,
    "vadergt_tweets_train.tsv",
    "vadergt_amazonReviewSnippets_train.tsv",
    "vadergt_movie_train_nosst.tsv",
    "vadergt_nytEditorialSnippets_train.tsv",
)
ENGLISH_JUDGED = ("goemotions3_dev.tsv", "uci_sentences.tsv")
KOREAN_FILE = "nsmc3_train_large.tsv.gz"
KOREAN_MORE = RATINGS_FILE
KOREAN_JUDGED = "nsmc3_test.tsv"
KOREAN_LAYERS = 6
KOREAN_HALF = 46_000
"""Of each label in each of the later lessons: twice as many is what the neutral comments suffice for."""

EVERYDAY_BESIDE = 5000
"""Sentences of everyday speech in each of the later lessons."""

WEAK_VALENCE = 1.0
"""VADER's raters gave -4 to 4; a sentence nearer to 0 than this is neutral to one rater in five."""

RATINGS: dict[int, tuple[float, float, float]] = {
    1: (0.95, 0.04, 0.01),
    2: (0.95, 0.04, 0.01),
    3: (0.90, 0.09, 0.01),
    4: (0.80, 0.19, 0.01),
    5: (0.20, 0.75, 0.05),
    6: (0.12, 0.80, 0.08),
    7: (0.06, 0.82, 0.12),
    8: (0.03, 0.77, 0.20),
    9: (0.01, 0.19, 0.80),
    10: (0.01, 0.06, 0.93),
}
"""How negative, neutral and positive the words under a rating of a film are: people near a bound could have chosen
the other side."""


@dataclass(frozen=True, slots=True)
class Lesson:
    """What the network is shown, and how."""

    examples: Sequence[Example]
    fit: Fit


@dataclass(frozen=True, slots=True)
class Recipe:
    """All that training needs. ``forms`` are those in which the held-out texts set temperature and threshold.

    ``lessons`` follow each other, each from the weights that the last one left: a warm restart (Loshchilov and Hutter,
    "SGDR", 2017). Then a ``pupil`` takes the place of the network, taught on the first lesson's examples. ``table`` is
    the linear model over runs of characters beside it, fitted to ``examples``.
    """

    name: str
    language: str
    licence: str
    base: Base
    examples: Sequence[Example]
    lessons: Sequence[Lesson]
    held_out: Sequence[Example]
    vary: Vary
    forms: Sequence[Vary]
    table: Form
    pupil: Pupil | None = None
    most_tokens: int = 96


Prepare = Callable[[Path, Path, Random], Recipe]


def prepare_english(data: Path, cache: Path, random: Random) -> Recipe:
    """bge-small-en-v1.5, and half of its layers, on GoEmotions and VADER's ground truth.

    Raises ``FatalError`` where data are missing.
    """
    del random
    read = [example for file in ENGLISH_FILES for example in _read_english(data / file)]
    judged = [text for file in ENGLISH_JUDGED for _, text, _ in read_rows(data / file)]
    training, held_out = split(leave_out(read, judged))
    more, _ = split(leave_out(_read_groups(data / EMOTIONS_FILE), judged))
    alike = sound_alikes(example.text for example in training)

    def vary(text: str, random: Random) -> str:
        if random.random() > 0.5:
            return text
        text = write_out(text, random)
        if random.random() < 0.5:
            text = mishear(text, random, alike)
        return bare(text) if random.random() < 0.2 else text

    return Recipe(
        name="undertone-en",
        language="en",
        licence="Apache-2.0; from bge-small-en-v1.5 (MIT), on GoEmotions (CC BY 4.0) and VADER's data (MIT)",
        base=read_bge(fetch("bge-small-en-v1.5", cache)),
        examples=training,
        lessons=[Lesson([*training, *more], Fit(epochs=2, rate=8e-5, batch=48, smoothing=0.05))],
        held_out=[example for example in held_out if example.source == CONVERSATION],
        vary=vary,
        forms=(_as_it_is, write_out),
        table=Form(Runs(5, over_words=False), rows=1 << 19, penalty=3e-6),
        # All twelve layers are three points better on reviews, and take twice the time.
        pupil=Pupil(layers=(1, 3, 5, 7, 9, 11), fit=Fit(epochs=3, rate=8e-5, batch=48, smoothing=0.02), share=0.6),
    )


def prepare_korean(data: Path, cache: Path, random: Random) -> Recipe:
    """multilingual-e5-small on comments of films, with everyday speech among them."""
    rated = [_rate(text, mark) for _, text, mark in read_rows(data / KOREAN_FILE)]
    judged = [text for _, text, _ in read_rows(data / KOREAN_JUDGED)]
    training, held_out = split(leave_out(rated, judged))
    texts = [example.text for example in training]
    everyday = [Example(text, _certain(label), "everyday") for label, text in make_korean(random, 3000)]
    balanced = random.sample(training + everyday, len(training) + len(everyday))
    known = [*judged, *(example.text for example in held_out)]
    more = leave_out([_rate(text, mark) for _, text, mark in read_rows(data / KOREAN_MORE)], known)
    halves = _halve(_balance(more, training, 2 * KOREAN_HALF, random), everyday, random)

    def vary(text: str, random: Random) -> str:
        if random.random() > 0.2:
            return text
        text = write_out_korean(text, random) or text
        if random.random() < 0.2:
            text = mishear(text, random, {}, KOREAN_FILLERS)
        return bare(text) or text if random.random() < 0.2 else text

    return Recipe(
        name="undertone-ko",
        language="ko",
        licence="Apache-2.0; from multilingual-e5-small (MIT) on NSMC's raw ratings (CC0)",
        base=read_e5(fetch("multilingual-e5-small-q4", cache), texts, KOREAN_LAYERS),
        examples=balanced,
        lessons=[
            Lesson(examples, Fit(epochs=1, rate=rate, batch=64, smoothing=0.0))
            for examples, rate in zip((balanced, balanced, *halves), (1e-4, 7e-5, 5e-5, 5e-5), strict=True)
        ],
        held_out=held_out,
        vary=vary,
        forms=(_as_it_is, write_out_korean),
        # People put spaces where they like, so runs go over them; English gained nothing from that.
        table=Form(Runs(5, over_words=True), rows=1 << 20, penalty=8e-7),
    )


RECIPES: dict[str, Prepare] = {"english": prepare_english, "korean": prepare_korean}


def _read_english(file: Path) -> list[Example]:
    is_rated = file.name.startswith("vadergt")
    return [
        Example(text, _valence_target(label, float(mark)) if is_rated else _certain(label), file.name)
        for label, text, mark in read_rows(file)
    ]


def _read_groups(file: Path) -> list[Example]:
    """Comments with emotions of several groups: each group that is among them counts alike."""
    examples = []
    for _, text, mark in read_rows(file):
        labels = {LABEL_OF[emotion] for emotion in mark.partition("|")[0].split(",") if emotion in LABEL_OF}
        negative, neutral, positive = ((label in labels) / len(labels) for label in LABELS)
        examples.append(Example(text, (negative, neutral, positive), file.name))
    return examples


def _valence_target(label: Label, valence: float) -> tuple[float, float, float]:
    if label == "neutral" or abs(valence) >= WEAK_VALENCE:
        return _certain(label)
    return (0.8, 0.2, 0.0) if label == "negative" else (0.0, 0.2, 0.8)


def _rate(text: str, mark: str) -> Example:
    return Example(text, RATINGS[int(mark.partition("|")[0])], KOREAN_FILE)


def _balance(more: Sequence[Example], known: Sequence[Example], each: int, random: Random) -> list[Example]:
    """So many of each label, in any order: of ``more`` as far as it goes, the rest of ``known``."""
    chosen: list[Example] = []
    for label in range(len(LABELS)):
        new = [example for example in more if example.label == label]
        new = random.sample(new, min(each, len(new)))
        old = [example for example in known if example.label == label]
        chosen += new + random.sample(old, min(each - len(new), len(old)))
    return random.sample(chosen, len(chosen))


def _halve(examples: Sequence[Example], beside: Sequence[Example], random: Random) -> list[list[Example]]:
    """Two parts of the examples, with some of the others beside each, in any order."""
    half = len(examples) // 2
    parts = [[*part, *random.sample(beside, EVERYDAY_BESIDE)] for part in (examples[:half], examples[half:])]
    return [random.sample(part, len(part)) for part in parts]


def _certain(label: Label) -> tuple[float, float, float]:
    negative, neutral, positive = (float(label == other) for other in LABELS)
    return negative, neutral, positive


def _as_it_is(text: str, random: Random) -> str:
    del random
    return text
