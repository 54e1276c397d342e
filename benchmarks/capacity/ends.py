"""The instants at which a speaker stops: the same for every system, known from the clips and not from any of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from benchmarks.materials import Material
from models.speech.engines import Samples
from models.speech.segmenter import SegmentRules
from models.speech.voice_activity import FRAME_SAMPLES, load_voice_activity

RULES = SegmentRules()
STOPPED = RULES.endpoint
"""Who has been silent for so long has stopped speaking; a shorter pause is one within what is said."""


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
    """From the first frame that is an onset to the end of the last that sustains speech."""
    hear = load_voice_activity().listen()
    whole = len(samples) // FRAME_SAMPLES * FRAME_SAMPLES
    frames = np.asarray(samples[:whole], np.float32).reshape(-1, FRAME_SAMPLES)
    voices = [hear(frame) for frame in frames]
    onsets = [number for number, voice in enumerate(voices) if voice >= RULES.onset]
    if not onsets:
        return None
    last = max(number for number, voice in enumerate(voices) if voice >= RULES.sustain)
    return Span(onsets[0] * FRAME_SAMPLES, (last + 1) * FRAME_SAMPLES)
