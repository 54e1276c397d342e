"""The shipped models, and others of their form: a small transformer as ONNX, int8, on onnxruntime, on one core.

One may have a table of runs of characters beside it, whose scores are added to the transformer's logits
(models/training/ngram_table.py says why).
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from tokenizers import Tokenizer

from models.sentiment.calibration import softmax
from models.sentiment.labels import to_sentiment
from models.sentiment.ngrams import score_of
from models.sentiment.onnx_card import MODEL, TABLE, TOKENIZER, read_card
from models.sentiment.texts import clean, has_word
from undertone.errors import FatalError
from undertone.events import Sentiment


class OnnxEngine:
    """A ``SentimentEngine`` from a folder of ``model.onnx``, ``tokenizer.json`` and ``card.json``, warm.

    The model takes ``input_ids``, and ``attention_mask`` if it likes, [1, tokens], and gives ``logits`` [1, labels];
    ``ngrams.npy`` [rows, labels + 1] is there if the card says so. One text at a time on the thread that asks, so a
    score depends on nothing but its text.
    """

    def __init__(self, folder: Path) -> None:
        """Load the model. Raises ``FatalError`` where the folder is not whole, or holds something else."""
        self._card = read_card(folder)
        try:
            self._tokenizer = Tokenizer.from_file(str(folder / TOKENIZER))
            self._tokenizer.no_padding()
            self._tokenizer.enable_truncation(self._card.most_tokens)
            self._unknown = _unknown_tokens(folder / TOKENIZER, self._tokenizer)
            self._session = onnxruntime.InferenceSession(folder / MODEL, _options(), ["CPUExecutionProvider"])
            self._takes_mask = "attention_mask" in {each.name for each in self._session.get_inputs()}
            self._table = np.load(folder / TABLE, allow_pickle=False) if self._card.longest_ngram else None
            outputs = self._logits([0]) + self._scores("warm") + self._card.bias
        except Exception as error:  # both libraries raise whatever there is
            raise FatalError(
                f"the sentiment model in {folder} cannot be loaded: {error}; install Undertone again, "
                "or set UNDERTONE_SENTIMENT_MODEL to another model"
            ) from error
        if outputs.shape != (1, len(self._card.labels)):
            raise FatalError(
                f"the sentiment model in {folder} gives {outputs.shape[-1]} numbers for {len(self._card.labels)} "
                "labels: set UNDERTONE_SENTIMENT_MODEL to another model"
            )

    @property
    def name(self) -> str:
        """See ``SentimentEngine``."""
        return f"{self._card.name}@{self._card.revision}"

    @property
    def languages(self) -> frozenset[str]:
        """See ``SentimentEngine``."""
        return frozenset(self._card.languages)

    def classify(self, text: str) -> Sentiment | None:
        """See ``SentimentEngine``. A long text is judged by its beginning; None if no token of it is known."""
        cleaned = clean(text)
        if not has_word(cleaned):
            return None
        tokens = self._tokenizer.encode(cleaned)
        if all(
            special or token in self._unknown
            for token, special in zip(tokens.ids, tokens.special_tokens_mask, strict=True)
        ):
            return None
        logits = self._logits(tokens.ids) + self._scores(cleaned) + self._card.bias
        probabilities = softmax(logits / self._card.temperature)[0]
        return to_sentiment(
            probabilities.tolist(), self._card.labels, self.name, least_probability=self._card.least_probability
        )

    def _logits(self, ids: list[int]) -> NDArray[np.float64]:
        tokens = np.array([ids], np.int64)
        inputs = {"input_ids": tokens} | ({"attention_mask": np.ones_like(tokens)} if self._takes_mask else {})
        (logits,) = self._session.run(["logits"], inputs)
        return np.asarray(logits, np.float64)

    def _scores(self, text: str) -> NDArray[np.float64]:
        """What the table says of a text, [1, labels]."""
        if self._table is None:
            return np.zeros((1, len(self._card.labels)))
        return score_of(self._table, text, self._card.runs)[np.newaxis]


def _options() -> Any:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.enable_cpu_mem_arena = False  # else it keeps the memory of the longest text for good
    return options


def _unknown_tokens(path: Path, tokenizer: Tokenizer) -> frozenset[int]:
    """The token for what is in no vocabulary: a WordPiece model names it, a Unigram model numbers it."""
    model = json.loads(path.read_bytes())["model"]
    token = model.get("unk_id") if model.get("unk_id") is not None else tokenizer.token_to_id(model.get("unk_token"))
    return frozenset() if token is None else frozenset({int(token)})
