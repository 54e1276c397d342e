"""WhisperLive: its server with faster-whisper on the CPU (int8), one model for all, and a client of its protocol.

As its documentation advises for a model of one's own: a single model, ``OMP_NUM_THREADS`` as many as there are cores,
voice activity on, everything else as its own client sends it. The limits on clients and time are raised.

Its completed segments are final, the last one pending. Whisper's segments are completed when another follows, or when
the same text came eleven times. The protocol has no end at which everything is final: its own clients wait for 15 s
without a message, hang up, and take what is pending as final. So does this one.
"""

import asyncio
import json
import os
import time
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import numpy as np
from websockets.asyncio.client import ClientConnection, connect

from benchmarks.capacity.seen import Seen
from benchmarks.capacity.systems import Session, System
from benchmarks.peers.environments import find_python
from benchmarks.peers.server import running_server
from models.weights.fetch import fetch
from undertone.errors import FatalError
from undertone.local.ports import free_ports
from undertone.settings import read_settings

SILENT_FOR_S = 15.0
PATIENCE_S = 60.0
READY_WITHIN_S = 60.0
SERVE = """
from sys import argv
from whisper_live.server import TranscriptionServer
TranscriptionServer().run("127.0.0.1", port=int(argv[1]), backend="faster_whisper",
    faster_whisper_custom_model_path=argv[2], single_model=True, max_clients=1000, max_connection_time=36000)
"""


@asynccontextmanager
async def running_whisperlive() -> AsyncIterator[System]:
    """The server, its model loaded."""
    settings = read_settings()
    (port,) = free_ports(1)
    python = find_python("whisperlive", settings.cache)
    weights = fetch(settings.whisper_model, settings.cache)
    command = [str(python), "-c", SERVE, str(port), str(weights)]
    url = f"ws://127.0.0.1:{port}"
    async with running_server(command, port, {"OMP_NUM_THREADS": str(os.cpu_count())}) as pid:
        async with _session(url):
            pass  # the model is loaded for the first client
        yield System("whisperlive", pid, lambda: _session(url), lambda _name, _command: "server")


class _Session:
    def __init__(self, socket: ClientConnection) -> None:
        self.seen = Seen()
        self._socket = socket
        self._completed: dict[float, str] = {}
        self._heard_at_s = time.monotonic()
        self._listening = asyncio.create_task(self._listen())

    async def write(self, pcm: bytes) -> None:
        await self._socket.send((np.frombuffer(pcm, "<i2").astype("<f4") / 32768).tobytes())

    async def stop(self) -> None:
        began_s = time.monotonic()
        while time.monotonic() < min(self._heard_at_s + SILENT_FOR_S, began_s + PATIENCE_S):  # noqa: ASYNC110 - a clock
            await asyncio.sleep(0.5)
        await self._socket.send(b"END_OF_AUDIO")
        self._listening.cancel()
        last = self.seen.views[-1] if self.seen.views else None
        if last is not None:
            self.seen.show(time.monotonic(), f"{last.final} {last.pending}".strip(), "")

    async def _listen(self) -> None:
        async for message in self._socket:
            now_s = time.monotonic()
            segments = json.loads(message).get("segments")
            if segments is not None:
                self._heard_at_s = now_s
                self.seen.show(now_s, *read_segments(segments, self._completed))


def read_segments(segments: list[dict[str, Any]], completed: dict[float, str]) -> tuple[str, str]:
    """Final and pending text after a message; ``completed`` keeps what messages no longer repeat, by its start."""
    completed |= {float(segment["start"]): segment["text"].strip() for segment in segments if segment["completed"]}
    pending = " ".join(segment["text"].strip() for segment in segments if not segment["completed"])
    return " ".join(text for _, text in sorted(completed.items())), pending


@asynccontextmanager
async def _session(url: str) -> AsyncIterator[Session]:
    hello = {
        "uid": str(uuid.uuid4()),
        "language": "en",
        "task": "transcribe",
        "model": "base",
        "use_vad": True,
        "send_last_n_segments": 10,
        "no_speech_thresh": 0.45,
        "clip_audio": False,
        "same_output_threshold": 10,
    }
    async with connect(url, max_size=None, ping_interval=None, compression=None) as socket:
        await socket.send(json.dumps(hello))
        async with asyncio.timeout(READY_WITHIN_S):
            answer = json.loads(await socket.recv())
        if answer.get("message") != "SERVER_READY":
            raise FatalError(f"WhisperLive refused a session: {answer}")
        yield _Session(socket)
