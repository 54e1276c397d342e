"""The reader of CTranslate2's files against CTranslate2's own writer."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from ctranslate2.specs.common_spec import LinearSpec
from ctranslate2.specs.model_spec import ModelSpec

from models.weights.ctranslate2_file import read_variables

NUMBERS = np.random.default_rng(4)


class Spec(ModelSpec):  # type: ignore[misc]
    """Two layers and a scalar."""

    name = "Two"

    def __init__(self) -> None:
        super().__init__()
        self.heads = np.int16(8)
        self.layer = [LinearSpec(), LinearSpec()]


def write(path: Path, weight: npt.NDArray[np.float32], quantization: str | None = None) -> Path:
    """A file with the weight twice, which makes the second an alias, and a bias."""
    spec = Spec()
    for layer, bias in zip(spec.layer, (np.arange(3), np.ones(3)), strict=True):
        layer.weight, layer.bias = weight.copy(), bias.astype(np.float32)
    spec.validate()
    spec.optimize(quantization)
    spec._serialize(str(path / "model.bin"))
    return path / "model.bin"


@pytest.mark.parametrize(
    ("quantization", "error"),
    [(None, 0.0), ("float32", 0.0), ("float16", 1e-3), ("int16", 5e-3), ("int8", 3e-2), ("int8_float16", 3e-2)],
)
def test_weights_come_back_as_they_were_but_for_their_precision(
    quantization: str | None, error: float, tmp_path: Path
) -> None:
    weight = NUMBERS.normal(size=(3, 5)).astype(np.float32) * np.array([[1], [10], [0.1]], np.float32)
    read = read_variables(write(tmp_path, weight, quantization), "Two")
    scale = np.abs(weight).max() if quantization == "int16" else np.abs(weight).max(axis=1, keepdims=True)
    assert np.abs((read["layer_0/weight"] - weight) / scale).max() <= error
    assert read["layer_1/weight"].tobytes() == read["layer_0/weight"].tobytes()
    assert read["layer_0/bias"].tolist() == [0, 1, 2]
    assert int(read["heads"]) == 8


def test_bfloat16_is_read(tmp_path: Path) -> None:
    path = write(tmp_path, np.array([[1.0, -2.5, 0.0], [3.0, 1e30, -1e-30]], np.float32))
    content = path.read_bytes()
    stored = np.array([[1.0, -2.5, 0.0], [3.0, 1e30, -1e-30]], np.float32)
    at = content.index(stored.tobytes()) - 5
    upper = (stored.view("<u4") >> 16).astype("<u2")
    path.write_bytes(content[:at] + b"\x05\x0c\0\0\0" + upper.tobytes() + content[at + 5 + stored.nbytes :])
    read = read_variables(path, "Two")["layer_0/weight"]
    np.testing.assert_allclose(read, stored, rtol=2**-7)


def test_another_form_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path, np.ones((3, 5), np.float32))
    with pytest.raises(ValueError, match="holds 'Two' in version 6, not 'WhisperSpec'"):
        read_variables(path, "WhisperSpec")
    whole = path.read_bytes()
    for damaged in (b"", whole[:3], whole[:30], whole[:-9], b"\xff" * 200):
        path.write_bytes(damaged)
        with pytest.raises(ValueError, match=r"model\.bin|empty file"):
            read_variables(path, "Two")
