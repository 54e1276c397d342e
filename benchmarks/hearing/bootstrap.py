"""How sure a difference of two error rates is: the paired bootstrap over clips. Pure.

Bisani and Ney, "Bootstrap estimates for confidence intervals in ASR performance evaluation" (ICASSP 2004).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.hearing.scores import Edits

RESAMPLES = 10_000
SEED = 20260101


@dataclass(frozen=True, slots=True)
class Difference:
    """Error rate less that of the other, in points of percent, and the interval that holds it with 95 %."""

    points: float
    low: float
    high: float


def difference(
    ours: Sequence[Edits], theirs: Sequence[Edits], resamples: int = RESAMPLES, seed: int = SEED
) -> Difference:
    """The difference of the error rates of two engines on the same clips, in the same order.

    Clips are drawn with replacement, each with both engines' errors. Equal arguments give equal results. Raises
    ``ValueError`` where the references differ or there are none.
    """
    lengths = np.array([one.length for one in ours], np.int64)
    if lengths.sum() == 0 or lengths.tolist() != [one.length for one in theirs]:
        raise ValueError("two engines are compared on the same references, and on one at least")
    more = np.array([one.errors - other.errors for one, other in zip(ours, theirs, strict=True)], np.int64)
    clips = len(lengths)
    drawn = np.random.default_rng(seed).multinomial(clips, np.full(clips, 1 / clips), size=resamples)
    drawn = drawn[drawn @ lengths > 0]
    low, high = np.percentile(100 * (drawn @ more) / (drawn @ lengths), [2.5, 97.5])
    points = 100 * more.sum() / lengths.sum()
    return Difference(round(float(points), 2), round(float(low), 2), round(float(high), 2))
