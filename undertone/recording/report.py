"""What a decode found out about a file, besides its samples: its level, and what whoever sent it should know. Pure."""

import math
from dataclasses import dataclass

FULL_SCALE = 32_768


@dataclass(frozen=True, slots=True)
class Note:
    """Something about a file that was taken. ``code`` is a stable slug, documented in docs/http.md."""

    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Report:
    """The end of a decode: the length in samples at 16 kHz, the largest absolute sample, and the notes."""

    samples: int
    peak: int = 0
    notes: tuple[Note, ...] = ()

    @property
    def peak_dbfs(self) -> float | None:
        """The peak in decibels below full scale, to a tenth; None for digital silence."""
        return round(20 * math.log10(self.peak / FULL_SCALE), 1) if self.peak else None

    @property
    def level(self) -> str:
        """The peak for people: ``peak -12.3 dBFS``."""
        return "peak -inf dBFS" if self.peak_dbfs is None else f"peak {self.peak_dbfs:.1f} dBFS"
