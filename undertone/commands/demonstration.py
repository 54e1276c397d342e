"""``undertone up --demo``: two conversations of public-domain recordings, played in real time for ever."""

import asyncio
import logging
from collections.abc import Sequence
from pathlib import Path

from undertone import local
from undertone.audio import BYTES_PER_SAMPLE, SAMPLE_RATE
from undertone.commands.credentials import find_server
from undertone.errors import Refusal, TransientError
from undertone.recorder import Recorder, open_recorder
from undertone.recording.decoder import decode
from undertone.recording.limits import decode_limits
from undertone.recording.silence import blocks_of

FOLDER = Path(local.__file__).with_name("demo")
SESSIONS = (
    ("A Tale of Two Cities, Charles Dickens", ("two-cities.ogg",)),
    ("Jane Austen, then John F. Kennedy", ("sense-and-sensibility.ogg", "inaugural-address.ogg")),
)
BLOCK_SAMPLES = SAMPLE_RATE // 10
BETWEEN_S = 5.0

log = logging.getLogger(__name__)


async def play_demo(url: str) -> None:
    """Record the bundled sessions at ``url`` side by side, each anew when it has ended, until cancelled."""
    await asyncio.gather(*(_play_for_ever(url, title, files) for title, files in SESSIONS))


async def _play_for_ever(url: str, title: str, files: Sequence[str]) -> None:
    while True:
        try:
            server = await asyncio.to_thread(find_server, url)
            async with open_recorder(
                server.url,
                title=title,
                tags=["demo"],
                language="en",
                credential=server.credential,
                confirm=server.confirm,
            ) as recorder:
                await speak(recorder, [FOLDER / name for name in files])
                finished = await recorder.stop()
            log.info("%s: %d utterances", title, finished.utterances)
        except (Refusal, TransientError) as error:
            log.warning("%s: %s", title, error)
        await asyncio.sleep(BETWEEN_S)


async def speak(recorder: Recorder, paths: Sequence[Path]) -> None:
    """Record files one behind the other, each block as soon as its last sample would have been spoken."""
    loop = asyncio.get_running_loop()
    begun = loop.time()
    for path in paths:
        with path.open("rb") as file:
            for block in blocks_of(decode(file, decode_limits()), BLOCK_SAMPLES):
                due_s = begun + (recorder.next_sample + len(block) // BYTES_PER_SAMPLE) / SAMPLE_RATE
                await asyncio.sleep(max(0.0, due_s - loop.time()))
                await recorder.write(block)
