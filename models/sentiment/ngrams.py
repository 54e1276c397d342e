"""Which runs of characters stand in a text, as numbers of rows in a table of weights. Pure.

A word's beginning and end count as characters. Numbers are CRC-32 modulo the rows of the table: two runs may share
one (Weinberger et al., "Feature Hashing for Large Scale Multitask Learning", 2009).
"""

import re
import unicodedata
import zlib
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Runs:
    """Which runs count: of 1 to ``longest`` characters, over the space between words or within words alone."""

    longest: int
    over_words: bool


def rows_of(text: str, runs: Runs, rows: int) -> NDArray[np.int64]:
    """The rows of all runs, each once, in ascending order.

    The text is taken in one case, in the composed form of Unicode, with one space for all white space, before the first
    word and behind the last, and with no letter more than twice in a row.
    """
    words = re.sub(r"(.)\1{2,}", r"\1\1", unicodedata.normalize("NFKC", text).lower()).split()
    spaced = [f" {part} " for part in ([" ".join(words)] if runs.over_words else words)]
    sizes = range(1, runs.longest + 1)
    found = {part[at : at + size] for part in spaced for size in sizes for at in range(len(part) - size + 1)}
    return np.unique(np.array([zlib.crc32(run.encode()) % rows for run in found if not run.isspace()], np.int64))


def score_of(table: NDArray[Any], text: str, runs: Runs) -> NDArray[np.float64]:
    """What a table [rows, labels + 1] says of a text, [labels]; its last column is how rare a run is.

    The sum of the weights of the text's runs over the length of the vector of their rarities.
    """
    found = table[rows_of(text, runs, len(table))].astype(np.float64)
    sums: NDArray[np.float64] = found[:, :-1].sum(axis=0) / (np.linalg.norm(found[:, -1]) or 1.0)
    return sums
