"""Reads the lengths that a WAV or RF64 file states."""

import struct
from typing import BinaryIO

_MOST_CHUNKS = 64
# What programs write that cannot know the length: zero, FFmpeg and most others 0xFFFFFFFF, sox and arecord 2 GiB.
_PLACEHOLDERS = (range(1), range(0x7FFF_0000, 0x8001_0000), range(0xFFFF_0000, 0x1_0000_0000))


def stated_end(file: BinaryIO, start: int) -> int | None:
    """The byte behind the sound data of the file that begins at ``start``, by its header; None where it states none.

    The length of the data chunk counts. The length of the whole is wrong by a header in many programs, and is only
    taken to find what lies behind the file.
    """
    file.seek(start)
    size = struct.unpack("<4xI4x", file.read(12))[0]
    at, long_data = start + 12, None
    for _ in range(_MOST_CHUNKS):
        file.seek(at)
        head = file.read(8)
        if len(head) < 8:
            return None
        name, length = struct.unpack("<4sI", head)
        if name == b"ds64" and length >= 16:
            long_data = struct.unpack("<8xQ", file.read(16).ljust(16, b"\0"))[0]
        if name == b"data":
            if length == 0xFFFF_FFFF and long_data:
                return at + 8 + int(long_data)
            if any(length in placeholder for placeholder in _PLACEHOLDERS):
                return None
            data_end = at + 8 + int(length)
            whole_end = start + 8 + int(size)
            return whole_end if data_end < whole_end and _is_joined(file, whole_end) else data_end
        at += 8 + length + length % 2
    return None


def _is_joined(file: BinaryIO, at: int) -> bool:
    file.seek(at)
    return file.read(4) in {b"RIFF", b"RF64"}
