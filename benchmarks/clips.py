"""Recordings with references, as manifests list them."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from faster_whisper import decode_audio

from models.speech.engines import WINDOW_S, Samples
from undertone.audio import SAMPLE_RATE


@dataclass(frozen=True, slots=True)
class Clip:
    """One recording and what is said in it (None where that is not known)."""

    group: str
    samples: Samples
    language: str | None
    reference: str | None
    is_speech: bool
    name: str = ""


@dataclass(frozen=True, slots=True)
class Heard:
    """What an engine made of a clip: ``counted`` is without what the gates suppressed.

    ``retried`` and ``suppressed`` count utterances.
    """

    text: str
    counted: str
    utterances: int = 1
    retried: int = 0
    suppressed: int = 0


def read_clips(manifests: Iterable[Path], groups: Sequence[str], longest_s: float = WINDOW_S) -> list[Clip]:
    """The clips of all manifests of at most ``longest_s``, of the named sets only, if any are named.

    Longer ones without speech come in pieces of that length; longer ones with speech are left out.
    """
    clips = []
    for manifest in manifests:
        for item in json.loads(manifest.read_bytes()):
            if groups and item["set"] not in groups:
                continue
            samples = decode_audio(str(manifest.parent / item["path"]), SAMPLE_RATE).astype(np.float32)
            is_speech = item["kind"] != "nonspeech"
            step = int(min(longest_s * SAMPLE_RATE, len(samples))) or 1
            if is_speech and step < len(samples):
                continue
            clips += [
                Clip(
                    item["set"],
                    samples[start : start + step],
                    item["lang"] or None,
                    item["reference"] or None,
                    is_speech,
                    item["id"],
                )
                for start in range(0, len(samples), step)
            ]
    return clips


def to_pcm(samples: Samples) -> bytes:
    """Samples as a recorder sends them: s16le."""
    return (samples * 32768).round().clip(-32768, 32767).astype("<i2").tobytes()
