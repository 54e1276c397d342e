"""A shipped model in the form of the Hugging Face hub: the same weights, read back out of its ONNX file.

The shipped networks are BERTs that take the mean of what they say of a text's tokens. No class for BERT on the hub does
that; the one for XLM does, whose layers are BERT's under other names. Needs ``torch``, ``transformers`` and ``onnx``.
"""

from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from models.sentiment.onnx_card import MODEL, TOKENIZER, read_card

HEADS = 12
OF_A_LAYER = {
    "attention.self.query": "transformer.attentions.{}.q_lin",
    "attention.self.key": "transformer.attentions.{}.k_lin",
    "attention.self.value": "transformer.attentions.{}.v_lin",
    "attention.output.dense": "transformer.attentions.{}.out_lin",
    "attention.output.LayerNorm": "transformer.layer_norm1.{}",
    "intermediate.dense": "transformer.ffns.{}.lin1",
    "output.dense": "transformer.ffns.{}.lin2",
    "output.LayerNorm": "transformer.layer_norm2.{}",
}


def write_as_hub_model(shipped: Path, folder: Path) -> None:
    """Write the network of one folder to another, its bias and temperature inside the last layer.

    A table of runs of characters has no place there.
    """
    import torch
    from transformers import PreTrainedTokenizerFast, XLMConfig, XLMForSequenceClassification

    card, weights = read_card(shipped), _read(shipped / MODEL)
    words = weights["encoder.embeddings.word_embeddings.weight"]
    places = weights["encoder.embeddings.position_embeddings.weight"]
    kinds = weights["encoder.embeddings.token_type_embeddings.weight"]
    layers = 1 + max(int(name.split(".")[3]) for name in weights if ".layer." in name)
    config = XLMConfig(
        vocab_size=len(words),
        emb_dim=words.shape[1],
        n_layers=layers,
        n_heads=HEADS,
        max_position_embeddings=len(places),
        use_lang_emb=False,
        dropout=0,
        attention_dropout=0,
        summary_type="mean",
        summary_activation=None,
        summary_first_dropout=0,
        id2label=dict(enumerate(card.labels)),
        label2id={label: number for number, label in enumerate(card.labels)},
    )
    named = {
        "transformer.embeddings.weight": words,
        "transformer.position_embeddings.weight": places + kinds[0],
        "transformer.layer_norm_emb.weight": weights["encoder.embeddings.LayerNorm.weight"],
        "transformer.layer_norm_emb.bias": weights["encoder.embeddings.LayerNorm.bias"],
        "sequence_summary.summary.weight": weights["head.weight"] / card.temperature,
        "sequence_summary.summary.bias": (weights["head.bias"] + card.bias) / card.temperature,
    }
    for layer in range(layers):
        for ours, theirs in OF_A_LAYER.items():
            for kind in ("weight", "bias"):
                named[f"{theirs.format(layer)}.{kind}"] = weights[f"encoder.encoder.layer.{layer}.{ours}.{kind}"]
    model = XLMForSequenceClassification(config)
    tensors = {name: torch.tensor(np.asarray(weight, np.float32)) for name, weight in named.items()}
    missing, unexpected = model.load_state_dict(tensors, strict=False)
    assert set(missing) <= {"transformer.position_ids"}, missing
    assert not unexpected, unexpected
    model.save_pretrained(folder)
    tokenizer = PreTrainedTokenizerFast(tokenizer_file=str(shipped / TOKENIZER), model_max_length=card.most_tokens)
    tokenizer.save_pretrained(folder)


def _read(file: Path) -> dict[str, Any]:
    """Every weight as floats under its name in the network. Of a matrix only the bias beside it still has its name."""
    onnx = import_module("onnx")
    graph = onnx.load(file).graph
    stored = {tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in graph.initializer}
    weights = {name: array for name, array in stored.items() if name.endswith((".weight", ".bias"))}
    for name in stored:
        if name.endswith("_quantized") and ".embeddings." in name:
            weights[name.removesuffix("_quantized")] = _dequantise(stored, name)
    after = {taken: node for node in graph.node for taken in node.input}
    for node in graph.node:
        if node.op_type in ("MatMulInteger", "MatMul") and node.input[1] in stored:
            matrix = node.input[1]
            end = node
            while end.op_type != "Add":
                end = after[end.output[0]]
            (bias,) = [name for name in end.input if name.endswith(".bias")]
            is_packed = node.op_type == "MatMulInteger"
            weights[bias.removesuffix("bias") + "weight"] = (
                _dequantise(stored, matrix) if is_packed else stored[matrix]
            ).T
    return weights


def _dequantise(stored: dict[str, Any], name: str) -> Any:
    of = name.removesuffix("_quantized")
    return (stored[name].astype(np.float32) - stored[f"{of}_zero_point"]) * stored[f"{of}_scale"]
