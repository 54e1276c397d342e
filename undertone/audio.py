"""The one audio format inside Undertone: PCM s16le, mono, 16 kHz. Time is counted in samples."""

SAMPLE_RATE = 16_000
SAMPLES_PER_MS = SAMPLE_RATE // 1000
BYTES_PER_SAMPLE = 2
LONGEST_HOURS = 168
"""A session holds no more: memories of it are kept for as long."""
LAST_SAMPLE = LONGEST_HOURS * 3600 * SAMPLE_RATE
SILENCE_GRID = 153_600
"""Silence is marked at multiples of this (9.6 s), so that what follows does not depend on what came before it."""


def to_ms(samples: int) -> int:
    """Whole milliseconds of media time at a sample position (rounded down)."""
    return samples // SAMPLES_PER_MS


def to_samples(milliseconds: int) -> int:
    """The sample position of a media time in milliseconds."""
    return milliseconds * SAMPLES_PER_MS
