"""Names of things: session ids that sort by time, utterance ids that follow from where the speech starts."""

import re
import uuid
from datetime import UTC, datetime

_SESSION_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")

_ID_CHARACTERS = 36
LAST_TIME_MS = 32_503_680_000_000
"""The year 3000, Unix milliseconds: times far beyond have no date in Python."""


def make_session_id(now_ms: int, random_bits: int) -> str:
    """A UUIDv7 (RFC 9562 section 5.7): 48 bits of Unix milliseconds, then 74 of the given random bits."""
    value = (now_ms & (1 << 48) - 1) << 80
    value |= 0x7 << 76 | (random_bits & 0xFFF) << 64
    value |= 0b10 << 62 | (random_bits >> 12) & ((1 << 62) - 1)
    return str(uuid.UUID(int=value))


def is_session_id(text: str) -> bool:
    """Whether ``text`` is a UUIDv7 in its canonical lower-case form, made before the year 3000."""
    return _SESSION_ID.fullmatch(text) is not None and int(text[:8] + text[9:13], 16) < LAST_TIME_MS


def session_made_ms(session_id: str) -> int:
    """When the session id was made, from its first 48 bits, in Unix milliseconds."""
    return int(session_id[:8] + session_id[9:13], 16)


def session_created_at(session_id: str) -> datetime:
    """When the session id was made."""
    return datetime.fromtimestamp(session_made_ms(session_id) / 1000, tz=UTC)


def first_session_id(made_ms: int) -> str:
    """What sorts behind the ids of all sessions made before ``made_ms`` (Unix milliseconds), and before all others."""
    digits = f"{min(max(made_ms, 0), LAST_TIME_MS):012x}"
    return f"{digits[:8]}-{digits[8:]}"


def utterance_id(session_id: str, first_sample: int) -> str:
    """The id of the utterance that starts at ``first_sample``; ids of one session sort by time."""
    return f"{session_id}-{first_sample:012d}"


def mark_key(session_id: str) -> str:
    """The key of all marks of a session in ``utterances``, so that compaction keeps the last."""
    return f"{session_id}-mark"


def window_key(session_id: str, size_ms: int, start_ms: int) -> str:
    """The key of a window in ``windows``."""
    return f"{session_id}-{size_ms}-{start_ms:012d}"


def session_of_key(key: bytes | None) -> str | None:
    """The session that a record is about: every key begins with its id. None for keys of other kinds."""
    text = (key or b"")[:_ID_CHARACTERS].decode(errors="replace")
    return text if is_session_id(text) else None
