"""What the fake microphone hears: clips of real speech with pauses between them, as one WAV."""

import wave
from collections.abc import Sequence
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

_CLIPS = Path(__file__).parent / "speech"
_RATE = 48_000
_PAUSE_S = 2.0

PLEASED = "account of himself"
SAD = "miserable"
TWO_SENTENCES = ("1688-142285-0003", "1688-142285-0008")
CONVERSATION = ("1688-142285-0003", "1688-142285-0004", "1688-142285-0007", "1688-142285-0008")


def write_speech(path: Path, clips: Sequence[str] = TWO_SENTENCES, rate: int = _RATE) -> Path:
    """A pleased sentence first (with the words ``PLEASED``), a sad one last (``SAD``), pauses around."""
    pause = np.zeros(int(_PAUSE_S * rate), np.int16)
    parts = [pause]
    for clip in clips:
        parts += [_decode(_CLIPS / f"{clip}.flac", rate), pause]
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(np.concatenate(parts).tobytes())
    return path


def _decode(clip: Path, rate: int) -> NDArray[np.int16]:
    resampler = av.AudioResampler(format="s16", layout="mono", rate=rate)
    with av.open(str(clip)) as container:
        frames = [out for frame in container.decode(audio=0) for out in resampler.resample(frame)]
    return np.concatenate([frame.to_ndarray().reshape(-1) for frame in frames])
