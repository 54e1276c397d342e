"""How a recording gets worse on its way: noise in the room, a telephone, a distant microphone. Pure, seeded."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from models.speech.engines import Samples
from undertone.audio import SAMPLE_RATE

Colour: TypeAlias = Literal["white", "pink"]
Level: TypeAlias = Literal["peak", "rms"]

TELEPHONE_HZ = (300, 3400)
MU = 255
LEVEL_PEAK = 0.9
LEVEL_RMS = 0.07  # -23 dB of full scale, a common level of speech


@dataclass(frozen=True, slots=True)
class Conditions:
    """What happens to a recording, in this order.

    ``noise_db`` is the power of the recording over that of the added noise; ``telephone`` its narrow band and eight
    bits; ``gain_db`` makes it louder (and clips it) or quieter, in sixteen bits. ``level`` then takes it back to one
    loudness, as a normaliser before the engine would.
    """

    noise_db: float | None = None
    colour: Colour = "white"
    telephone: bool = False
    gain_db: float = 0.0
    level: Level | None = None

    def apply(self, samples: Samples, seed: int) -> Samples:
        """The recording as it arrives. ``seed`` makes the noise."""
        if self.noise_db is not None:
            loudness = float(np.sqrt(np.mean(samples**2)))
            samples = samples + make_noise(len(samples), self.colour, loudness * 10 ** (-self.noise_db / 20), seed)
        if self.telephone:
            samples = through_telephone(samples)
        steps = np.round(samples * 32768 * 10 ** (self.gain_db / 20)).clip(-32768, 32767)
        return bring_to((steps / 32768).astype(np.float32), self.level)


def make_noise(length: int, colour: Colour, rms: float, seed: int) -> Samples:
    """Noise of that root mean square: as strong at all frequencies, or 3 dB weaker with each octave from 20 Hz on."""
    noise = np.random.default_rng(seed).normal(size=length)
    if colour == "pink":
        spectrum = np.fft.rfft(noise)
        hertz = np.fft.rfftfreq(length, 1 / SAMPLE_RATE)
        noise = np.fft.irfft(spectrum / np.sqrt(np.maximum(hertz, 20)), length)
    scaled: Samples = (noise * (rms / np.sqrt(np.mean(noise**2)))).astype(np.float32)
    return scaled


def through_telephone(samples: Samples) -> Samples:
    """The band of a telephone, at 8 kHz in eight bits (mu-law), and back at 16 kHz."""
    length = len(samples) + len(samples) % 2
    spectrum = np.fft.rfft(samples, length)
    hertz = np.fft.rfftfreq(length, 1 / SAMPLE_RATE)
    low, high = TELEPHONE_HZ
    narrow = np.clip(np.fft.irfft(spectrum * ((hertz >= low) & (hertz <= high)), length)[::2], -1, 1)
    squeezed = np.sign(narrow) * np.log1p(MU * np.abs(narrow)) / np.log1p(MU)
    steps = np.round(squeezed * 127) / 127
    heard = np.sign(steps) * np.expm1(np.abs(steps) * np.log1p(MU)) / MU
    half = np.fft.rfft(heard)
    if length % 4 == 0:
        half[-1] /= 2  # 4 kHz is one frequency at 8 kHz and one of a pair at 16 kHz
    return (2 * np.fft.irfft(half, length)[: len(samples)]).astype(np.float32)


def bring_to(samples: Samples, level: Level | None) -> Samples:
    """The same at one loudness: by its loudest sample, or by its mean power (and clipped). Silence stays silent."""
    loudest = float(np.abs(samples).max(initial=0))
    if level is None or loudest == 0:
        return samples
    factor = LEVEL_PEAK / loudest if level == "peak" else LEVEL_RMS / float(np.sqrt(np.mean(samples**2)))
    levelled: Samples = (samples * np.float32(factor)).clip(-1, 1)
    return levelled
