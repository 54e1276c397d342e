"""Places frames by their time stamps: how much silence lies before each. Pure.

A container may have no packets for a while (a muted microphone, a lost network) or a sound that begins later than the
picture; its stamps say so. They are followed as ``ffmpeg -af aresample=async=1:first_pts=0`` follows them, but sound is
never dropped: stamps that lag behind the samples a little are a clock that drifts, and stamps that go back are another
recording joined to the first.
"""

from dataclasses import dataclass
from fractions import Fraction

# Clocks of recorders and of sound cards differ; less than this is no hole.
LEAST_HOLE_S = Fraction(1, 10)
LEAST_RETURN_S = 1


@dataclass(slots=True)
class Timeline:
    """Follows the stamps of one stream. ``at`` is where the samples have come to, in seconds from its beginning."""

    at: Fraction = Fraction(0)
    _shift: Fraction = Fraction(0)
    _begun: bool = False

    def place(self, stamp: Fraction | None, duration: Fraction) -> Fraction | None:
        """Take a frame; returns the time at which it is placed where silence lies before it, else None."""
        hole = None
        if stamp is not None:
            late = stamp + self._shift - self.at
            if late < -LEAST_RETURN_S:
                self._shift -= late
            elif late > (LEAST_HOLE_S if self._begun else 0):
                self.at += late
                hole = self.at
        self._begun = True
        self.at += duration
        return hole
