"""A trained network as the folder that ``OnnxEngine`` runs: ONNX with weights of eight bits, tokenizer and card."""

import json
import tempfile
import warnings
from pathlib import Path

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnxruntime.quantization import QuantType, quantize_dynamic
from onnxruntime.quantization.shape_inference import quant_pre_process
from tokenizers import Tokenizer

from models.sentiment.onnx_card import CARD, MODEL, TABLE, TOKENIZER, OnnxCard
from models.training.network import Classifier
from models.weights.fetch import checksum

OPSET = 18


def export(network: Classifier, tokenizer: Tokenizer, folder: Path) -> None:
    """Write ``model.onnx`` and ``tokenizer.json`` to the folder. What else a folder has, the others write."""
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(folder / TOKENIZER))
    with tempfile.TemporaryDirectory() as scratch:
        full, prepared = Path(scratch, "full.onnx"), Path(scratch, "prepared.onnx")
        _trace(network, full)
        quant_pre_process(full, prepared, skip_symbolic_shape=True)
        quantize_dynamic(prepared, folder / MODEL, per_channel=True, weight_type=QuantType.QInt8, reduce_range=True)


def export_table(table: NDArray[np.float64], folder: Path) -> None:
    """Write ``ngrams.npy``, in float16."""
    np.save(folder / TABLE, table.astype(np.float16))


def write_card(folder: Path, card: OnnxCard) -> None:
    """Write the card, with the checksums of the files as they lie there; the model's is its revision."""
    sums = {name: checksum(folder / name) for name in card.files}
    values = card.model_copy(update={"sha256": sums, "revision": sums[MODEL][:8]}).model_dump()
    (folder / CARD).write_text(json.dumps(values, indent=1) + "\n", encoding="utf-8")


def _trace(network: Classifier, file: Path) -> None:
    tokens = torch.ones((1, 8), dtype=torch.long)
    width = {1: torch.export.Dim("width", min=2, max=512)}
    with warnings.catch_warnings(), torch.inference_mode():
        warnings.simplefilter("ignore")  # the exporter's own, about itself
        program = torch.onnx.export(
            network,
            (tokens, torch.ones_like(tokens)),
            input_names=["input_ids", "attention_mask"],
            output_names=["logits"],
            dynamic_shapes=(width, width),
            opset_version=OPSET,
            dynamo=True,
            verbose=False,
        )
    assert program is not None
    onnx.save(program.model_proto, file)
