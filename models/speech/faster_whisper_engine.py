"""Whisper on CTranslate2, with the features of faster-whisper: one-thread replicas, batch 1, greedy at first.

Whisper is trained on windows of 30 s, but most of a decode is the encoder, and an encoder window of the speech plus a
margin costs a third. The price is a loop now and then. So a decode is capped in tokens and checked as Whisper's
authors do (compression ratio, mean log-probability: Radford et al. 2022, section 4.5); one that fails is done once more
in the full window, without sampling, and the better is kept. Where both repeat themselves and disagree, at most two
decodes with a beam decide whether somebody said it. Text never depends on other text.
"""

import json
import math
import os
from dataclasses import replace
from functools import partial, reduce
from pathlib import Path

import ctranslate2
import numpy as np
import tokenizers
from faster_whisper.feature_extractor import FeatureExtractor

from models.speech.engines import (
    TOKENS_AT_MOST,
    WINDOW_S,
    Hearing,
    Samples,
    check_samples,
    compression_ratio,
    token_cap,
    warm_up,
)
from models.speech.repetition import confirm
from models.weights.fetch import Weights
from undertone.audio import SAMPLE_RATE
from undertone.errors import FatalError
from undertone.languages import check_language
from undertone.settings import Settings

LEAST_WINDOW_S = 12
MARGIN_S = 3
HOP_SAMPLES = 160
BEAM = 5

CPU_FEATURES = Path("/proc/cpuinfo")
AVX512 = {"avx512f", "avx512cd", "avx512vl", "avx512bw", "avx512dq"}

MIN_AVG_LOGPROB = -1.0


def window_s(samples: int) -> int:
    """Seconds of encoder window for an utterance of so many samples: a margin after it, 12 to 30."""
    return min(WINDOW_S, max(LEAST_WINDOW_S, math.ceil(samples / SAMPLE_RATE) + MARGIN_S))


def is_sound(hearing: Hearing) -> bool:
    """Whether a hearing passes the checks of Whisper's authors."""
    return hearing.is_varied and hearing.avg_logprob >= MIN_AVG_LOGPROB


def choose(first: Hearing, second: Hearing) -> Hearing:
    """The better of two hearings of the same samples: not repetitive, then likelier, then the first."""
    return max(first, second, key=lambda hearing: (hearing.is_varied, hearing.avg_logprob))


class FasterWhisperEngine:
    """A ``SpeechEngine`` on the CPU or on CUDA. Run ``transcribe`` in as many threads as there are replicas."""

    def __init__(
        self, folder: Path, name: str, *, device: str, compute: str, replicas: int, replica_threads: int = 1
    ) -> None:
        """Load the weights in ``folder``. Raises ``FatalError`` if they, the device or the type do not work."""
        try:
            self._model = ctranslate2.models.Whisper(
                str(folder),
                device=device,
                compute_type=compute,
                inter_threads=replicas,
                intra_threads=replica_threads,
            )
            self._tokens = tokenizers.Tokenizer.from_file(str(folder / "tokenizer.json"))
            config = json.loads((folder / "config.json").read_bytes())
        except Exception as error:  # both libraries raise bare exceptions
            raise FatalError(
                f"the Whisper weights in {folder} cannot be loaded on {device} as {compute}: {error}; look at "
                "UNDERTONE_WHISPER_MODEL, UNDERTONE_WHISPER_DEVICE and UNDERTONE_WHISPER_COMPUTE"
            ) from error
        self._name = name
        self._replicas = replicas
        self._features = FeatureExtractor(feature_size=self._model.n_mels)
        self._languages = frozenset({"en"})
        if self._model.is_multilingual:
            self._languages = frozenset(
                str(self._tokens.id_to_token(token)).strip("<|>") for token in config["lang_ids"]
            )

    @property
    def name(self) -> str:
        """See ``SpeechEngine``."""
        return self._name

    @property
    def languages(self) -> frozenset[str]:
        """See ``SpeechEngine``."""
        return self._languages

    def transcribe(self, samples: Samples, language: str | None) -> Hearing:
        """See ``SpeechEngine``."""
        check_samples(samples)
        check_language(language, self._languages)
        window = window_s(len(samples))
        cap = token_cap(len(samples))
        heard = [self._hear(samples, language, window, cap)]
        if not is_sound(heard[0]) and window < WINDOW_S:
            heard.append(self._hear(samples, language, WINDOW_S, TOKENS_AT_MOST))
        best = reduce(choose, heard)
        if best.is_varied:
            return replace(best, attempts=len(heard))
        windows = sorted({window, WINDOW_S}, reverse=True)
        more = [partial(self._hear, samples, language, each, cap, BEAM) for each in windows]
        return confirm(heard, more) or replace(best, attempts=len(heard) + len(more))

    def warm(self) -> None:
        """See ``SpeechEngine``."""
        warm_up(self, self._replicas)

    def _hear(self, samples: Samples, language: str | None, window: int, cap: int, beam: int = 1) -> Hearing:
        encoded = self._model.encode(self._spectrogram(samples, window))
        probability = None
        if language is None:
            language, probability = self._detect(encoded)
        prompt = self._prompt(language)
        result = self._model.generate(
            encoded,
            [prompt],
            beam_size=beam,
            max_length=len(prompt) + cap,
            return_scores=True,
            return_no_speech_prob=True,
        )[0]
        tokens = result.sequences_ids[0]
        text = self._tokens.decode(tokens, skip_special_tokens=True).strip()
        return Hearing(
            text=text,
            language=language,
            language_probability=probability,
            avg_logprob=result.scores[0] * len(tokens) / (len(tokens) + 1),  # the end token counts too
            no_speech_probability=result.no_speech_prob,
            compression_ratio=compression_ratio(text),
            attempts=1,
            is_complete=len(tokens) + 1 < cap,
        )

    def _spectrogram(self, samples: Samples, window: int) -> ctranslate2.StorageView:
        # Padded with silence before the transform, as in training; faster-whisper pads the spectrogram instead.
        padded = np.pad(samples, (0, window * SAMPLE_RATE - len(samples)))
        features = self._features(padded, padding=0)[np.newaxis, :, : len(padded) // HOP_SAMPLES]
        return ctranslate2.StorageView.from_array(np.ascontiguousarray(features, np.float32))

    def _detect(self, encoded: ctranslate2.StorageView) -> tuple[str, float | None]:
        if not self._model.is_multilingual:
            return "en", None
        token, probability = self._model.detect_language(encoded)[0][0]
        return token.strip("<|>"), probability

    def _prompt(self, language: str) -> list[str]:
        spoken = [f"<|{language}|>", "<|transcribe|>"] if self._model.is_multilingual else []
        return ["<|startoftranscript|>", *spoken, "<|notimestamps|>"]


def make_engine(folder: Path, weights: Weights, settings: Settings) -> FasterWhisperEngine:
    """The engine of the settings on the weights in ``folder``. Raises ``FatalError`` where they cannot be loaded."""
    use_wide_vectors(CPU_FEATURES)
    name = f"whisper-{weights.label}-{settings.whisper_compute}@{weights.sha256[:8]}"
    return FasterWhisperEngine(
        folder, name, device=settings.whisper_device, compute=settings.whisper_compute, replicas=settings.replicas()
    )


def use_wide_vectors(features: Path) -> None:
    """Let CTranslate2 use AVX-512 where the processor has it, which saves a twelfth; left alone it stops at AVX2.

    To be called before the first model is loaded. ``CT2_FORCE_CPU_ISA`` (CTranslate2's own) is left as it is.
    """
    if features.exists() and set(features.read_text().split()) >= AVX512:
        os.environ.setdefault("CT2_FORCE_CPU_ISA", "AVX512")
