"""Recordings made for tests: a tone in every format that is taken."""

import io

import av
import numpy as np
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream

CODECS = {
    "wav": ("pcm_s16le", 44_100),
    "flac": ("flac", 48_000),
    "ogg": ("libopus", 48_000),
    "mp3": ("libmp3lame", 44_100),
    "webm": ("libopus", 48_000),
}


def make_recording(kind: str, seconds: float, layout: str = "stereo") -> bytes:
    """A file of ``kind`` with a tone of 440 Hz at half of full scale."""
    codec, rate = CODECS[kind]
    file = io.BytesIO()
    with av.open(file, "w", format=kind) as container:
        stream = container.add_stream(codec, rate=rate, layout=layout)
        assert isinstance(stream, AudioStream)
        resampler = AudioResampler(
            format=stream.codec_context.format,
            layout=layout,
            rate=rate,
            frame_size=stream.codec_context.frame_size or 0,
        )
        wave = (np.sin(np.arange(round(seconds * rate)) * 2 * np.pi * 440 / rate) * 16_384).astype("<i2")
        frame = av.AudioFrame.from_ndarray(wave.reshape(1, -1), format="s16", layout="mono")
        frame.rate = rate
        for part in [*resampler.resample(frame), *resampler.resample(None)]:
            container.mux(stream.encode(part))
        container.mux(stream.encode(None))
    return file.getvalue()
