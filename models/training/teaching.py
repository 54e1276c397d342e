"""A smaller network that begins with some layers of a larger one and learns from what that one says of the examples.

Sanh et al., "DistilBERT, a distilled version of BERT", 2019, after Hinton, Vinyals and Dean, "Distilling the Knowledge
in a Neural Network", 2015. Where raters disagree, or one was careless, what a good network says of a text is a better
target than the label; and it says how near the other labels are.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from tokenizers import Tokenizer

from models.sentiment.calibration import softmax
from models.training.bases import Base
from models.training.examples import Example
from models.training.fitting import Fit, predict
from models.training.network import Classifier


@dataclass(frozen=True, slots=True)
class Pupil:
    """Which layers of its teacher it begins with, how it is fitted, and how much the teacher counts beside labels."""

    layers: Sequence[int]
    fit: Fit
    share: float


def begin(teacher: Classifier, base: Base, layers: Sequence[int], dropout: float) -> Classifier:
    """A network of these layers of the teacher, in this order; all else as in the teacher, which began as ``base``."""
    pupil = Classifier(replace(base, layers=len(layers)), dropout)
    known = teacher.state_dict()

    def original(name: str) -> str:
        return re.sub(r"(?<=\.layer\.)\d+", lambda number: str(layers[int(number[0])]), name)

    pupil.load_state_dict({name: known[original(name)] for name in pupil.state_dict()})
    return pupil


def teach(teacher: Classifier, tokenizer: Tokenizer, examples: Sequence[Example], share: float) -> list[Example]:
    """The examples, each with a target that is by ``share`` what the teacher says of its text, the rest its own."""
    chances = softmax(predict(teacher, tokenizer, [example.text for example in examples]))
    targets = (1 - share) * np.array([example.target for example in examples]) + share * chances
    return [
        replace(example, target=(float(negative), float(neutral), float(positive)))
        for example, (negative, neutral, positive) in zip(examples, targets, strict=True)
    ]
