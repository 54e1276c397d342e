"""Small files that state or hold far more than their size tells."""

import struct

LARGEST_BLOCK = 65_535


def make_wav(rate: int, channels: int, data: bytes, stated_bytes: int | None = None) -> bytes:
    """PCM of 16 bits with a header that says whatever it is told."""
    block = 2 * channels
    layout = struct.pack("<IHHIIHH", 16, 1, channels, rate, rate * block % 2**32, block, 16)
    size = len(data) if stated_bytes is None else stated_bytes
    body = b"WAVEfmt " + layout + b"data" + struct.pack("<I", size) + data
    return b"RIFF" + struct.pack("<I", len(body) if stated_bytes is None else stated_bytes) + body


def make_flac(rate: int, frames: int, channels: int = 1, block: int = LARGEST_BLOCK) -> bytes:
    """Digital silence in the fewest bytes: each frame of ``block`` samples is one constant a channel."""
    numbers = (rate << 44 | (channels - 1) << 41 | 15 << 36).to_bytes(8)
    info = struct.pack(">HH", block, block) + bytes(6) + numbers + bytes(16)
    parts = [b"fLaC\x80\0\0\x22" + info]
    for number in range(frames):
        head = b"\xff\xf8\x7d" + bytes([(channels - 1) << 4 | 8]) + chr(number).encode()
        head += struct.pack(">HH", block - 1, rate)
        head += _crc(head, 0x07, 8).to_bytes(1)
        body = head + bytes(3 * channels)
        parts.append(body + _crc(body, 0x8005, 16).to_bytes(2))
    return b"".join(parts)


def _crc(data: bytes, polynomial: int, bits: int) -> int:
    top, mask, value = 1 << bits - 1, (1 << bits) - 1, 0
    for byte in data:
        value ^= byte << bits - 8
        for _ in range(8):
            value = (value << 1 ^ polynomial if value & top else value << 1) & mask
    return value


BOMBS = {
    "a wav of 200 megahertz": make_wav(199_999_991, 1, bytes(20_000)),
    "a sample a second": make_flac(rate=1, frames=1),
    "hours of silence": make_flac(rate=16_000, frames=2000),
    "eight channels of silence": make_flac(rate=48_000, frames=500, channels=8),
    "a slow wav": make_wav(1, 1, bytes(20_000)),
    "a wav of very many channels": make_wav(16_000, 32_767, bytes(400_000)),
    "a wav that states four gigabytes": make_wav(16_000, 1, bytes(4000), stated_bytes=0xFFFE_FFFF),
    "a tag of 256 megabytes": b"ID3\x04\0\0\x7f\x7f\x7f\x7fAPIC\x7f\x7f\x7f\x7f\0\0" + bytes(4000),
    "an element without end": b"\x1aE\xdf\xa3\x01" + b"\xff" * 7 + bytes(4000),
    "a block of 200 megabytes": b"\x1aE\xdf\xa3\x80\x18S\x80g\x01" + b"\xff" * 7 + b"\x1fC\xb6u\x1c" + bytes(99),
    "a comment of four gigabytes": b"fLaC\x84\xff\xff\xff" + b"\xff" * 4000,
}
