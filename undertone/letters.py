"""Dead letters: a record as it was, with why it was put aside. How they lie in their topic, and which are one.

The original key, value and headers, byte for byte, and behind them one header ``dead-letter`` that holds the reason.
The same record put aside again (a worker stopped before it acknowledged it) is the same letter.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, replace

from undertone.codec import VERSION, Headers, decode, encode
from undertone.errors import PoisonError
from undertone.events import DeadLetter
from undertone.identifiers import is_session_id
from undertone.topics import DEAD_LETTERS

_REASON: Headers = [("schema", f"undertone.dead_letter/{VERSION}".encode())]
WHY = "dead-letter"
CUT = "dead-letter-cut"
_SESSION_ID_BYTES = 36
_SHORT_BYTES = 1000


@dataclass(frozen=True, slots=True)
class Letter:
    """A record that was put aside. ``is_cut`` says that something of it is missing: it was larger than any record."""

    why: DeadLetter
    key: bytes | None
    value: bytes | None
    headers: Headers
    is_cut: bool = False

    @property
    def id(self) -> str:
        """Twelve characters that follow from where the record lay, who put it aside, and its bytes."""
        digest = hashlib.sha256()
        names = (self.why.app, self.why.topic, str(self.why.partition), str(self.why.offset))
        headers = (part for name, given in self.headers for part in (name.encode(), given or b""))
        for part in (*(name.encode() for name in names), self.key or b"", self.value or b"", *headers):
            digest.update(len(part).to_bytes(8) + part)
        return digest.hexdigest()[:12]

    @property
    def place(self) -> str:
        """Where the record lay: ``transcripts-3@17``."""
        return f"{self.why.topic}-{self.why.partition}@{self.why.offset}"

    @property
    def session_id(self) -> str | None:
        """The session that the key begins with, if it does."""
        start = (self.key or b"")[:_SESSION_ID_BYTES].decode(errors="replace")
        return start if is_session_id(start) else None


def seal(letter: Letter) -> tuple[bytes, bytes | None, Headers]:
    """Key, value and headers of the letter's record; cut to what the topic takes where it must be."""
    value, _ = encode(letter.why)
    kept = _fit(letter, DEAD_LETTERS.max_bytes - len(value) - _SHORT_BYTES)
    cut = [(CUT, str(_size(letter)).encode())] if kept.is_cut else []
    return kept.key or b"", kept.value, [*kept.headers, (WHY, value), *cut]


def unseal(key: bytes | None, value: bytes | None, headers: Iterable[tuple[str, bytes]]) -> Letter | None:
    """The letter that a record holds, None if it holds none."""
    given = list(headers)
    at = max((number for number, (name, _) in enumerate(given) if name == WHY), default=None)
    if at is None:
        return None
    try:
        why = decode(given[at][1], _REASON)
    except PoisonError:
        return None
    if not isinstance(why, DeadLetter):
        return None
    return Letter(why, key, value, given[:at], any(name == CUT for name, _ in given[at + 1 :]))


def _fit(letter: Letter, room: int) -> Letter:
    """The letter in ``room`` bytes: the end of the value goes first, then headers and key."""
    if _size(letter) <= room:
        return letter
    kept = replace(letter, is_cut=True)
    if _size(replace(letter, value=None)) > room // 2:
        kept = replace(kept, key=(letter.key or b"")[:_SHORT_BYTES], headers=[])
    return replace(kept, value=(letter.value or b"")[: room - _size(replace(kept, value=None))])


def _size(letter: Letter) -> int:
    headers = sum(len(name.encode()) + len(given or b"") + 10 for name, given in letter.headers)
    return len(letter.key or b"") + len(letter.value or b"") + headers
