"""Real speech for tests: the clips in ``tests/data/speech``, as the log of a session would hold them."""

from functools import cache
from pathlib import Path

import av
import numpy as np

from undertone.audio import SAMPLE_RATE, to_samples
from undertone.records import Audio, AudioRecord, Close, Open

SPEECH = Path(__file__).parent / "data" / "speech"


@cache
def read_clip(name: str) -> bytes:
    """PCM s16le mono 16 kHz of a clip."""
    pieces = []
    with av.open(str(SPEECH / name)) as container:
        resampler = av.AudioResampler(format="s16", layout="mono", rate=SAMPLE_RATE)
        for frame in container.decode(audio=0):
            pieces += [part.to_ndarray() for part in resampler.resample(frame)]
        pieces += [part.to_ndarray() for part in resampler.resample(None)]
    return np.concatenate(pieces, axis=1).astype("<i2").tobytes()


def silence(milliseconds: int) -> bytes:
    """Digital silence."""
    return bytes(2 * to_samples(milliseconds))


def log_of(session_id: str, pcm: bytes, connection: str = "a", frame_ms: int = 100) -> list[AudioRecord]:
    """The log of a session that was recorded in one go and stopped."""
    step = 2 * to_samples(frame_ms)
    frames = [
        Audio(session_id, connection, start // 2, pcm[start : start + step]) for start in range(0, len(pcm), step)
    ]
    started_at_ms = 1_790_000_000_000
    end = Close(session_id, connection, len(pcm) // 2, "stop")
    return [Open(session_id, connection, 0, started_at_ms=started_at_ms), *frames, end]
