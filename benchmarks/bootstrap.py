"""How sure a difference of two rates is: the paired bootstrap. Pure.

Items (clips, texts) are drawn with replacement, each with what both sides made of it: Bisani and Ney, "Bootstrap
estimates for confidence intervals in ASR performance evaluation" (ICASSP 2004).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

RESAMPLES = 10_000
SEED = 20260101


@dataclass(frozen=True, slots=True)
class Difference:
    """One rate less the other, in points of percent, and the interval that holds it with 95 %."""

    points: float
    low: float
    high: float


def difference_of_rates(
    more: Sequence[int],
    sizes: Sequence[int],
    times: Sequence[int] | None = None,
    resamples: int = RESAMPLES,
    seed: int = SEED,
) -> Difference:
    """How a rate (events per size) differs between two sides that were given the same items.

    For each item: how many events one side has ``more`` than the other, and its size. Items that are alike may be given
    once, with how many ``times`` they occur. Equal arguments give equal results. Raises ``ValueError`` where all sizes
    together are 0.
    """
    excess, size = np.array(more, np.int64), np.array(sizes, np.int64)
    counts = np.ones(len(size), np.int64) if times is None else np.array(times, np.int64)
    if counts @ size == 0:
        raise ValueError("two sides are compared on something, and not on nothing")
    drawn = np.random.default_rng(seed).multinomial(counts.sum(), counts / counts.sum(), size=resamples)
    drawn = drawn[drawn @ size > 0]
    low, high = np.percentile(100 * (drawn @ excess) / (drawn @ size), [2.5, 97.5])
    points = 100 * (counts @ excess) / (counts @ size)
    return Difference(round(float(points), 2), round(float(low), 2), round(float(high), 2))
