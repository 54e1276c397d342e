"""The local microphone as PCM at 16 kHz, through sounddevice (the extra ``mic``)."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from undertone.audio import SAMPLE_RATE
from undertone.errors import FatalError

BLOCK_SAMPLES = SAMPLE_RATE // 10
QUEUED_BLOCKS = 100


async def read_microphone(device: str | None = None) -> AsyncIterator[bytes | int]:
    """Blocks of 100 ms without end; a number stands for so many samples lost, since nobody read for ten seconds.

    Raises ``FatalError`` when sounddevice is missing or there is no microphone that it may use.
    """
    try:
        import sounddevice
    except (ImportError, OSError) as error:
        raise FatalError(
            f"the microphone needs sounddevice and PortAudio ({error}): install with `pip install 'undertone[mic]'`, "
            "on Debian also `apt-get install libportaudio2`; or record in the browser"
        ) from error
    loop = asyncio.get_running_loop()
    queue: asyncio.Queue[bytes | int] = asyncio.Queue()
    lost = 0

    def keep(block: bytes) -> None:
        nonlocal lost
        if queue.qsize() >= QUEUED_BLOCKS:
            lost += BLOCK_SAMPLES
            return
        if lost:
            queue.put_nowait(lost)
            lost = 0
        queue.put_nowait(block)

    def heard(block: Any, _frames: int, _time: Any, _status: Any) -> None:
        loop.call_soon_threadsafe(keep, bytes(block))

    try:
        stream = sounddevice.RawInputStream(
            samplerate=SAMPLE_RATE,
            blocksize=BLOCK_SAMPLES,
            device=device,
            channels=1,
            dtype="int16",
            callback=heard,
        )
    except (sounddevice.PortAudioError, ValueError) as error:
        raise FatalError(
            f"no microphone can be opened: {error}; list them with `python -m sounddevice` and name one with --device"
        ) from error
    with stream:
        while True:
            yield await queue.get()
