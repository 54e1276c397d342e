"""A trained network as the folder that ``OnnxEngine`` runs: ONNX, nearly all in eight bits, tokenizer and card."""

import json
import tempfile
import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
from numpy.typing import NDArray
from onnxruntime.quantization import QuantType, quantize_dynamic
from onnxruntime.quantization.shape_inference import quant_pre_process
from tokenizers import Tokenizer

from models.sentiment.onnx_card import CARD, MODEL, TABLE, TOKENIZER, OnnxCard
from models.training.bases import SIZE, WIDE
from models.training.network import Alone, Classifier
from models.weights.fetch import checksum

OPSET = 18


def export(network: Classifier, tokenizer: Tokenizer, folder: Path, texts: Sequence[str]) -> None:
    """Write ``model.onnx`` and ``tokenizer.json`` to the folder. What else a folder has, the others write.

    Of the matrices that take a layer's wide states back, one stays in floats: the one whose packing changes the logits
    of ``texts`` most. A few of those states are far larger than the rest, and eight bits for all of them leave little
    for the others (Bondarenko et al., "Understanding and Overcoming the Challenges of Efficient Transformer
    Quantization", 2021). In Korean that takes a third off what the packing changes; another one would take off less
    than a tenth.
    """
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(folder / TOKENIZER))
    tokens = [text.ids for text in tokenizer.encode_batch(list(texts))]
    with tempfile.TemporaryDirectory() as scratch:
        full, prepared, packed = (Path(scratch, f"{name}.onnx") for name in ("full", "prepared", "packed"))
        _trace(network, full)
        quant_pre_process(full, prepared, skip_symbolic_shape=True)
        exact = _run(prepared, tokens)

        def loss(kept: str) -> float:
            _pack(prepared, packed, kept)
            return float(np.square(_run(packed, tokens) - exact).mean())

        _pack(prepared, folder / MODEL, min(_narrowing(prepared), key=loss))


def export_table(table: NDArray[np.float64], folder: Path) -> None:
    """Write ``ngrams.npy``, in float16."""
    np.save(folder / TABLE, table.astype(np.float16))


def write_card(folder: Path, card: OnnxCard) -> None:
    """Write the card, with the checksums of the files as they lie there; the model's is its revision."""
    sums = {name: checksum(folder / name) for name in card.files}
    values = card.model_copy(update={"sha256": sums, "revision": sums[MODEL][:8]}).model_dump()
    (folder / CARD).write_text(json.dumps(values, indent=1) + "\n", encoding="utf-8")


def _narrowing(model: Path) -> list[str]:
    """The names of the multiplications by a matrix [WIDE, SIZE], one in each layer."""
    graph = onnx.load(model).graph
    narrowing = {each.name for each in graph.initializer if list(each.dims) == [WIDE, SIZE]}
    return [node.name for node in graph.node if node.op_type == "MatMul" and node.input[1] in narrowing]


def _pack(model: Path, packed: Path, kept: str) -> None:
    quantize_dynamic(
        model, packed, per_channel=True, weight_type=QuantType.QInt8, reduce_range=True, nodes_to_exclude=[kept]
    )


def _run(model: Path, texts: Sequence[Sequence[int]]) -> NDArray[np.float64]:
    """Logits [texts, labels] of texts given as tokens."""
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    return np.concatenate([session.run(["logits"], {"input_ids": np.array([tokens])})[0] for tokens in texts])


def _trace(network: Classifier, file: Path) -> None:
    tokens = torch.ones((1, 8), dtype=torch.long)
    with warnings.catch_warnings(), torch.inference_mode():
        warnings.simplefilter("ignore")  # the exporter's own, about itself
        program = torch.onnx.export(
            Alone(network).eval(),
            (tokens,),
            input_names=["input_ids"],
            output_names=["logits"],
            dynamic_shapes=({1: torch.export.Dim("width", min=2, max=512)},),
            opset_version=OPSET,
            dynamo=True,
            verbose=False,
        )
    assert program is not None
    onnx.save(program.model_proto, file)
