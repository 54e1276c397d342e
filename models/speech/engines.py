"""The port for speech engines: samples in, a hearing out; and what its engines have in common.

Every engine passes one suite, ``tests/contract/test_speech_engines.py``.
"""

import math
import zlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from undertone.audio import SAMPLE_RATE

Samples = npt.NDArray[np.float32]

WINDOW_S = 30
MAX_SAMPLES = WINDOW_S * SAMPLE_RATE

MOST_COMPRESSION_RATIO = 2.4  # beyond it a text is a loop: Radford et al. 2022, section 4.5
TOKENS_AT_LEAST = 16
TOKENS_PER_S = 15
TOKENS_AT_MOST = 224  # Whisper's own limit for a window


@dataclass(frozen=True, slots=True)
class Hearing:
    """What an engine made of one utterance.

    ``language_probability`` is None where the language was given. ``avg_logprob`` is natural, per token.
    ``compression_ratio`` is bytes of text per byte of its zlib form, 0 for no text. ``attempts`` counts decodes.
    ``is_complete``: the decoder ended the text, and not its cap on tokens. ``is_confirmed``: two decodes agree on what
    is said, repetition apart (``models.speech.repetition``).
    """

    text: str
    language: str
    language_probability: float | None
    avg_logprob: float
    no_speech_probability: float
    compression_ratio: float
    attempts: int
    is_complete: bool = True
    is_confirmed: bool = False

    @property
    def is_varied(self) -> bool:
        """Whether its text does not say the same again and again."""
        return self.compression_ratio <= MOST_COMPRESSION_RATIO

    @property
    def is_loop(self) -> bool:
        """Whether its text says the same again and again, and no other decode confirms it."""
        return not self.is_varied and not self.is_confirmed


class SpeechEngine(Protocol):
    """Hears one utterance at a time; safe to call from several threads."""

    @property
    def name(self) -> str:
        """``model-compute@revision``: equal names give equal text for equal samples."""

    @property
    def languages(self) -> frozenset[str]:
        """Codes that ``transcribe`` takes and gives (ISO 639-1, or 639-3 where there is none)."""

    def transcribe(self, samples: Samples, language: str | None) -> Hearing:
        """Hear one utterance: float32 mono samples at 16 kHz in [-1, 1], at most 30 s. Blocks.

        A pure function of its arguments and the engine's settings: the same whether alone or beside others, at
        any load. ``language`` None detects it. Raises ``ValueError`` for samples of another form or too many of
        them, and ``Refusal`` for a language that is not in ``languages``.
        """

    def warm(self) -> None:
        """Decode once on every replica, so that the first utterance is not slower than the next."""


def check_samples(samples: Samples) -> None:
    """Return if ``samples`` are what ``transcribe`` takes, else raise ``ValueError``: nothing is cut silently."""
    if samples.ndim != 1 or samples.dtype != np.float32:
        raise ValueError(f"samples are one row of float32, these are {samples.dtype} of shape {samples.shape}")
    if len(samples) > MAX_SAMPLES:
        raise ValueError(
            f"an utterance has at most {WINDOW_S} s, this one has {len(samples) / SAMPLE_RATE:.1f} s: cut it before"
        )


def token_cap(samples: int) -> int:
    """Most tokens of text to decode for so many samples: no language speaks faster, and a loop ends early."""
    return min(TOKENS_AT_MOST, TOKENS_AT_LEAST + math.ceil(TOKENS_PER_S * samples / SAMPLE_RATE))


def compression_ratio(text: str) -> float:
    """Bytes of UTF-8 text per byte of its zlib form, 0 for no text: high where the same is said again and again."""
    raw = text.encode()
    return len(raw) / len(zlib.compress(raw)) if raw else 0.0


def warm_up(engine: SpeechEngine, replicas: int) -> None:
    """Decode once on each of so many threads."""
    silence = np.zeros(SAMPLE_RATE, np.float32)
    with ThreadPoolExecutor(replicas) as threads:
        list(threads.map(lambda _: engine.transcribe(silence, "en"), range(replicas)))
