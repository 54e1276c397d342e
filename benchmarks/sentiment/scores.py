"""The figures of a model on labelled text. Pure.

A text without a judgement (null) counts as wrong, but where it says "of judged".
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from benchmarks.bootstrap import Difference, difference_of_rates
from models.sentiment.calibration import expected_calibration_error
from models.training.labelled import LABELS
from undertone.events import Label, Sentiment

Judgements: TypeAlias = Sequence[Sentiment | None]


@dataclass(frozen=True, slots=True)
class Score:
    """Figures of one model on one set of texts; shares in percent, None where there is nothing to take them of.

    ``macro_f1`` is the mean over the labels that occur in the set. ``two_way`` is of the positive and negative rows
    alone, the choice being between these two labels, by their probabilities or else by the sign of the score; where
    that leans to neither, the text counts half, as it would by lot. ``calibration_error`` is the expected one, 0 to 1,
    of what was judged with probabilities. ``confusion`` counts what each label was taken for, ``null`` included.
    """

    rows: int
    judged: int
    accuracy: float
    accuracy_of_judged: float | None
    macro_f1: float
    two_way: float | None
    calibration_error: float | None
    confusion: dict[str, dict[str, int]]


def score(labels: Sequence[Label], judgements: Judgements) -> Score:
    """The figures of judgements of texts with these labels, in the same order, at least one."""
    pairs = list(zip(labels, judgements, strict=True))
    judged = [(label, judgement) for label, judgement in pairs if judgement is not None]
    right = sum(are_right(labels, judgements))
    sides = [_side(label, judgement) for label, judgement in pairs if label != "neutral"]
    return Score(
        rows=len(pairs),
        judged=len(judged),
        accuracy=_percent(right, len(pairs)) or 0.0,
        accuracy_of_judged=_percent(right, len(judged)),
        macro_f1=macro_f1(labels, judgements),
        two_way=_percent(sum(sides), len(sides)),
        calibration_error=_calibration_error(judged),
        confusion=confusion(labels, judgements),
    )


def are_right(labels: Sequence[Label], judgements: Judgements) -> list[bool]:
    """Whether each judgement has its text's label."""
    return [
        judgement is not None and judgement.label == label for label, judgement in zip(labels, judgements, strict=True)
    ]


def macro_f1(labels: Sequence[Label], judgements: Judgements) -> float:
    """The mean F1 of the labels that occur, in percent."""
    given = Counter(judgement.label for judgement in judgements if judgement is not None)
    there = Counter(labels)
    hits = Counter(label for label, right in zip(labels, are_right(labels, judgements), strict=True) if right)
    return round(100 * sum(2 * hits[label] / (there[label] + given[label]) for label in there) / len(there), 2)


def confusion(labels: Sequence[Label], judgements: Judgements) -> dict[str, dict[str, int]]:
    """How often each label was taken for each, or for nothing."""
    counts: Counter[tuple[str, str]] = Counter(
        (label, "null" if judgement is None else judgement.label)
        for label, judgement in zip(labels, judgements, strict=True)
    )
    return {label: {taken: counts[label, taken] for taken in (*LABELS, "null")} for label in LABELS}


def difference(ours: Sequence[bool], theirs: Sequence[bool]) -> Difference:
    """How two shares of right judgements of the same texts differ, in points, with the interval of the bootstrap."""
    kinds = Counter(int(one) - int(other) for one, other in zip(ours, theirs, strict=True))
    more = sorted(kinds)
    return difference_of_rates(more, [1] * len(more), [kinds[kind] for kind in more])


def _side(label: Label, judgement: Sentiment | None) -> float:
    """1 where a judgement leans to the label, positive or negative, rather than to the other; 0.5 to neither."""
    if judgement is None:
        return 0
    shares = judgement.probabilities
    lean = judgement.score if shares is None else shares.positive - shares.negative
    return 0.5 if lean == 0 else float((lean > 0) == (label == "positive"))


def _calibration_error(judged: Sequence[tuple[Label, Sentiment]]) -> float | None:
    sure = [(label, judgement.probabilities) for label, judgement in judged if judgement.probabilities is not None]
    if not sure:
        return None
    rows = [[getattr(shares, label) for label in LABELS] for _, shares in sure]
    return round(expected_calibration_error(rows, [LABELS.index(label) for label, _ in sure]), 4)


def _percent(part: float, whole: int) -> float | None:
    return round(100 * part / whole, 2) if whole else None
