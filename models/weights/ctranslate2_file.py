"""The variables in a CTranslate2 ``model.bin``, for engines that run the same checked weights on another library.

The form, all little-endian: version, name and revision of the specification; then each variable as name, shape, type
and bytes; then aliases, names that share a variable. Integers are quantised by row: the float is integer / scale.
"""

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

VERSIONS = (4, 5, 6)
SCALE = "_scale"
TYPES = ("<f4", "i1", "<i2", "<i4", "<f2", "bfloat16")
"""By the numbers that stand for them in the file."""

Variables: TypeAlias = dict[str, npt.NDArray[Any]]


def read_variables(path: Path, specification: str) -> Variables:
    """Every variable of a file of that ``specification`` by its name: weights as floats, settings as scalars.

    Quantised weights come back as float32, others as they lie there; arrays are read-only views of the file where
    that is possible. Raises ``ValueError`` for a file of another form, and ``OSError``.
    """
    reader = _Reader(np.memmap(path, np.uint8, "r"))
    try:
        version, name = reader.integer("I"), reader.string()
        if version not in VERSIONS or name != specification:
            raise ValueError(f"{path} holds {name!r} in version {version}, not {specification!r} in one of {VERSIONS}")
        reader.integer("I")  # the revision: what it changes shows in the names
        stored = dict(reader.variables())
        aliases = dict(reader.aliases())
    except (struct.error, UnicodeDecodeError, IndexError) as error:
        raise ValueError(f"{path} is no CTranslate2 model, or it is damaged: {error}") from error
    weights = {name: _dequantise(array, stored.get(name + SCALE)) for name, array in stored.items()}
    return weights | {alias: weights[name] for alias, name in aliases.items()}


class _Reader:
    """Reads a file from its beginning, piece by piece."""

    def __init__(self, content: npt.NDArray[np.uint8]) -> None:
        self._content = content
        self._at = 0

    def integer(self, kind: str) -> int:
        (value,) = struct.unpack("<" + kind, self._take(struct.calcsize("<" + kind)).tobytes())
        return int(value)

    def string(self) -> str:
        return self._take(self.integer("H")).tobytes().rstrip(b"\0").decode()

    def variables(self) -> Iterator[tuple[str, npt.NDArray[Any]]]:
        for _ in range(self.integer("I")):
            name = self.string()
            shape = [self.integer("I") for _ in range(self.integer("B"))]
            kind = TYPES[self.integer("B")]
            yield name, _as_array(self._take(self.integer("I")), kind).reshape(shape)

    def aliases(self) -> Iterator[tuple[str, str]]:
        for _ in range(self.integer("I")):
            yield self.string(), self.string()

    def _take(self, size: int) -> npt.NDArray[np.uint8]:
        taken = self._content[self._at : self._at + size]
        self._at += size
        if len(taken) < size:
            raise IndexError("it ends too early")
        return taken


def _as_array(content: npt.NDArray[np.uint8], kind: str) -> npt.NDArray[Any]:
    if kind == "bfloat16":  # the upper half of a float32; numpy has no such type
        return (content.view("<u2").astype("<u4") << 16).view("<f4")
    return content.view(kind)


def _dequantise(array: npt.NDArray[Any], scale: npt.NDArray[Any] | None) -> npt.NDArray[Any]:
    if scale is None:
        return array
    floats: npt.NDArray[np.float32] = array / scale.reshape(scale.shape + (1,) * (array.ndim - scale.ndim))
    return floats.astype(np.float32)
