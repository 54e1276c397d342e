"""Opens what the command line names as a recording: a file, a pipe, or standard input as ``-``.

A decoder needs a file that it can read twice and at any place, so a pipe is first copied to a temporary file.
"""

import asyncio
import os
import stat
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryFile
from typing import BinaryIO, cast

from undertone.commands.terminal import one_line
from undertone.errors import FatalError

STANDARD_INPUT = Path("-")
MAX_TITLE = 200
# A recording of a day without compression; what never ends does not fill the disk.
MAX_PIPE_BYTES = 16_000_000_000
_PIECE_BYTES = 1_048_576
_NAMELESS = ("/dev/", "/proc/")


def name_of(path: Path) -> str:
    """The path for people: bytes that are not UTF-8 and control characters are made readable."""
    if path == STANDARD_INPUT:
        return "standard input"
    return one_line(os.fsencode(path).decode("utf-8", "replace"))


def title_of(path: Path) -> str | None:
    """The title of a session for the recording at ``path``: its name, at most 200 characters; None for a pipe."""
    if path == STANDARD_INPUT or str(path.absolute()).startswith(_NAMELESS):
        return None
    name = name_of(Path(path.name))
    return name if len(name) <= MAX_TITLE else f"{name[: MAX_TITLE - 1]}…"


@asynccontextmanager
async def open_source(path: Path) -> AsyncIterator[BinaryIO]:
    """The recording as a seekable file for the block. Raises ``FatalError`` that does not name it."""
    try:
        file = os.fdopen(os.dup(0), "rb") if path == STANDARD_INPUT else path.open("rb")
    except OSError as error:
        raise FatalError(f"cannot be read: {error.strerror}") from error
    with file:
        kind = os.fstat(file.fileno()).st_mode
        if stat.S_ISREG(kind):
            yield file
        elif stat.S_ISFIFO(kind) or stat.S_ISSOCK(kind):
            with TemporaryFile() as temporary:
                copy = cast("BinaryIO", temporary)
                await _copy_pipe(file, copy)
                yield copy
        else:
            raise FatalError("is neither a file nor a pipe: name a recording, or pipe one into the command")


async def _copy_pipe(pipe: BinaryIO, copy: BinaryIO) -> None:
    """Copy a pipe up to its end. Unlike a plain read this ends with Ctrl-C while the pipe is silent."""
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader(_PIECE_BYTES)
    taken = os.fdopen(os.dup(pipe.fileno()), "rb")
    transport, _ = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), taken)
    size = 0
    try:
        while piece := await reader.read(_PIECE_BYTES):
            size += len(piece)
            if size > MAX_PIPE_BYTES:
                raise FatalError(f"is longer than {MAX_PIPE_BYTES // 10**9} GB: save it as a file, and send that")
            copy.write(piece)
        copy.flush()
    except OSError as error:
        raise FatalError(f"cannot be copied to a temporary file: {error.strerror}") from error
    finally:
        os.set_blocking(pipe.fileno(), True)  # other programs may share it
        transport.close()
