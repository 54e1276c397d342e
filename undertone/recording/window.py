"""A part of a file that reads as a file of its own."""

from typing import BinaryIO


class Window:
    """Bytes ``start`` to ``end`` of a seekable file, as FFmpeg reads and seeks them."""

    def __init__(self, file: BinaryIO, start: int, end: int) -> None:
        self._file = file
        self._start = start
        self._end = end
        self.seek(0)

    def read(self, size: int = -1) -> bytes:
        """The next bytes, at most ``size``; none at the end."""
        rest = max(0, self._end - self._file.tell())
        return self._file.read(rest if size < 0 else min(size, rest))

    def seek(self, offset: int, whence: int = 0) -> int:
        """Go to a place and return it; ``whence`` is as of any file."""
        base = {0: self._start, 1: self._file.tell(), 2: self._end}[whence]
        return self._file.seek(max(self._start, base + offset)) - self._start

    def tell(self) -> int:
        """The place of the next byte."""
        return self._file.tell() - self._start
