"""What speakers say in a load test: clips joined with pauses, with what was said and where speech ends."""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

import numpy as np

from benchmarks.clips import Clip
from undertone.audio import SAMPLE_RATE, to_samples

PAUSE_MS = (800, 1500)


@dataclass(frozen=True, slots=True)
class Placed:
    """A clip, and the sample of the material at which it begins."""

    clip: Clip
    start: int


@dataclass(frozen=True, slots=True)
class Material:
    """One speaker's audio (s16le) and everything that is said in it, clip by clip."""

    pcm: bytes
    reference: str
    clips: tuple[Placed, ...]


def join_clips(clips: Sequence[Clip], seconds: float, random: Random) -> Material:
    """Clips in random order with pauses of 0.8 to 1.5 s of faint noise between, for ``seconds`` or a little more.

    Faint noise and not digital silence: a room is never that quiet, and voice activity should not have it easier.
    """
    pieces: list[np.ndarray[tuple[int], np.dtype[np.float32]]] = []
    placed: list[Placed] = []
    length = 0
    order: list[Clip] = []
    while length < seconds * SAMPLE_RATE:
        order = order or random.sample(list(clips), len(clips))
        clip = order.pop()
        pause = to_samples(random.randint(*PAUSE_MS))
        noise = np.random.default_rng(random.getrandbits(32)).normal(0, 3e-4, pause).astype(np.float32)
        pieces += [np.asarray(clip.samples, np.float32), noise]
        placed.append(Placed(clip, length))
        length += len(clip.samples) + pause
    return Material(
        pcm=to_pcm(np.concatenate(pieces)),
        reference=" ".join(str(one.clip.reference) for one in placed),
        clips=tuple(placed),
    )


def to_pcm(samples: np.ndarray[tuple[int], np.dtype[np.float32]]) -> bytes:
    """Samples in [-1, 1] as s16le."""
    return (samples * 32768).round().clip(-32768, 32767).astype("<i2").tobytes()
