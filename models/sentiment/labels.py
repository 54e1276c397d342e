"""What a model's own labels mean, by their names, and a judgement from its probabilities. Pure."""

from collections.abc import Mapping, Sequence

from undertone.errors import FatalError
from undertone.events import Label, Probabilities, Sentiment

_NAMES: Mapping[Label, Sequence[str]] = {
    "neutral": ("neutral", "neu", "3 stars"),
    "negative": ("negative", "neg", "very negative", "1 star", "2 stars"),
    "positive": ("positive", "pos", "very positive", "4 stars", "5 stars"),
}
_MEANINGS: Mapping[str, Label] = {name: label for label, names in _NAMES.items() for name in names}

LEAST_OF_TWO = 0.9
"""A caution, no calibration. Of our English model, its neutral left out, on 1,500 comments of GoEmotions' development
set: 71 % get the right one of three labels (63 % of the neutral ones), 61 % without a threshold."""


def read_labels(id2label: Mapping[int, str], model: str) -> tuple[Label, ...]:
    """What each output of a model means, in order. Raises ``FatalError`` that names the labels if one is unknown."""
    names = [id2label[number] for number in sorted(id2label)]
    labels = [_MEANINGS.get(" ".join(name.casefold().replace("_", " ").replace("-", " ").split())) for name in names]
    known = tuple(label for label in labels if label is not None)
    if len(known) < len(names) or not {"negative", "positive"} <= set(known):
        raise FatalError(
            f"the labels of the sentiment model {model} are {', '.join(names)}, which do not say what is positive and "
            "what is negative: name them negative, neutral and positive (or 1 star to 5 stars) under id2label in the "
            "config.json of a copy in a folder of your own, and set UNDERTONE_SENTIMENT_MODEL to that folder, "
            "or to another model"
        )
    return known


def least_without_calibration(labels: Sequence[Label]) -> float:
    """How sure a model of these labels has to be, where nobody has calibrated it.

    One that knows ``neutral`` chooses it by itself. One that has to choose between two sides does so for any sentence.
    """
    return 0.0 if "neutral" in labels else LEAST_OF_TWO


def to_sentiment(
    outputs: Sequence[float], labels: Sequence[Label], model: str, *, least_probability: float
) -> Sentiment:
    """The judgement from a model's probabilities, those of one meaning added up.

    ``score`` is P(positive) - P(negative). The label is the likeliest, or ``neutral`` where it is less likely than
    ``least_probability``.
    """
    sums: dict[Label, float] = {"neutral": 0.0, "negative": 0.0, "positive": 0.0}
    for output, label in zip(outputs, labels, strict=True):
        sums[label] += output
    likeliest = max(sums, key=lambda label: sums[label])
    return Sentiment(
        label=likeliest if sums[likeliest] >= least_probability else "neutral",
        score=round(max(-1.0, min(1.0, sums["positive"] - sums["negative"])), 4),
        probabilities=Probabilities(**{label: round(p, 4) for label, p in sums.items()}),
        model=model,
    )
