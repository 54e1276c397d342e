"""From CTranslate2's names to openai-whisper's, for the same weights. No torch in here.

Both libraries have the same layers in the same order; CTranslate2 has queries, keys and values in one matrix, and a
bias (of zeros) for the keys, which Whisper's keys have not.
"""

import re
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from models.weights.ctranslate2_file import Variables

Weights: TypeAlias = dict[str, npt.NDArray[np.floating]]

SPECIFICATION = "WhisperSpec"

SIDES = ("encoder", "decoder")
OF_A_SIDE = {
    "encoder/conv1": "encoder.conv1",
    "encoder/conv2": "encoder.conv2",
    "encoder/layer_norm": "encoder.ln_post",
    "decoder/layer_norm": "decoder.ln",
    "decoder/embeddings": "decoder.token_embedding",
}
OF_A_LAYER = {
    "self_attention/layer_norm": ["attn_ln"],
    "self_attention/linear_0": ["attn.query", "attn.key", "attn.value"],
    "self_attention/linear_1": ["attn.out"],
    "attention/layer_norm": ["cross_attn_ln"],
    "attention/linear_0": ["cross_attn.query"],
    "attention/linear_1": ["cross_attn.key", "cross_attn.value"],
    "attention/linear_2": ["cross_attn.out"],
    "ffn/layer_norm": ["mlp_ln"],
    "ffn/linear_0": ["mlp.0"],
    "ffn/linear_1": ["mlp.2"],
}
LEAVES = {"weight": "weight", "bias": "bias", "gamma": "weight", "beta": "bias"}

LAYER = re.compile(r"(encoder|decoder)/layer_(\d+)/(.+)")


def name_weights(variables: Variables) -> Weights:
    """The same weights under the names of openai-whisper's state dict, what was fused apart."""
    weights = {f"{side}.positional_embedding": variables[f"{side}/position_encodings/encodings"] for side in SIDES}
    for name, array in variables.items():
        part, _, leaf = name.rpartition("/")
        modules = _modules(part)
        if leaf in LEAVES and modules:
            pieces = np.split(array, len(modules))
            weights |= {f"{module}.{LEAVES[leaf]}": piece for module, piece in zip(modules, pieces, strict=True)}
    return {name: array for name, array in weights.items() if not name.endswith(".key.bias")}


def measure(variables: Variables) -> dict[str, int]:
    """The fields of openai-whisper's ``ModelDimensions``."""
    n_audio_state, n_mels, _ = variables["encoder/conv1/weight"].shape
    n_vocab, n_text_state = variables["decoder/embeddings/weight"].shape
    return {
        "n_mels": n_mels,
        "n_audio_ctx": len(variables["encoder/position_encodings/encodings"]),
        "n_audio_state": n_audio_state,
        "n_audio_head": int(variables["encoder/num_heads"]),
        "n_audio_layer": _layers(variables, "encoder"),
        "n_vocab": n_vocab,
        "n_text_ctx": len(variables["decoder/position_encodings/encodings"]),
        "n_text_state": n_text_state,
        "n_text_head": int(variables["decoder/num_heads"]),
        "n_text_layer": _layers(variables, "decoder"),
    }


def _modules(part: str) -> list[str]:
    """The modules that share what CTranslate2 keeps at ``part``; none where it is no part of theirs."""
    in_layer = LAYER.fullmatch(part)
    if in_layer is None:
        return [OF_A_SIDE[part]] if part in OF_A_SIDE else []
    side, number, part = in_layer.groups()
    return [f"{side}.blocks.{number}.{module}" for module in OF_A_LAYER.get(part, [])]


def _layers(variables: Variables, side: str) -> int:
    return len({found[2] for name in variables if (found := LAYER.fullmatch(name)) and found[1] == side})
