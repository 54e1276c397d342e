"""The same weights for a decoder on torch: CTranslate2's file as a checkpoint of openai-whisper's form."""

import base64
import gzip
import json
import subprocess
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from models.speech.openai_whisper_weights import SPECIFICATION, measure, name_weights
from models.weights.ctranslate2_file import read_variables
from undertone.errors import FatalError

# Run by the peer's Python, which has torch; ours has not.
SAVE = """
import json, sys, numpy, torch
arrays, dims, checkpoint = sys.argv[1:]
state = {name: torch.from_numpy(array) for name, array in numpy.load(arrays).items()}
torch.save({"dims": json.loads(dims), "model_state_dict": state}, checkpoint)
"""


def convert_weights(weights: Path, python: Path, folder: Path) -> Path:
    """The checkpoint of the CTranslate2 model in ``weights``, kept in ``folder``; made by a ``python`` with torch.

    Raises ``FatalError`` if it cannot be written, ``ValueError`` for a model of another form.
    """
    checkpoint = folder / f"{weights.name}.pt"
    if checkpoint.exists():
        return checkpoint
    variables = read_variables(weights / "model.bin", SPECIFICATION)
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        arrays, saved = Path(scratch, "arrays.npz"), Path(scratch, "saved.pt")
        named = {name: np.asarray(array, np.float32) for name, array in name_weights(variables).items()}
        np.savez(arrays, allow_pickle=False, **named)
        done = subprocess.run([python, "-c", SAVE, arrays, json.dumps(measure(variables)), saved], check=False)
        if done.returncode != 0:
            raise FatalError(f"the weights {weights} cannot be converted for the peer, see above")
        saved.replace(checkpoint)
    return checkpoint


def alignment_heads(weights: Path) -> str:
    """The alignment heads of the CTranslate2 model in ``weights``, packed as the peer takes them."""
    dims = measure(read_variables(weights / "model.bin", SPECIFICATION))
    heads = json.loads((weights / "config.json").read_bytes())["alignment_heads"]
    return pack_heads(heads, dims["n_text_layer"], dims["n_text_head"])


def pack_heads(chosen: Iterable[Sequence[int]], layers: int, heads: int) -> str:
    """Pairs of layer and head as a mask of layers by heads, gzip, base85."""
    mask = np.zeros((layers, heads), np.bool_)
    for layer, head in chosen:
        mask[layer, head] = True
    return base64.b85encode(gzip.compress(mask.tobytes(), mtime=0)).decode()
