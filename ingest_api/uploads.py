"""What the uploads of one process may hold, in all and for one caller: connections, disk, and decoder processes."""

import asyncio
import errno
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from tempfile import TemporaryFile
from typing import BinaryIO, cast

from fastapi import Request

from ingest_api.bodies import stream_body
from ingest_api.fair_places import FairPlaces, files_busy
from undertone.errors import Refusal

# Files that arrive or wait: a slow one holds a connection and little else.
ARRIVING, ARRIVING_SHARE = 32, 8
# Files that are checked and fed: each has a decoder process.
TAKEN, TAKEN_SHARE = 8, 2
# Temporary files on the disk, counted as files of the largest size.
SPOOLED, SPOOLED_SHARE = 8, 4
ARRIVES_WITHIN_S = 5.0
TAKEN_WITHIN_S = 300.0
UPLOAD_WITHIN_S = 900.0


class Uploads:
    """The uploads of one process. A caller is whoever ``undertone.access.quotas.account_of`` names."""

    def __init__(self, max_file_bytes: int) -> None:
        self._max_file_bytes = max_file_bytes
        self._arriving = FairPlaces(ARRIVING, ARRIVING_SHARE)
        self._taken = FairPlaces(TAKEN, TAKEN_SHARE)
        self._disk = DiskSpace(SPOOLED * max_file_bytes, SPOOLED_SHARE * max_file_bytes)

    @asynccontextmanager
    async def receive(self, request: Request, caller: str) -> AsyncIterator[BinaryIO]:
        """The body of the request as a file, which is deleted behind the block. Raises ``Refusal``."""
        async with self._arriving.hold(caller, ARRIVES_WITHIN_S):
            held_bytes = 0
            try:
                with TemporaryFile() as temporary:
                    file = cast("BinaryIO", temporary)
                    async for piece in self._pieces(request):
                        self._disk.take(caller, len(piece))
                        held_bytes += len(piece)
                        await asyncio.to_thread(_write, file, piece)
                    yield file
            finally:
                self._disk.give_back(caller, held_bytes)

    @asynccontextmanager
    async def take(self, caller: str) -> AsyncIterator[None]:
        """The right to decode and feed one file for the block. Raises ``Refusal`` ``files_busy``."""
        async with self._taken.hold(caller, TAKEN_WITHIN_S):
            yield

    async def _pieces(self, request: Request) -> AsyncIterator[bytes]:
        deadline_s = asyncio.get_running_loop().time() + UPLOAD_WITHIN_S
        pieces = stream_body(request, self._max_file_bytes, "file_too_large")
        while True:
            try:
                async with asyncio.timeout_at(deadline_s):
                    piece = await anext(pieces, None)
            except TimeoutError as error:
                raise Refusal(
                    "file_too_slow",
                    f"the file did not arrive within {UPLOAD_WITHIN_S:.0f} s: stream it instead",
                    status=408,
                ) from error
            if piece is None:
                return
            yield piece


class DiskSpace:
    """Bytes of temporary files, in all and of each caller."""

    def __init__(self, total_bytes: int, share_bytes: int) -> None:
        self._total_bytes = total_bytes
        self._share_bytes = share_bytes
        self._used_bytes: Counter[str] = Counter()

    def take(self, caller: str, size_bytes: int) -> None:
        """Count ``size_bytes`` more of the caller. Raises ``Refusal`` ``files_busy`` where there is no room."""
        is_too_much = self._used_bytes[caller] + size_bytes > self._share_bytes
        if is_too_much or self._used_bytes.total() + size_bytes > self._total_bytes:
            raise files_busy()
        self._used_bytes[caller] += size_bytes

    def give_back(self, caller: str, size_bytes: int) -> None:
        """Count ``size_bytes`` of the caller no more."""
        self._used_bytes[caller] -= size_bytes
        if not self._used_bytes[caller]:
            del self._used_bytes[caller]


def _write(file: BinaryIO, piece: bytes) -> None:
    try:
        file.write(piece)
        file.flush()
    except OSError as error:
        if error.errno in {errno.ENOSPC, errno.EDQUOT}:  # others' files go, and then there is room
            raise files_busy() from error
        raise
