"""What a decoder process says over its pipe: parts of the recording, then how it ended. Pure.

A message is one byte for its kind, four for the length of its body (little-endian), and the body. Whoever reads takes
nothing for granted: the other end has a codec in it that may have been taken over by the file.
"""

import json
import struct
from dataclasses import asdict, dataclass
from typing import Any, TypeAlias

from undertone.audio import BYTES_PER_SAMPLE, LAST_SAMPLE
from undertone.errors import Refusal
from undertone.recording.report import FULL_SCALE, Note, Report
from undertone.recording.silence import Silence

HEADER = struct.Struct("<cI")
MAX_BODY_BYTES = 1_000_000
_NUMBER = struct.Struct("<Q")


@dataclass(frozen=True, slots=True)
class Progress:
    """So many samples are decoded; nothing else is to be said yet."""

    samples: int


@dataclass(frozen=True, slots=True)
class Failed:
    """Something went wrong that is not the file's fault; ``reason`` is for the log."""

    reason: str


Message: TypeAlias = bytes | Silence | Progress | Report | Failed | Refusal


def encode(message: Message) -> bytes:
    """The bytes of a message."""
    match message:
        case bytes():
            kind, body = b"P", message
        case Silence(samples):
            kind, body = b"S", _NUMBER.pack(samples)
        case Progress(samples):
            kind, body = b"N", _NUMBER.pack(samples)
        case Report():
            kind, body = b"E", json.dumps(asdict(message)).encode()
        case Failed(reason):
            kind, body = b"F", reason.encode()[:MAX_BODY_BYTES]
        case Refusal():
            given = {"code": message.code, "message": message.message, "status": message.status}
            kind, body = b"R", json.dumps(given).encode()
    return HEADER.pack(kind, len(body)) + body


def parse_header(header: bytes) -> tuple[bytes, int]:
    """Kind and length of the body. Raises ``ValueError`` for a body that is too long."""
    kind, length = HEADER.unpack(header)
    if length > MAX_BODY_BYTES:
        raise ValueError(f"a message of {length} bytes")
    return kind, length


def decode(kind: bytes, body: bytes) -> Message:
    """The message. Raises ``ValueError`` for anything that ``encode`` does not make."""
    match kind:
        case b"P" if body and len(body) % BYTES_PER_SAMPLE == 0:
            return body
        case b"S":
            return Silence(_number(body))
        case b"N":
            return Progress(_number(body))
        case b"E":
            return _report(json.loads(body))
        case b"F":
            return Failed(body.decode(errors="replace"))
        case b"R":
            return _refusal(json.loads(body))
    raise ValueError(f"a message of kind {kind!r} with {len(body)} bytes")


def _number(body: bytes) -> int:
    if len(body) != _NUMBER.size:
        raise ValueError(f"a number of {len(body)} bytes")
    number: int = _NUMBER.unpack(body)[0]
    return _checked(number)


def _checked(samples: int) -> int:
    if not 0 <= samples <= LAST_SAMPLE:
        raise ValueError(f"{samples} samples are more than any session holds")
    return samples


def _report(given: Any) -> Report:
    match given:
        case {"samples": int(samples), "peak": int(peak), "notes": [*notes]} if 0 <= peak <= FULL_SCALE:
            return Report(_checked(samples), peak, tuple(map(_note, notes)))
    raise ValueError("a report without samples, peak or notes")


def _note(given: Any) -> Note:
    match given:
        case {"code": str(code), "message": str(message)}:
            return Note(code, message)
    raise ValueError("a note without code or message")


def _refusal(given: Any) -> Refusal:
    match given:
        case {"code": str(code), "message": str(message), "status": int(status)} if 400 <= status < 500:
            return Refusal(code, message, status=status)
    raise ValueError("a refusal without code, message or status")
