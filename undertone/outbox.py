"""What a recorder keeps: every sample since the last acknowledged one, in pieces, and the gaps between. Pure."""

from collections import deque
from dataclasses import dataclass

from undertone.audio import BYTES_PER_SAMPLE


@dataclass(frozen=True, slots=True)
class Piece:
    """Samples from ``at`` to ``end``; ``pcm`` None is a gap."""

    at: int
    end: int
    pcm: bytes | None


class Outbox:
    """Pieces in order, dropped once acknowledged. Samples are numbered as they come in."""

    def __init__(self, max_samples: int) -> None:
        self.end = 0
        self.acknowledged = 0
        self._pieces: deque[Piece] = deque()
        self._kept = 0
        self._max_samples = max_samples

    @property
    def is_full(self) -> bool:
        """Whether as much is kept as may be; gaps take no room."""
        return self._kept >= self._max_samples

    @property
    def is_empty(self) -> bool:
        """Whether everything is acknowledged."""
        return not self._pieces

    def add(self, pcm: bytes) -> None:
        """Keep the next samples."""
        if pcm:
            self._append(Piece(self.end, self.end + len(pcm) // BYTES_PER_SAMPLE, pcm))

    def add_gap(self, samples: int) -> None:
        """Note that the next ``samples`` have no audio; a gap after a gap makes it longer."""
        if samples <= 0:
            return
        at = self.end
        if self._pieces and self._pieces[-1].pcm is None:
            at = self._pieces.pop().at
        self._append(Piece(at, self.end + samples, None))

    def acknowledge(self, sample: int) -> None:
        """Drop what lies below ``sample``. Acknowledgements of what was not sent, or again, change nothing."""
        if not self.acknowledged < sample <= self.end:
            return
        self.acknowledged = sample
        while self._pieces and self._pieces[0].end <= sample:
            self._kept -= _room(self._pieces.popleft())

    def shorten(self, gap: Piece, end: int) -> None:
        """Let a gap of this outbox end sooner, or go; what comes behind it is numbered anew."""
        cut = gap.end - max(gap.at, end)
        index = self._pieces.index(gap)
        behind = [Piece(piece.at - cut, piece.end - cut, piece.pcm) for piece in list(self._pieces)[index + 1 :]]
        while self._pieces[-1] is not gap:
            self._pieces.pop()
        self._pieces.pop()
        if gap.end - cut > gap.at:
            self._pieces.append(Piece(gap.at, gap.end - cut, None))
        self._pieces.extend(behind)
        self.end -= cut

    def after(self, sample: int) -> Piece | None:
        """The first piece that holds anything at or after ``sample``."""
        return next((piece for piece in self._pieces if piece.end > sample), None)

    def _append(self, piece: Piece) -> None:
        self._pieces.append(piece)
        self._kept += _room(piece)
        self.end = piece.end


def _room(piece: Piece) -> int:
    return 0 if piece.pcm is None else piece.end - piece.at
