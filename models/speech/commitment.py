"""Partials that do not flicker: what two successive hypotheses agree on is committed and never changes.

LocalAgreement-2: Liu, Spanakis, Niehues, "Low-Latency Sequence-to-Sequence Speech Recognition and Translation by
Partial Hypothesis Selection" (Interspeech 2020); in live use Macháček, Dabre, Bojar, "Turning Whisper into Real-Time
Transcription System" (2023). Korean, like English, is agreed on by words; scripts without spaces by characters.
"""

import re
import unicodedata
from dataclasses import dataclass
from itertools import takewhile

UNSPACED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
"""Thai, Lao, Burmese, Khmer, kana, Chinese characters: scripts that put no spaces between words."""

UNIT = re.compile(rf"\s*(?:[{UNSPACED}][^\w\s]*|[^\s{UNSPACED}]+)")
STARTS_UNSPACED = re.compile(rf"[\s{UNSPACED}]")


@dataclass(frozen=True, slots=True)
class Commitment:
    """A text to show; its first ``committed`` characters will not change."""

    text: str = ""
    committed: int = 0


def agree(previous: Commitment, hypothesis: str) -> Commitment:
    """What to show once a new hypothesis for the whole utterance so far is there.

    The committed part of ``previous`` stands, letter for letter. It grows by the words that follow it in both
    ``previous`` and ``hypothesis``; case and punctuation need not agree, since a decoder changes them as a sentence
    goes on. Punctuation after the last word stays open for that reason. A hypothesis that contradicts the committed
    part is continued where it fits best (least edits), so nothing is said twice.
    """
    head = previous.text[: previous.committed]
    fixed, now = _units(head), _units(hypothesis)
    start = _end_of(fixed, now)
    rest = now[start:]
    pending = _units(previous.text)[len(fixed) :]
    agreed = sum(1 for _ in takewhile(lambda pair: _key(pair[0]) == _key(pair[1]), zip(pending, rest, strict=False)))
    joint = _joint(fixed, now[:start], rest)
    committed = joint + "".join(rest[:agreed]) if agreed else ""
    if agreed == len(rest):
        committed = committed.removesuffix(_marks_after(committed))
    return Commitment(head + joint + "".join(rest), len(head) + len(committed))


def _joint(fixed: list[str], same: list[str], rest: list[str]) -> str:
    """What stands between the committed part and the rest: marks that the last word had left open, or a space."""
    if fixed and same and _key(fixed[-1]) == _key(same[-1]):
        return "" if _marks_after(fixed[-1]) else _marks_after(same[-1])
    return " " if fixed and rest and not STARTS_UNSPACED.match(rest[0]) else ""


def _units(text: str) -> list[str]:
    """Words, or characters of scripts without spaces, each with the white space before and the marks after it."""
    return UNIT.findall(text.strip())


def _key(unit: str) -> str:
    return "".join(character for character in unit.casefold() if not _is_mark(character))


def _marks_after(text: str) -> str:
    return "".join(takewhile(_is_mark, reversed(text)))[::-1]


def _is_mark(character: str) -> bool:
    """Whether it is punctuation, a symbol or white space: no part of a word."""
    return unicodedata.category(character)[0] in "PSZC"


def _end_of(fixed: list[str], now: list[str]) -> int:
    """How many units at the start of ``now`` say what ``fixed`` says: the prefix with the fewest edits to it."""
    edits = list(range(len(now) + 1))
    keys = [_key(unit) for unit in now]
    for key in map(_key, fixed):
        diagonal, edits[0] = edits[0], edits[0] + 1
        for column, other in enumerate(keys, start=1):
            cost = min(edits[column] + 1, edits[column - 1] + 1, diagonal + (key != other))
            diagonal, edits[column] = edits[column], cost
    return min(range(len(now) + 1), key=lambda column: (edits[column], abs(column - len(fixed))))
