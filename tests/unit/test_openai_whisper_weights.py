"""CTranslate2's names for Whisper's weights become openai-whisper's."""

import numpy as np

from models.speech.openai_whisper_weights import measure, name_weights
from models.weights.ctranslate2_file import Variables

STATE = 4


def layer(side: str, number: int, cross: bool) -> Variables:
    at = f"{side}/layer_{number}"
    fused = np.repeat(np.arange(3, dtype=np.float32), STATE)
    variables: Variables = {
        f"{at}/self_attention/layer_norm/gamma": np.ones(STATE),
        f"{at}/self_attention/linear_0/weight": np.outer(fused, np.ones(STATE)),
        f"{at}/self_attention/linear_0/bias": fused,
        f"{at}/self_attention/linear_1/weight": np.full((STATE, STATE), 9),
        f"{at}/ffn/linear_1/bias": np.full(STATE, 7),
    }
    if cross:
        variables[f"{at}/attention/linear_1/bias"] = fused[STATE:]
    return variables


VARIABLES: Variables = {
    "encoder/num_heads": np.array(2),
    "encoder/conv1/weight": np.zeros((STATE, 80, 3)),
    "encoder/layer_norm/beta": np.full(STATE, 5),
    "encoder/position_encodings/encodings": np.zeros((1500, STATE)),
    **layer("encoder", 0, cross=False),
    **layer("encoder", 1, cross=False),
    "decoder/num_heads": np.array(1),
    "decoder/alignment_heads": np.array(1),
    "decoder/embeddings/weight": np.zeros((51865, STATE)),
    "decoder/projection/weight": np.zeros((51865, STATE)),
    "decoder/position_encodings/encodings": np.zeros((448, STATE)),
    **layer("decoder", 10, cross=True),
}


def test_what_was_fused_comes_apart_and_keys_have_no_bias() -> None:
    weights = name_weights(VARIABLES)
    for number, part in enumerate(("query", "key", "value")):
        assert (weights[f"encoder.blocks.1.attn.{part}.weight"] == number).all()
        assert weights[f"encoder.blocks.1.attn.{part}.weight"].shape == (STATE, STATE)
    assert weights["decoder.blocks.10.attn.value.bias"].tolist() == [2] * STATE
    assert weights["decoder.blocks.10.cross_attn.value.bias"].tolist() == [2] * STATE
    assert [name for name in weights if name.endswith("key.bias")] == []


def test_the_rest_has_a_name_of_its_own() -> None:
    weights = name_weights(VARIABLES)
    assert weights["encoder.blocks.0.attn.out.weight"][0, 0] == 9
    assert weights["encoder.blocks.0.mlp.2.bias"][0] == 7
    assert weights["encoder.ln_post.bias"][0] == 5
    assert weights["decoder.blocks.10.attn_ln.weight"][0] == 1
    assert {name for name in weights if ".blocks." not in name} == {
        "encoder.conv1.weight", "encoder.ln_post.bias", "encoder.positional_embedding",
        "decoder.token_embedding.weight", "decoder.positional_embedding",
    }  # fmt: skip


def test_the_dimensions_follow_from_the_shapes() -> None:
    assert measure(VARIABLES) == {
        "n_mels": 80, "n_audio_ctx": 1500, "n_audio_state": STATE, "n_audio_head": 2, "n_audio_layer": 2,
        "n_vocab": 51865, "n_text_ctx": 448, "n_text_state": STATE, "n_text_head": 1, "n_text_layer": 1,
    }  # fmt: skip
