"""Straight lines through samples: how fast something grows, and how sure that is. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

HOUR_S = 3600.0
_Z = NormalDist().inv_cdf(0.975)


@dataclass(frozen=True, slots=True)
class Slope:
    """Growth in an hour; the true one lies between ``low`` and ``high`` in 95 of 100 such runs."""

    first: float
    last: float
    per_hour: float
    low: float
    high: float

    def exceeds(self, bound: float) -> bool:
        """Whether it surely grows faster than ``bound`` in an hour."""
        return self.low > bound


def fit(at_s: Sequence[float], values: Sequence[float]) -> Slope:
    """The least-squares line; ``first`` and ``last`` are on it. At least four samples."""
    if len(values) < 4:
        raise ValueError(f"a slope with an interval needs four samples, not {len(values)}: run for longer")
    hours, found = np.asarray(at_s) / HOUR_S, np.asarray(values, dtype=float)
    centred = hours - hours.mean()
    spread = float(centred @ centred)
    per_hour = float(centred @ found) / spread
    line = found.mean() + per_hour * centred
    freedom = len(found) - 2
    error = float(np.sqrt(float((found - line) @ (found - line)) / freedom / spread))
    margin = _student(freedom) * error
    return Slope(float(line[0]), float(line[-1]), per_hour, per_hour - margin, per_hour + margin)


def _student(freedom: int) -> float:
    """Student's t, two-sided 95 %, by the expansion of Fisher and Cornish: within 2 % from three degrees on."""
    z, n = _Z, freedom
    return float(
        z
        + (z**3 + z) / (4 * n)
        + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * n**2)
        + (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / (384 * n**3)
    )
