"""Finds digital silence that nothing depends on, so that hours of it need not be sent: pure, a function of the samples.

Samples are looked at in cells of ``SILENCE_GRID`` samples, counted from the beginning. Of a run of cells that hold
zeros alone, the first two and the last are kept and the others are a ``Silence``. In what is kept before it the
transcriber has ended its utterance and marked the silence on the grid; in what is kept after it, it would have marked
it on the grid again. So it starts anew at the same sample as if it had heard the zeros, and finds the same utterances
(``models/speech/segmenter.py``; tests/unit/test_recording_silence.py). Very quiet sound is not skipped: voice activity
takes the mean off and could find something in it.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

from undertone.audio import BYTES_PER_SAMPLE, SILENCE_GRID

LEADING_CELLS = 2


@dataclass(frozen=True, slots=True)
class Silence:
    """So many samples without sound."""

    samples: int


Part: TypeAlias = bytes | Silence
"""What a recording is made of, in order: PCM, never empty, and silence that is not sent as PCM."""


def skip_silence(pieces: Iterable[bytes], grid: int = SILENCE_GRID) -> Iterator[Part]:
    """The same samples, with long runs of zeros as ``Silence``; PCM comes one cell at a time."""
    zeros = bytes(grid * BYTES_PER_SAMPLE)
    leading, skipped, held = 0, 0, False
    for cell in blocks_of(pieces, grid):
        if cell != zeros:
            if skipped:
                yield Silence(skipped * grid)
            if held:
                yield zeros
            leading, skipped, held = 0, 0, False
            yield cell
        elif leading < LEADING_CELLS:
            leading += 1
            yield cell
        else:
            skipped += held
            held = True
    if skipped:
        yield Silence(skipped * grid)
    if held:
        yield zeros


def blocks_of(pieces: Iterable[bytes], block_samples: int) -> Iterator[bytes]:
    """The same PCM in blocks of ``block_samples``; the last one may be shorter."""
    size = block_samples * BYTES_PER_SAMPLE
    waiting = bytearray()
    for piece in pieces:
        waiting += piece
        whole = len(waiting) - len(waiting) % size
        for start in range(0, whole, size):
            yield bytes(waiting[start : start + size])
        del waiting[:whole]
    if waiting:
        yield bytes(waiting)


def in_blocks(parts: Iterable[Part], block_samples: int) -> Iterator[Part]:
    """The same parts, PCM in blocks of ``block_samples``; the last one before a ``Silence`` or the end is shorter."""
    pending: list[bytes] = []
    for part in parts:
        if isinstance(part, Silence):
            yield from blocks_of(pending, block_samples)
            pending = []
            yield part
            continue
        joined = b"".join([*pending, part])
        whole = len(joined) - len(joined) % (block_samples * BYTES_PER_SAMPLE)
        yield from blocks_of([joined[:whole]], block_samples)
        pending = [joined[whole:]]
    yield from blocks_of(pending, block_samples)
