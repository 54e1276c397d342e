"""Which runs of characters stand in a text, as numbers of rows in a table of weights. Pure.

A word's beginning and end count as characters. Numbers are CRC-32 modulo the rows of the table: two runs may share
one (Weinberger et al., "Feature Hashing for Large Scale Multitask Learning", 2009).
"""

import re
import unicodedata
import zlib
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray


def rows_of(text: str, longest: int, rows: int) -> NDArray[np.int64]:
    """The rows of all runs of 1 to ``longest`` characters within words, each once, in ascending order.

    The text is taken in one case, in the composed form of Unicode, and with no letter more than twice in a row.
    """
    plain = re.sub(r"(.)\1{2,}", r"\1\1", unicodedata.normalize("NFKC", text).lower())
    found: set[int] = set()
    for word in plain.split():
        found.update(_rows_of_word(word, longest, rows))
    return np.array(sorted(found), np.int64)


def score_of(table: NDArray[Any], text: str, longest: int) -> NDArray[np.float64]:
    """What a table [rows, labels + 1] says of a text, [labels]; its last column is how rare a run is.

    The sum of the weights of the text's runs over the length of the vector of their rarities.
    """
    found = table[rows_of(text, longest, len(table))].astype(np.float64)
    sums: NDArray[np.float64] = found[:, :-1].sum(axis=0) / (np.linalg.norm(found[:, -1]) or 1.0)
    return sums


@lru_cache(maxsize=20_000)
def _rows_of_word(word: str, longest: int, rows: int) -> frozenset[int]:
    bounded = f" {word} "
    runs = {bounded[at : at + size] for size in range(1, longest + 1) for at in range(len(bounded) - size + 1)}
    return frozenset(zlib.crc32(run.encode()) % rows for run in runs - {" "})
