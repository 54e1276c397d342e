"""What a file may ask of the decoder: numbers that depend on the file alone, and a bound on the time."""

from dataclasses import dataclass

from undertone.audio import LAST_SAMPLE, SAMPLE_RATE
from undertone.errors import Refusal

# Below this there is no speech.
MIN_RATE = 4_000
# Above it there are no recordings; the filter of a resampler grows with the rate, to gigabytes at 200 MHz.
MAX_RATE = 384_000
# FFmpeg has a layout for these, and so knows how to mix them to one.
CHANNELS = frozenset({*range(1, 9), 10, 12, 14, 16, 24})
# Encoders in use reach about 650 with digital silence (Opus with DTX), about 30 with sound.
SAMPLES_PER_BYTE = 1_000
SAMPLES_OF_ANY_FILE = 600 * SAMPLE_RATE
# Measured: 8 MB for ordinary files, 48 MB for 24 channels at 384 kHz and for a picture of 16 MB in a FLAC.
MEMORY_BYTES = 96_000_000
# Measured: 100 to 470 times faster than real time on one slow core.
LEAST_SPEED = 20
START_CPU_S = 60


@dataclass(frozen=True, slots=True)
class DecodeLimits:
    """The limits of one decode.

    ``max_samples`` is the longest audio that is taken, in samples at 16 kHz; ``memory_bytes`` what decoding may need
    on top of the idle process; ``cpu_s`` the processor time after which it is stopped, whatever the file.
    """

    max_samples: int
    memory_bytes: int
    cpu_s: int

    def most_samples(self, file_bytes: int) -> int:
        """The most audio that is taken from a file of this size; a file that holds more is a decompression bomb."""
        return SAMPLES_OF_ANY_FILE + SAMPLES_PER_BYTE * file_bytes


def decode_limits(max_samples: int = LAST_SAMPLE) -> DecodeLimits:
    """The limits for audio of at most ``max_samples``."""
    return DecodeLimits(max_samples, MEMORY_BYTES, START_CPU_S + max_samples // SAMPLE_RATE // LEAST_SPEED)


def file_too_long(max_samples: int) -> Refusal:
    """The refusal of a file with more audio than that."""
    hours = max_samples / SAMPLE_RATE / 3600
    return Refusal("file_too_long", f"the file holds more than {hours:g} hours of audio: split it", status=413)
