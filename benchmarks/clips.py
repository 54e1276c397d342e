"""Recordings with references, as manifests list them."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from faster_whisper import decode_audio

from models.speech.engines import MAX_SAMPLES, Samples
from undertone.audio import SAMPLE_RATE


@dataclass(frozen=True, slots=True)
class Clip:
    """One recording and what is said in it (None where that is not known)."""

    group: str
    samples: Samples
    language: str | None
    reference: str | None
    is_speech: bool


@dataclass(frozen=True, slots=True)
class Heard:
    """What an engine made of a clip: ``counted`` is empty where the gates suppressed the text."""

    text: str
    counted: str
    attempts: int


def read_clips(manifests: Iterable[Path], groups: Sequence[str]) -> list[Clip]:
    """The clips of all manifests of at most 30 s, of the named sets only, if any are named."""
    clips = []
    for manifest in manifests:
        for item in json.loads(manifest.read_bytes()):
            if groups and item["set"] not in groups:
                continue
            samples = decode_audio(str(manifest.parent / item["path"]), SAMPLE_RATE).astype(np.float32)
            if len(samples) <= MAX_SAMPLES:
                is_speech = item["kind"] != "nonspeech"
                clips.append(Clip(item["set"], samples, item["lang"] or None, item["reference"], is_speech))
            elif item["kind"] == "nonspeech":
                clips += [
                    Clip(item["set"], samples[start : start + MAX_SAMPLES], None, None, False)
                    for start in range(0, len(samples), MAX_SAMPLES)
                ]
    return clips
