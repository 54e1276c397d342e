"""Cursors of viewers: where a stream stands, as the next offset of each partition that it reads.

A position is a tuple of offsets. Viewers see it as url-safe base64 of variable-length integers (seven bits a byte,
lowest first, the high bit set on all but the last), after one byte of version; any replica can read it.
"""

import base64
import binascii
from typing import TypeAlias

Position: TypeAlias = tuple[int, ...]

_VERSION = 1
_LONGEST = 10  # bytes of a 64-bit integer


def write_position(position: Position) -> str:
    """The cursor of a position."""
    packed = bytearray([_VERSION])
    for offset in position:
        left = offset
        while left > 0x7F:
            packed.append(left & 0x7F | 0x80)
            left >>= 7
        packed.append(left)
    return base64.urlsafe_b64encode(packed).decode().rstrip("=")


def read_position(cursor: str, length: int) -> Position | None:
    """The position of a cursor, or None for text that is no cursor of a stream with ``length`` partitions."""
    if len(cursor) > 2 * (1 + _LONGEST * length):  # base64 has four characters for three bytes
        return None
    try:
        packed = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None
    if packed[:1] != bytes([_VERSION]):
        return None
    position = []
    value = shift = 0
    for byte in packed[1:]:
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            position.append(value)
            value = shift = 0
        elif shift >= 7 * _LONGEST:
            return None
    return tuple(position) if shift == 0 and len(position) == length else None
