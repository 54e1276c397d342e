"""Streaming voice activity: Silero VAD on ONNX Runtime, one frame of 32 ms at a time, its state a value.

The network is the one that ships inside faster-whisper (Silero VAD v6, MIT). Frames go through one by one, whatever
way the samples arrived, so the result for the same samples cannot depend on how they were split or batched. One
step takes about 0.1 ms of one core: a session costs 0.3 % of a core.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import faster_whisper.utils
import numpy as np
import numpy.typing as npt
import onnxruntime

from undertone.errors import FatalError

FRAME_SAMPLES = 512
CONTEXT_SAMPLES = 64
STATE_SHAPE = (1, 1, 128)
ASSET = "silero_vad_v6.onnx"

Samples = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class VadState:
    """What the network remembers between two frames: two recurrent vectors and the last 64 samples. Never mutated."""

    hidden: Samples
    cell: Samples
    context: Samples


class VoiceActivity:
    """Speech probabilities of frames. One loaded network serves all sessions and threads (``load_voice_activity``)."""

    def __init__(self) -> None:
        options = onnxruntime.SessionOptions()
        options.inter_op_num_threads = 1
        options.intra_op_num_threads = 1
        options.log_severity_level = 3  # errors only
        path = f"{faster_whisper.utils.get_assets_path()}/{ASSET}"
        try:
            self._network = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # the runtime's own exception types are not public
            raise FatalError(
                f"the voice activity network cannot be loaded from {path}: {error}; "
                "install the pinned faster-whisper again"
            ) from error

    def start(self) -> VadState:
        """The state before the first sample of a session, and after each boundary."""
        zeros = np.zeros(STATE_SHAPE, np.float32)
        return VadState(zeros, zeros, np.zeros(CONTEXT_SAMPLES, np.float32))

    def step(self, state: VadState, frame: Samples) -> tuple[float, VadState]:
        """The probability in [0, 1] that ``frame`` (512 float32 samples in [-1, 1] at 16 kHz) is speech.

        A function of its arguments alone. Raises ``ValueError`` for another shape or type.
        """
        if frame.shape != (FRAME_SAMPLES,) or frame.dtype != np.float32:
            raise ValueError(
                f"a frame has {FRAME_SAMPLES} float32 samples, this one is {frame.dtype} of shape {frame.shape}"
            )
        heard = np.concatenate((state.context, frame))[np.newaxis]
        probability, hidden, cell = self._network.run(None, {"input": heard, "h": state.hidden, "c": state.cell})
        return float(probability[0]), VadState(hidden, cell, heard[0, -CONTEXT_SAMPLES:])

    def listen(self) -> Callable[[Samples], float]:
        """A voice that hears one stream from a boundary on: call it with each frame in order (see ``step``)."""
        state = self.start()

        def hear(frame: Samples) -> float:
            nonlocal state
            probability, state = self.step(state, frame)
            return probability

        return hear


@cache
def load_voice_activity() -> VoiceActivity:
    """The one network of this process. Raises ``FatalError`` if it cannot be loaded."""
    return VoiceActivity()
