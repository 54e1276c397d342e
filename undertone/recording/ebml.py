"""Reads how long the segment of a Matroska or WebM file says that it is."""

from typing import BinaryIO

_SEGMENT = b"\x18\x53\x80\x67"


def stated_end(file: BinaryIO, start: int) -> int | None:
    """The byte behind the segment of the file that begins at ``start``; None where it is written live, without one."""
    file.seek(start + 4)
    header_bytes = _read_length(file)
    if header_bytes is None:
        return None
    file.seek(header_bytes, 1)
    if file.read(4) != _SEGMENT:
        return None
    length = _read_length(file)
    return None if length is None else file.tell() + length


def _read_length(file: BinaryIO) -> int | None:
    """A number of variable size at the file's position; None where it is unknown (all ones) or no number."""
    first = file.read(1)
    if not first or not first[0]:
        return None
    more = 8 - first[0].bit_length()
    rest = file.read(more)
    value = int.from_bytes(first + rest) & ((1 << 7 * (more + 1)) - 1)
    return None if len(rest) < more or value == (1 << 7 * (more + 1)) - 1 else value
