"""Which runs of characters stand in a text, as numbers of rows in a table of weights. Pure.

A word's beginning and end count as characters. Numbers are CRC-32 modulo the rows of the table: two runs may share
one (Weinberger et al., "Feature Hashing for Large Scale Multitask Learning", 2009).
"""

import re
import unicodedata
import zlib
from functools import lru_cache

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


@lru_cache(maxsize=20_000)
def _rows_of_word(word: str, longest: int, rows: int) -> frozenset[int]:
    bounded = f" {word} "
    runs = {bounded[at : at + size] for size in range(1, longest + 1) for at in range(len(bounded) - size + 1)}
    return frozenset(zlib.crc32(run.encode()) % rows for run in runs - {" "})
