"""Makes one channel of 16 kHz out of frames of any rate and layout, which may change from one frame to the next.

Channels are mixed. Where the mix is far quieter than the channels (a microphone wired in opposite phase cancels itself
out), the loudest channel is taken instead. That is decided for each quarter of a second by its samples alone.
"""

from collections.abc import Iterator

import av
import numpy as np
from av.audio.resampler import AudioResampler

from undertone.audio import BYTES_PER_SAMPLE, SAMPLE_RATE

DECISIONS_PER_S = 4
# 15 dB in power. Two channels of which one is silent mix to a quarter, unrelated ones to a half.
FAR_QUIETER = 32


class MonoConverter:
    """Converts frames to PCM (s16le, mono, 16 kHz). ``convert`` and ``end`` return what is ready of it."""

    def __init__(self) -> None:
        self._form: tuple[str, str, int] | None = None
        self._mixer: _Mixer | None = None
        self._resampler = _to_output()

    def convert(self, frame: av.AudioFrame) -> Iterator[bytes]:
        """Convert the next frame."""
        form = (frame.format.name, frame.layout.name, frame.sample_rate)
        if form != self._form:
            yield from self.end()
            self._form = form
            self._mixer = _Mixer(frame) if frame.layout.nb_channels > 1 else None
        for part in self._mixer.mix(frame) if self._mixer else [frame]:
            yield from _pcm(self._resampler.resample(part))

    def end(self) -> Iterator[bytes]:
        """What is still held back; frames may follow, as of another recording."""
        for part in self._mixer.end() if self._mixer else []:
            yield from _pcm(self._resampler.resample(part))
        yield from _pcm(self._resampler.resample(None))
        self._form, self._mixer, self._resampler = None, None, _to_output()


class _Mixer:
    """Mixes frames of one form to mono frames of the same rate, 16 bits."""

    def __init__(self, frame: av.AudioFrame) -> None:
        self._rate = frame.sample_rate
        self._channels = frame.layout.nb_channels
        self._to_16_bits = AudioResampler(format="s16", layout=frame.layout, rate=self._rate)
        self._to_mono = AudioResampler(format="s16", layout="mono", rate=self._rate)
        self._channel_parts = list[np.ndarray]()
        self._mix_parts = list[np.ndarray]()
        self._held = 0

    def mix(self, frame: av.AudioFrame) -> Iterator[av.AudioFrame]:
        for part in self._to_16_bits.resample(frame):
            self._channel_parts.append(part.to_ndarray().reshape(-1, self._channels))
            self._mix_parts += [mixed.to_ndarray().reshape(-1) for mixed in self._to_mono.resample(part)]
            self._held += part.samples
            if self._held * DECISIONS_PER_S >= self._rate:
                yield self._decide()

    def end(self) -> Iterator[av.AudioFrame]:
        if self._held:
            yield self._decide()

    def _decide(self) -> av.AudioFrame:
        channel_power = sum(_power(part) for part in self._channel_parts)
        mix_power = sum(float(_power(part.reshape(-1, 1))[0]) for part in self._mix_parts)
        loudest = int(np.argmax(channel_power))
        if mix_power * FAR_QUIETER < np.max(channel_power):
            chosen = np.concatenate([part[:, loudest] for part in self._channel_parts])
        else:
            chosen = np.concatenate(self._mix_parts)
        self._channel_parts, self._mix_parts, self._held = [], [], 0
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(chosen).reshape(1, -1), format="s16", layout="mono")
        frame.sample_rate = self._rate
        return frame


def _power(samples: np.ndarray) -> np.ndarray:
    """The sum of squares of each channel."""
    power: np.ndarray = np.einsum("ij,ij->j", samples, samples, dtype=np.float64)
    return power


def _to_output() -> AudioResampler:
    return AudioResampler(format="s16", layout="mono", rate=SAMPLE_RATE)


def _pcm(frames: list[av.AudioFrame]) -> Iterator[bytes]:
    for frame in frames:
        if frame.samples:
            yield bytes(frame.planes[0])[: frame.samples * BYTES_PER_SAMPLE]
