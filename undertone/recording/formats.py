"""Finds the recordings in a file by their first bytes: their format, where they begin and where they end.

A file holds more than one where recordings were joined byte by byte: chained Ogg streams, or WAV and Matroska files
one behind the other. Bytes that precede the first one (zeros, ID3 tags, half an MP3 frame) are skipped. Formats are
told from these bytes alone and never guessed by FFmpeg, whose guess includes playlists that open other files.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from undertone.errors import Refusal
from undertone.recording import ebml, ogg, riff
from undertone.recording.mp3 import find_frames

FORMATS = "WAV, FLAC, OGG, MP3 and WebM"
MAGIC_BYTES = 12
MOST_PARTS = 2_000
# Rippers and download managers leave a few kilobytes; more is another file.
MOST_LEADING_BYTES = 1_048_576
_CHUNK_BYTES = 65_536
_MOST_TAGS = 4


@dataclass(frozen=True, slots=True)
class Part:
    """One recording in a file: bytes ``start`` to ``end``; ``stated_end`` is where its header says that it ends."""

    kind: str
    start: int
    end: int
    stated_end: int | None = None


def find_parts(file: BinaryIO) -> list[Part]:
    """The recordings in a seekable file, in order, at least one. Raises ``Refusal``.

    ``file_empty`` for no bytes, ``not_audio`` for a format that is not taken, ``file_too_complex`` for too many parts.
    """
    size = file.seek(0, 2)
    if not size:
        raise Refusal("file_empty", "the file is empty", status=422)
    kind, start = _find_first(file)
    parts = []
    for part in _split(file, kind, start, size):
        parts.append(part)
        if len(parts) > MOST_PARTS:
            raise Refusal(
                "file_too_complex", f"the file is joined from more than {MOST_PARTS} recordings: split it", status=422
            )
    return parts


def not_audio() -> Refusal:
    """The refusal of a file in no format that is taken."""
    return Refusal("not_audio", f"the file is not audio that is taken here: {FORMATS} are", status=415)


def _split(file: BinaryIO, kind: str | None, start: int, size: int) -> Iterator[Part]:
    while kind is not None:
        stated_end = _stated_end(file, kind, start)
        if kind == "ogg":
            yield from (Part("ogg", begin, end) for begin, end in ogg.find_links(file, start, size))
            return
        following = None if stated_end is None or stated_end >= size else _kind_at(file, stated_end)
        end = size if following is None or stated_end is None else stated_end
        yield Part(kind, start, end, stated_end)
        kind, start = following, end


def _stated_end(file: BinaryIO, kind: str, start: int) -> int | None:
    match kind:
        case "wav":
            return riff.stated_end(file, start)
        case "matroska":
            return ebml.stated_end(file, start)
    return None


def _find_first(file: BinaryIO) -> tuple[str, int]:
    """Format and first byte of the first recording."""
    start, has_tag = 0, False
    for _ in range(_MOST_TAGS):
        start = _skip_zeros(file, start)
        behind = _skip_tag(file, start)
        if behind == start:
            break
        start, has_tag = behind, True
    if kind := _kind_at(file, start):
        return kind, start
    file.seek(start)
    head = file.read(_CHUNK_BYTES)
    frames_at = 0 if head[:1] == b"\xff" and head[1:2] >= b"\xe0" else find_frames(head)
    if frames_at is not None:
        return "mp3", start + frames_at
    if has_tag:
        return "mp3", 0  # FFmpeg reads tags as well, and looks for frames further on
    raise not_audio()


def _kind_at(file: BinaryIO, start: int) -> str | None:
    file.seek(start)
    head = file.read(MAGIC_BYTES)
    if head[:4] in {b"RIFF", b"RF64"} and head[8:12] == b"WAVE":
        return "wav"
    return {b"fLaC": "flac", b"OggS": "ogg", b"\x1aE\xdf\xa3": "matroska"}.get(head[:4])


def _skip_zeros(file: BinaryIO, start: int) -> int:
    """The first byte from ``start`` on that is not zero, or ``start`` where there is none near."""
    file.seek(start)
    at = start
    while at - start < MOST_LEADING_BYTES and (chunk := file.read(_CHUNK_BYTES)):
        rest = chunk.lstrip(b"\0")
        at += len(chunk) - len(rest)
        if rest:
            return at
    return start


def _skip_tag(file: BinaryIO, start: int) -> int:
    """The first byte behind an ID3 tag (version 2), which some programs put before any format."""
    file.seek(start)
    head = file.read(10)
    if len(head) < 10 or head[:3] != b"ID3":
        return start
    return start + 10 + sum((byte & 0x7F) << shift for byte, shift in zip(head[6:], (21, 14, 7, 0), strict=True))
