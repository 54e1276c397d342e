"""Whisper on torch, with OpenAI's own package: the weights from the same file that CTranslate2 reads.

The one place that knows torch, which comes with the extra ``torch``. Every decode is in the full window of 30 s, all
that this package's encoder takes, and greedy. Where it repeats itself, at most two more decide whether
somebody said so: one with a beam, one with timestamps. On the CPU each decode has one thread, as in the other engine:
replicas side by side do more than threads in one, and sums keep their order.
"""

import copy
from dataclasses import replace
from functools import partial
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import numpy as np

from models.speech.engines import MAX_SAMPLES, Hearing, Samples, check_samples, compression_ratio, token_cap, warm_up
from models.speech.openai_whisper_weights import SPECIFICATION, measure, name_weights
from models.speech.repetition import confirm
from models.weights.ctranslate2_file import read_variables
from models.weights.fetch import Weights
from undertone.errors import FatalError
from undertone.languages import check_language
from undertone.settings import Settings

try:
    import torch
    import whisper
    import whisper.tokenizer
except ImportError as error:
    raise FatalError(
        f"the speech engine openai-whisper is not installed ({error}): in a clone, start with `make up EXTRA=torch`; "
        "elsewhere, `pip install 'undertone[torch]'`; or set UNDERTONE_WHISPER_ENGINE=faster-whisper"
    ) from error

BEAM = 5
PRECISION = {"cpu": "float32", "cuda": "float16"}


class OpenAIWhisperEngine:
    """A ``SpeechEngine`` on the CPU or on CUDA. Run ``transcribe`` in as many threads as there are replicas."""

    def __init__(self, folder: Path, name: str, *, device: str, precision: str, replicas: int) -> None:
        """Load the weights in ``folder``. Raises ``FatalError`` if they or the device do not work.

        From then on torch has one thread for each decode on the CPU, in the whole process.
        """
        torch.set_num_threads(1)
        self._device = device
        self._type = getattr(torch, precision)
        try:
            model = self._read(folder / "model.bin")
        except Exception as error:  # torch raises bare exceptions
            raise FatalError(
                f"the Whisper weights in {folder} cannot be loaded on {device} by openai-whisper: {error}; look at "
                "UNDERTONE_WHISPER_MODEL, UNDERTONE_WHISPER_DEVICE and UNDERTONE_WHISPER_ENGINE"
            ) from error
        self._name = name
        self._replicas = replicas
        self._models: SimpleQueue[Any] = SimpleQueue()
        for _ in range(replicas):
            self._models.put(_replicate(model))
        self._languages = frozenset({"en"})
        if model.is_multilingual:
            tokenizer = whisper.tokenizer.get_tokenizer(True, num_languages=model.num_languages)
            self._languages = frozenset(tokenizer.all_language_codes)

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
        model = self._models.get()
        try:
            with torch.inference_mode():
                return self._hear(model, samples, language)
        finally:
            self._models.put(model)

    def warm(self) -> None:
        """See ``SpeechEngine``."""
        warm_up(self, self._replicas)

    def _hear(self, model: Any, samples: Samples, language: str | None) -> Hearing:
        """One greedy decode; where it repeats itself, more on the same encoding."""
        padded = np.pad(samples, (0, MAX_SAMPLES - len(samples)))
        spectrogram = whisper.log_mel_spectrogram(padded, model.dims.n_mels, device=self._device)
        encoded = model.encoder(spectrogram[None].to(self._type))
        probability = None
        if language is None and model.is_multilingual:
            _, (probabilities,) = model.detect_language(encoded)
            language, probability = max(probabilities.items(), key=lambda item: item[1])
        options = whisper.DecodingOptions(
            language=language or "en",
            without_timestamps=True,
            sample_len=token_cap(len(samples)),
            fp16=self._type == torch.float16,
        )
        first = self._decode(model, encoded, options, probability)
        if first.is_varied:
            return first
        others = (replace(options, beam_size=BEAM), replace(options, without_timestamps=False))
        more = [partial(self._decode, model, encoded, other, probability) for other in others]
        return confirm([first], more) or replace(first, attempts=1 + len(more))

    def _decode(self, model: Any, encoded: Any, options: Any, probability: float | None) -> Hearing:
        (result,) = whisper.decode(model, encoded, options)
        return Hearing(
            text=result.text,
            language=options.language,
            language_probability=probability,
            avg_logprob=result.avg_logprob,
            no_speech_probability=result.no_speech_prob,
            compression_ratio=compression_ratio(result.text),
            attempts=1,
            is_complete=len(result.tokens) < options.sample_len,
        )

    def _read(self, path: Path) -> Any:
        variables = read_variables(path, SPECIFICATION)
        model = whisper.Whisper(whisper.ModelDimensions(**measure(variables)))
        weights = {name: self._to_tensor(name, weight) for name, weight in name_weights(variables).items()}
        model.load_state_dict(weights, assign=True)
        return model.to(self._device).eval()

    def _to_tensor(self, name: str, weight: Any) -> Any:
        """On the device; norms in float32, in which Whisper computes them whatever the rest has."""
        is_norm = "ln" in name.split(".")[-2].split("_")
        return torch.tensor(weight, dtype=torch.float32 if is_norm else self._type, device=self._device)


def make_engine(folder: Path, weights: Weights, settings: Settings) -> OpenAIWhisperEngine:
    """The engine of the settings on the weights in ``folder``. Raises ``FatalError`` where they cannot be loaded."""
    device = settings.whisper_device
    precision = PRECISION[device]
    name = f"openai-whisper-{weights.label}-{precision}@{weights.sha256[:8]}"
    return OpenAIWhisperEngine(folder, name, device=device, precision=precision, replicas=settings.replicas())


def _replicate(model: Any) -> Any:
    """A model of its own on the same tensors: a decode keeps its state in the model's hooks."""
    return copy.deepcopy(model, {id(tensor): tensor for tensor in (*model.parameters(), *model.buffers())})
