"""Any text-classification model in the form of the Hugging Face hub, on torch, which comes with the extra ``torch``.

Weights are read as safetensors alone, and no code of a model is ever run. All is in float32, so that a score hardly
depends on the device. On the CPU one text at a time on one thread, as with the other engines: sums keep their order,
and no score depends on its neighbours.
"""

import hashlib
import inspect
from collections.abc import Mapping
from pathlib import Path
from threading import Lock
from typing import Any

from models.sentiment.cards import read_languages
from models.sentiment.labels import least_without_calibration, read_labels, to_sentiment
from models.sentiment.names import Model
from models.sentiment.texts import clean, has_word
from models.weights.fetch import checksum
from models.weights.hub import fetch_from_hub
from models.weights.registry import Hub
from undertone.errors import FatalError
from undertone.events import Sentiment

try:
    import torch
    from transformers import AutoConfig, AutoModelForSequenceClassification, AutoTokenizer
    from transformers.utils import logging as transformers_logging
except ImportError as error:
    raise FatalError(
        f"the sentiment engine for models of the Hugging Face hub is not installed ({error}): in a clone, start with "
        "`make up EXTRA=torch`; elsewhere, `pip install 'undertone[torch]'`; or set UNDERTONE_SENTIMENT_MODEL=shipped"
    ) from error

MOST_TOKENS = 512
"""Half a minute of speech has fewer, and most models take no more."""

LOCAL = {"local_files_only": True, "trust_remote_code": False}


class TransformersEngine:
    """A ``SentimentEngine`` on the CPU or on CUDA, warm. Its probabilities are the model's own, not calibrated."""

    def __init__(self, folder: Path, name: str, languages: frozenset[str], *, device: str = "cpu") -> None:
        """Load the model in ``folder``. Raises ``FatalError`` if it cannot be loaded, or judges no sentiment.

        From then on torch has one thread for each text on the CPU, in the whole process.
        """
        torch.set_num_threads(1)
        transformers_logging.disable_progress_bar()
        self._name = name
        self._languages = languages
        self._device = device
        self._turn = Lock()
        try:
            config = AutoConfig.from_pretrained(folder, **LOCAL)
            self._labels = read_labels(config.id2label, name)
            self._tokenizer = AutoTokenizer.from_pretrained(folder, **LOCAL)
            self._model = _read_model(folder, config).to(device)
            self._inputs = set(inspect.signature(self._model.forward).parameters)
            self._most_tokens = _most_tokens(config, self._tokenizer)
            self._warm()
        except FatalError:
            raise
        except Exception as error:  # both libraries raise whatever there is
            raise FatalError(
                f"the sentiment model {name} in {folder} cannot be loaded on {device}: {_first_line(error)}; set "
                "UNDERTONE_SENTIMENT_MODEL to another, or to the folder of a whole one"
            ) from error

    @property
    def name(self) -> str:
        """See ``SentimentEngine``."""
        return self._name

    @property
    def languages(self) -> frozenset[str]:
        """See ``SentimentEngine``."""
        return self._languages

    def classify(self, text: str) -> Sentiment | None:
        """See ``SentimentEngine``. Of a long text as many tokens are judged as the model takes, 512 at most."""
        cleaned = clean(text)
        if not has_word(cleaned):
            return None
        tokens = self._tokenize(cleaned)
        if set(tokens["input_ids"][0].tolist()) <= set(self._tokenizer.all_special_ids):
            return None  # no word that the model knows
        least = least_without_calibration(self._labels)
        return to_sentiment(self._run(tokens), self._labels, self._name, least_probability=least)

    def _tokenize(self, text: str) -> Mapping[str, Any]:
        with self._turn:  # a tokenizer in Rust sets its truncation anew for each call
            tokens = self._tokenizer(text, truncation=True, max_length=self._most_tokens, return_tensors="pt")
        return {name: tensor for name, tensor in tokens.items() if name in self._inputs}

    def _run(self, tokens: Mapping[str, Any]) -> list[float]:
        with torch.inference_mode():
            logits = self._model(**{name: tensor.to(self._device) for name, tensor in tokens.items()}).logits[0]
            return [float(p) for p in torch.softmax(logits.double(), dim=-1).tolist()]

    def _warm(self) -> None:
        """Judge a short text and one as long as the model takes, so that what does not fit is found at the start."""
        for text in ("warm", "warm " * MOST_TOKENS):
            outputs = self._run(self._tokenize(text))
            if len(outputs) != len(self._labels) or not abs(sum(outputs) - 1) < 1e-6:
                raise ValueError(f"it gives {outputs} for {len(self._labels)} labels")


def open_model(model: Model, cache: Path, device: str) -> TransformersEngine:
    """The engine of a model of the hub or in a folder, downloaded if need be. Raises ``FatalError``.

    Its name ends in the first digits of what pins it: the hub's commit, or the checksum of the folder's weights.
    """
    if isinstance(model.source, Hub):
        folder = fetch_from_hub(model.source, cache)
        name = f"{model.source.repository}@{model.source.revision[:8]}"
    else:
        folder = model.source
        name = f"{folder.resolve().name}@{_checksum(folder)[:8]}"
    languages = model.languages or read_languages(folder)
    if not languages:
        raise FatalError(
            f"the card of the sentiment model {name} does not say which languages it knows: write them behind its name "
            "in UNDERTONE_SENTIMENT_MODEL, as in hf:owner/name@commit[de,fr]"
        )
    return TransformersEngine(folder, name, languages, device=device)


def _checksum(folder: Path) -> str:
    """Of all its weights. Raises ``FatalError`` where there are none."""
    weights = sorted(folder.glob("*.safetensors"))
    if not (folder / "config.json").is_file() or not weights:
        raise FatalError(
            f"the folder {folder} holds no sentiment model: it has no card.json (with model.onnx) and not both a "
            "config.json and weights as safetensors; set UNDERTONE_SENTIMENT_MODEL to another"
        )
    return hashlib.sha256("".join(checksum(file) for file in weights).encode()).hexdigest()


def _read_model(folder: Path, config: Any) -> Any:
    if config.problem_type not in {None, "single_label_classification"}:
        raise ValueError(f"it is for {config.problem_type}, which gives no probabilities that sum to 1")
    model, about = AutoModelForSequenceClassification.from_pretrained(
        folder, config=config, dtype=torch.float32, use_safetensors=True, output_loading_info=True, **LOCAL
    )
    if about["missing_keys"]:
        missing = ", ".join(sorted(about["missing_keys"]))
        raise ValueError(f"it was never trained to classify, or is not whole: its weights lack {missing}")
    return model.eval()


def _most_tokens(config: Any, tokenizer: Any) -> int:
    """What fits into the model. Some tokenizers do not say, and some models keep two positions for themselves."""
    positions = getattr(config, "max_position_embeddings", None) or MOST_TOKENS + 2
    return int(min(MOST_TOKENS, tokenizer.model_max_length, positions - 2))


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0] or type(error).__name__
