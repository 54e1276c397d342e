"""WhisperLiveKit: its server with either of its policies, and a client of its protocol.

AlignAtt is its default and its fastest: faster-whisper's encoder (int8 on the CPU), and a decoder on torch that reads
the attention of the alignment heads. That decoder has the same weights, converted (``checkpoints``). LocalAgreement
runs faster-whisper alone. All options are its defaults, but that the language is given and PCM is sent.

Its lines are final, its buffer pending. After an empty message it finishes what it has and says ``ready_to_stop``.
"""

import asyncio
import json
import time
import wave
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Literal

import numpy as np
from websockets.asyncio.client import ClientConnection, connect

from benchmarks.capacity.seen import Seen
from benchmarks.capacity.systems import Session, System
from benchmarks.materials import to_pcm
from benchmarks.peers.checkpoints import alignment_heads, convert_weights
from benchmarks.peers.environments import find_python, locate
from benchmarks.peers.server import running_server
from models.weights.fetch import fetch
from undertone.audio import SAMPLE_RATE
from undertone.local.ports import free_ports
from undertone.settings import read_settings

PATIENCE_S = 60.0
READY_WITHIN_S = 60.0


@asynccontextmanager
async def running_whisperlivekit(
    name: str = "whisperlivekit", policy: Literal["simulstreaming", "localagreement"] = "simulstreaming"
) -> AsyncIterator[System]:
    """The server, warm."""
    settings = read_settings()
    (port,) = free_ports(1)
    python = find_python("whisperlivekit", settings.cache)
    folder = locate("whisperlivekit", settings.cache)
    weights = fetch(settings.whisper_model, settings.cache)
    command = [str(python), "-m", "whisperlivekit.basic_server", "--host", "127.0.0.1", "--port", str(port)]
    command += ["--language", "en", "--pcm-input", "--log-level", "ERROR", "--backend-policy", policy]
    command += ["--backend", "faster-whisper", "--warmup-file", str(_quiet_file(folder))]
    if policy == "simulstreaming":
        checkpoint = convert_weights(weights, python, folder)
        command += ["--encoder-model-path", str(weights), "--decoder-model-path", str(checkpoint)]
        command += ["--custom-alignment-heads", alignment_heads(weights)]
    else:
        command += ["--model_dir", str(weights)]
    url = f"ws://127.0.0.1:{port}/asr?language=en"
    async with running_server(command, port, {}) as pid:
        yield System(name, pid, lambda: _session(url), lambda _name, _command: "server")


@asynccontextmanager
async def running_agreement() -> AsyncIterator[System]:
    """The server with LocalAgreement."""
    async with running_whisperlivekit("whisperlivekit-agreement", "localagreement") as system:
        yield system


class _Session:
    def __init__(self, socket: ClientConnection) -> None:
        self.seen = Seen()
        self._socket = socket
        self._listening = asyncio.create_task(self._listen())

    async def write(self, pcm: bytes) -> None:
        await self._socket.send(pcm)

    async def stop(self) -> None:
        await self._socket.send(b"")
        await asyncio.wait([self._listening], timeout=PATIENCE_S)
        self._listening.cancel()

    async def _listen(self) -> None:
        async for message in self._socket:
            now_s, answer = time.monotonic(), json.loads(message)
            if answer.get("type") == "ready_to_stop":
                self.seen.finished_s = now_s
                return
            if "lines" in answer:
                self.seen.show(now_s, *read_lines(answer))


def read_lines(answer: dict[str, Any]) -> tuple[str, str]:
    """Final and pending text after a message, which has all lines; those without a speaker are silence."""
    lines = [line["text"].strip() for line in answer["lines"] if line["speaker"] != -2 and line["text"]]
    return " ".join(lines), answer["buffer_transcription"].strip()


@asynccontextmanager
async def _session(url: str) -> AsyncIterator[Session]:
    async with connect(url, max_size=None, ping_interval=None, compression=None) as socket:
        async with asyncio.timeout(READY_WITHIN_S):
            await socket.recv()  # its configuration
        yield _Session(socket)


def _quiet_file(folder: Path) -> Path:
    """Three seconds of faint noise to warm up with: its own sample is not on this machine."""
    path = folder / "warm-up.wav"
    noise = np.random.default_rng(1).normal(0, 3e-3, 3 * SAMPLE_RATE).astype(np.float32)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE)
        file.writeframes(to_pcm(noise))
    return path
