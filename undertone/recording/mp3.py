"""Finds the frames of an MP3 by their headers, and whether the first one states a length."""

from collections.abc import Iterator
from dataclasses import dataclass

_KILOBITS = {
    (True, 3): (32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    (True, 2): (32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (True, 1): (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (False, 3): (32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    (False, 2): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    (False, 1): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
"""By whether it is MPEG 1, and by the layer's two bits."""
_RATES = {3: (44_100, 48_000, 32_000), 2: (22_050, 24_000, 16_000), 0: (11_025, 12_000, 8_000)}
# Noise passes for a frame header once in some thousand bytes; so many that lie end to end are no noise.
_IN_A_ROW = 4


@dataclass(frozen=True, slots=True)
class Frame:
    """A frame header: the bytes of the frame and its samples."""

    size_bytes: int
    samples: int
    rate: int


def parse_frame(head: bytes) -> Frame | None:
    """The frame with a header of four bytes; None for anything else."""
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE0 != 0xE0:
        return None
    version, layer, bit_rate, rate = head[1] >> 3 & 3, head[1] >> 1 & 3, head[2] >> 4, head[2] >> 2 & 3
    if version == 1 or layer == 0 or bit_rate in {0, 15} or rate == 3:
        return None
    bits = 1000 * _KILOBITS[version == 3, layer][bit_rate - 1]
    hertz, padding = _RATES[version][rate], head[2] >> 1 & 1
    if layer == 3:
        return Frame((12 * bits // hertz + padding) * 4, 384, hertz)
    samples = 576 if layer == 1 and version != 3 else 1152
    return Frame(samples // 8 * bits // hertz + padding, samples, hertz)


def find_frames(data: bytes) -> int | None:
    """Where in ``data`` several frames lie end to end; None where they do nowhere."""
    for at in _places(data, b"\xff"):
        behind, count = at, 0
        while count < _IN_A_ROW and (frame := parse_frame(data[behind : behind + 4])) is not None:
            behind, count = behind + frame.size_bytes, count + 1
        if count == _IN_A_ROW:
            return at
    return None


def stated_seconds(data: bytes) -> float | None:
    """The length that a Xing or Info header in the first frame of ``data`` states."""
    at = find_frames(data)
    if at is None or (frame := parse_frame(data[at : at + 4])) is None:
        return None
    body = data[at : at + frame.size_bytes]
    for name in (b"Xing", b"Info"):
        found = body.find(name)
        if found >= 0 and len(body) >= found + 12 and body[found + 7] & 1:
            return int.from_bytes(body[found + 8 : found + 12]) * frame.samples / frame.rate
    return None


def _places(data: bytes, what: bytes) -> Iterator[int]:
    at = data.find(what)
    while at >= 0:
        yield at
        at = data.find(what, at + 1)
