"""The instants at which a speaker stops: the same for every system, known from the clips and not from any of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from benchmarks.materials import Material
from models.speech.engines import Samples
from models.speech.segmenter import SegmentRules
from models.speech.voice_activity import FRAME_SAMPLES, load_voice_activity
from undertone.audio import to_samples

RULES = SegmentRules()
STOPPED = to_samples(1200)
"""Who is silent for so long has stopped speaking; after less, an utterance may go on.

Undertone decides after a second, and voice activity is not exact to the frame: so a little more than that.
"""


@dataclass(frozen=True, slots=True)
class Span:
    """Where somebody speaks in a material, from the first sample of speech to the last."""

    start: int
    end: int


def find_ends(spans: Sequence[Span | None], stopped: int = STOPPED) -> list[int]:
    """The numbers of the clips after which nobody speaks for ``stopped`` samples.

    ``spans`` has the speech of each clip in order, None where there is none. The last one with speech is left out: its
    end is the end of the recording, which each system is told in its own way.
    """
    speaking = [(number, span) for number, span in enumerate(spans) if span is not None]
    return [number for (number, span), (_, following) in pairwise(speaking) if following.start - span.end >= stopped]


def find_spans(material: Material) -> list[Span | None]:
    """The speech of each clip, found by voice activity on the clip alone, with the thresholds of the segmenter."""
    spans = []
    for placed in material.clips:
        span = find_speech(placed.clip.samples)
        spans.append(span and Span(placed.start + span.start, placed.start + span.end))
    return spans


def find_speech(samples: Samples) -> Span | None:
    """From the first frame that sustains speech to the end of the last; None without an onset between them."""
    hear = load_voice_activity().listen()
    whole = len(samples) // FRAME_SAMPLES * FRAME_SAMPLES
    frames = np.asarray(samples[:whole], np.float32).reshape(-1, FRAME_SAMPLES)
    voices = hear(frames)
    if max(voices, default=0.0) < RULES.onset:
        return None
    sustained = [number for number, voice in enumerate(voices) if voice >= RULES.sustain]
    return Span(sustained[0] * FRAME_SAMPLES, (sustained[-1] + 1) * FRAME_SAMPLES)
