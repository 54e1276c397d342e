"""Records files or the microphone through the API, and prints what is said as it becomes final."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager, suppress
from pathlib import Path
from typing import Literal, TypeAlias

from rich.text import Text

from undertone.audio import BYTES_PER_SAMPLE, SAMPLE_RATE
from undertone.captions import follow_captions
from undertone.commands.credentials import Server, find_server
from undertone.commands.history import running_line
from undertone.commands.sources import name_of, open_source, title_of
from undertone.commands.terminal import one_line, out, print_error
from undertone.errors import FatalError, Refusal
from undertone.events import Utterance, Window
from undertone.microphone import BLOCK_SAMPLES, read_microphone
from undertone.recorder import Finished, Recorder, open_recorder
from undertone.recording.limits import decode_limits, file_too_long
from undertone.recording.reader import measure_recording, read_recording

CAPTIONS_WITHIN_S = 10.0
CHECK_WITHIN_S = 3600.0

Speed: TypeAlias = Literal["1", "max"]


async def stream_files(paths: Sequence[Path], speed: Speed, url: str, language: str | None) -> list[Finished]:
    """Send each recording as a session of its own, one after the other; returns how they ended.

    One that is refused is named on standard error, and the others are sent. Raises ``FatalError`` at the end if any was
    refused, and at once what says that nothing more can be sent.
    """
    finished, refused = list[Finished](), list[FatalError]()
    for path in paths:
        try:
            finished.append(await stream_file(path, speed, url, language))
        except (Refusal, FatalError) as error:
            refused.append(FatalError(f"{name_of(path)}: {error}"))
            if len(paths) > 1:
                print_error(refused[-1])
    if refused and len(paths) > 1:
        raise FatalError(f"{len(refused)} of {len(paths)} recordings could not be sent")
    if refused:
        raise refused[0]
    return finished


async def stream_file(path: Path, speed: Speed, url: str, language: str | None) -> Finished:
    """Send one recording as a session, print its text, and return when all of it is final."""
    limits = decode_limits()
    async with open_source(path) as file:
        report = await measure_recording(file, limits, CHECK_WITHIN_S)  # a file that is refused makes no session
        for note in report.notes:
            _say(f"{name_of(path)}: {note.message}")
        server = await asyncio.to_thread(find_server, url)
        async with (
            aclosing(read_recording(file, limits, BLOCK_SAMPLES)) as blocks,
            open_recorder(
                server.url,
                title=title_of(path),
                language=language,
                say=_say,
                credential=server.credential,
                confirm=server.confirm,
            ) as recorder,
        ):
            if report.samples > recorder.keys.max_samples:
                raise file_too_long(recorder.keys.max_samples)
            async with _captions(server, recorder) as captions:
                try:
                    await _send_blocks(recorder, blocks, speed)
                finally:  # what could be sent until Ctrl-C is a session that has ended
                    finished = await _finish(recorder, captions)
            if not finished.utterances:
                _say(f"no utterances in {name_of(path)}: {report.level}")
            return finished


async def record_microphone(url: str, language: str | None = None, device: str | None = None) -> None:
    """Record until cancelled (Ctrl-C), then end the session and wait for its last words."""
    blocks = read_microphone(device)
    first = await anext(blocks)
    server = await asyncio.to_thread(find_server, url)
    async with (
        open_recorder(
            server.url, language=language, say=_say, credential=server.credential, confirm=server.confirm
        ) as recorder,
        _captions(server, recorder) as captions,
    ):
        try:
            await _record(recorder, first)
            async for block in blocks:
                await _record(recorder, block)
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is not None:
                task.uncancel()
        await _finish(recorder, captions)


async def _record(recorder: Recorder, block: bytes | int) -> None:
    # Live sound cannot wait: what there is no room for is a gap.
    if isinstance(block, int):
        recorder.gap(block)
    elif recorder.is_full:
        recorder.gap(len(block) // BYTES_PER_SAMPLE)
    else:
        await recorder.write(block)


async def _send_blocks(recorder: Recorder, blocks: AsyncIterator[bytes], speed: Speed) -> None:
    began = time.monotonic()
    async for block in blocks:
        if speed == "1":
            due = began + (recorder.next_sample + len(block) // BYTES_PER_SAMPLE) / SAMPLE_RATE
            await asyncio.sleep(max(0.0, due - time.monotonic()))
        await recorder.write(block)


def _say(words: str) -> None:
    out().print(Text(words))


class _Captions:
    """Prints what is said, and keeps the statistics."""

    def __init__(self) -> None:
        self.whole: Window | None = None
        self._printed = 0
        self._changed = asyncio.Event()

    def show(self, utterance: Utterance) -> None:
        """Print an utterance."""
        minutes, seconds = divmod(utterance.start_ms // 1000, 60)
        sentiment = utterance.sentiment
        feeling = f"  ({sentiment.label} {sentiment.score:+.2f})" if sentiment else ""
        out().print(Text(f"[{minutes:02d}:{seconds:02d}] {one_line(utterance.text)}{feeling}"))
        self._printed += 1
        self._changed.set()

    def count(self, whole: Window) -> None:
        """Keep the statistics of the whole session."""
        self.whole = whole
        self._changed.set()

    async def complete(self, utterances: int) -> None:
        """Wait for so many utterances and the last statistics, ten seconds at most: the read side may be away."""
        with suppress(TimeoutError):
            async with asyncio.timeout(CAPTIONS_WITHIN_S):
                while self._printed < utterances or self.whole is None or not self.whole.final:
                    self._changed.clear()
                    await self._changed.wait()


@asynccontextmanager
async def _captions(server: Server, recorder: Recorder) -> AsyncIterator[_Captions]:
    captions = _Captions()
    out().print(Text(f"session {recorder.keys.session_id}"))
    following = asyncio.create_task(
        follow_captions(server.url, recorder.keys, captions.show, captions.count, server.confirm)
    )
    try:
        yield captions
    finally:
        following.cancel()
        with suppress(asyncio.CancelledError):
            await following


async def _finish(recorder: Recorder, captions: _Captions) -> Finished:
    """Stop, and print the session's end: its length, its last words, and how often it felt which way."""
    finished = await recorder.stop()
    await captions.complete(finished.utterances)
    noun = "utterance" if finished.utterances == 1 else "utterances"
    out().print(Text(f"finished: {finished.samples / SAMPLE_RATE:.1f} s, {finished.utterances} {noun}"))
    if captions.whole is not None:
        out().print(Text(running_line(captions.whole.model_dump())))
    return finished
