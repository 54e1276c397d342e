"""Decodes a recording in a process of its own: the caller's memory and event loop never hold more than a few blocks.

A process is started for each reading of a file (0.2 s of one core), so that a file that breaks its decoder harms no
other. Verdicts on the file come as the ``Refusal`` of ``decoder``; they depend on the file alone. A decoder that was
stopped from outside or by its bound on time says nothing about the file: ``decoder_stopped``, which may be tried again.
"""

import asyncio
import logging
import os
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager, suppress
from typing import BinaryIO

from undertone.errors import Refusal
from undertone.recording import messages
from undertone.recording.limits import DecodeLimits
from undertone.recording.messages import HEADER, Failed, Message
from undertone.recording.report import Report
from undertone.recording.silence import Part, Silence
from undertone.recording.worker import Job

log = logging.getLogger(__name__)

# Signals by which a process ends itself: by a broken codec, not by its system or a person.
CRASHES = frozenset({signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS, signal.SIGFPE, signal.SIGILL, signal.SIGTRAP})
AGAIN_AFTER_MS = 10_000


async def measure_recording(file: BinaryIO, limits: DecodeLimits, within_s: float) -> Report:
    """Length, level and notes of the file, by decoding all of it. Raises ``Refusal`` for a file that is not taken.

    After ``within_s`` it is ``decoder_stopped``, which says nothing about the file.
    """
    try:
        async with asyncio.timeout(within_s), aclosing(_read(file, Job(limits))) as found:
            async for message in found:
                if isinstance(message, Report):
                    return message
    except TimeoutError as error:
        raise _stopped(f"it took longer than {within_s:.0f} s") from error
    raise _stopped("it ended without a word")


async def read_recording(file: BinaryIO, limits: DecodeLimits, block_samples: int) -> AsyncGenerator[bytes, None]:
    """PCM in blocks of ``block_samples``, the last one shorter.

    The file has a descriptor; its own position is moved. Raises ``Refusal``, perhaps after some blocks. Close the
    generator (``contextlib.aclosing``) to stop its process.
    """
    async with aclosing(_read(file, Job(limits, block_samples))) as found:
        async for message in found:
            if isinstance(message, bytes):
                yield message


async def read_sound(file: BinaryIO, limits: DecodeLimits, block_samples: int) -> AsyncGenerator[Part, None]:
    """The same without long digital silence, in the place of which there is a ``Silence``."""
    async with aclosing(_read(file, Job(limits, block_samples, skips_silence=True))) as found:
        async for message in found:
            if isinstance(message, bytes | Silence):
                yield message


async def _read(file: BinaryIO, job: Job) -> AsyncGenerator[Message, None]:
    """What the process says up to its ``Report``. Raises ``Refusal`` for every other way to end."""
    file.flush()
    async with _decoding(file, job) as process:
        output = process.stdout
        assert output is not None
        try:
            while True:
                kind, length = messages.parse_header(await output.readexactly(HEADER.size))
                message = messages.decode(kind, await output.readexactly(length))
                match message:
                    case Refusal():
                        raise message
                    case Failed(reason):
                        log.error("a recording could not be decoded: %s", reason)
                        raise _stopped("it failed")
                yield message
                if isinstance(message, Report):
                    return
        except asyncio.IncompleteReadError as error:
            raise _ended(await process.wait()) from error
        except ValueError as error:
            log.error("a decoder process says %s", error)  # noqa: TRY400 - no fault of this process
            raise _stopped("it failed") from error


@asynccontextmanager
async def _decoding(file: BinaryIO, job: Job) -> AsyncIterator[Process]:
    """A decoder process for the block; behind it, it is gone and leaves nothing behind."""
    # Nothing that the file might take over finds a secret in its environment, or is hit by a Ctrl-C for its parent.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("UNDERTONE_")}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-m", "undertone.recording.worker", job.to_json()),
        stdin=file,
        stdout=PIPE,
        stderr=DEVNULL,
        env=environment,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await asyncio.shield(_reap(process))


async def _reap(process: Process) -> None:
    assert process.stdout is not None
    await process.stdout.read()  # a pipe that is still full would keep the transport, and so this process, waiting
    await process.wait()


def _ended(status: int) -> Refusal:
    """What a process that ended without its last word says about the file."""
    if status == -signal.SIGXCPU:
        return _stopped("it took too much time")
    if -status in CRASHES:
        log.error("a recording crashed its decoder: %s", signal.Signals(-status).name)
        return Refusal(
            "file_damaged", "the file cannot be decoded: the decoder crashed. Convert it to WAV or FLAC", status=422
        )
    log.error("a decoder process ended with status %d", status)
    return _stopped("it was ended, perhaps because memory is short")


def _stopped(why: str) -> Refusal:
    return Refusal(
        "decoder_stopped",
        f"decoding the file was stopped: {why}. Send it again",
        status=503,
        retryable=True,
        retry_after_ms=AGAIN_AFTER_MS,
    )
