"""Voices for tests of what is cut: no network, the same answers for the same loudness."""

import numpy as np
from numpy.typing import NDArray


class LoudnessVoice:
    """Speech is what is loud. Like the real network it remembers: its answer leans on the frames before."""

    def __init__(self) -> None:
        self._before = 0.0

    def __call__(self, frames: NDArray[np.float32]) -> list[float]:
        return [self._hear(float(np.abs(frame).mean())) for frame in frames]

    def _hear(self, level: float) -> float:
        self._before = 0.7 * float(level > 0.1) + 0.3 * self._before
        return self._before


class TiringVoice(LoudnessVoice):
    """What was loud for long must be louder still to count: its answer leans on all that it has heard."""

    def __init__(self) -> None:
        super().__init__()
        self._tired = 0.0

    def _hear(self, level: float) -> float:
        self._tired += 0.01 * (level - self._tired)
        return super()._hear(level - 0.7 * self._tired)
