"""Labelled sentences: read from files, kept apart from what is judged, and split."""

import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from models.training.labelled import label_of, read_labelled
from undertone.events import Label

LABELS: tuple[Label, ...] = ("negative", "neutral", "positive")
"""In the order of the models' outputs."""

HELD_OUT = 20
"""One sentence in so many is never trained on: it sets the temperature and the threshold."""


@dataclass(frozen=True, slots=True)
class Example:
    """A sentence. ``target`` has a probability for each of ``LABELS``; ``source`` is the file it stands in."""

    text: str
    target: tuple[float, float, float]
    source: str

    @property
    def label(self) -> int:
        """The number of the likeliest label."""
        return max(range(len(LABELS)), key=lambda number: self.target[number])


def read_rows(file: Path) -> list[tuple[Label, str, str]]:
    """Label, text and the source's own mark (column ``orig``) of each row. Raises ``FatalError`` as the reader does."""
    return [(label_of(row), row["text"], row["orig"]) for row in read_labelled(file, ("text", "orig"))]


def leave_out(examples: Iterable[Example], judged: Iterable[str]) -> list[Example]:
    """The examples whose text is not among those that models are judged on, whatever its case and punctuation."""
    known = {_essence(text) for text in judged}
    return [example for example in examples if _essence(example.text) not in known]


def split(examples: Sequence[Example]) -> tuple[list[Example], list[Example]]:
    """Those to train on and those held out, by a hash of their letters: the same for everyone, twins together."""
    parts: tuple[list[Example], list[Example]] = ([], [])
    for example in examples:
        digest = hashlib.sha256(_essence(example.text).encode()).digest()
        parts[int.from_bytes(digest) % HELD_OUT == 0].append(example)
    return parts


def _essence(text: str) -> str:
    return re.sub(r"\W+", "", text.lower())
