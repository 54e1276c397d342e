"""Error rates. Pure.

Both sides of a comparison are put through Whisper's own text normaliser. Words are counted, but for languages that
write no spaces, or write them as they like (Korean): there characters are, and spaces are not.
"""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import jiwer

from benchmarks.clips import Clip, Heard

with warnings.catch_warnings(action="ignore"):  # its source has escapes that newer Pythons warn of
    from whisper_normalizer.basic import BasicTextNormalizer
    from whisper_normalizer.english import EnglishTextNormalizer

Unit: TypeAlias = Literal["words", "characters"]

BY_CHARACTERS = frozenset({"ko", "zh", "yue", "ja", "th", "lo", "km", "my"})


@dataclass(frozen=True, slots=True)
class Edits:
    """What it takes to turn one reference of so many words or characters into what was heard."""

    length: int
    inserted: int
    deleted: int
    substituted: int

    @property
    def errors(self) -> int:
        """All of them."""
        return self.inserted + self.deleted + self.substituted


@dataclass(frozen=True, slots=True)
class Score:
    """The figures of one set in one language; rates in percent, of all text and of the text that counts.

    ``length`` is that of the references, in ``unit``; insertions and the like are of the text that counts.
    ``invented`` counts recordings without speech in which some text counts.
    """

    group: str
    language: str
    clips: int
    unit: Unit
    length: int
    error_rate: float | None
    counted_error_rate: float | None
    inserted: int
    deleted: int
    substituted: int
    utterances: int
    retried: int
    suppressed: int
    invented: int


def normalise(text: str, language: str | None) -> str:
    """Whisper's normal form; for languages other than English its basic one."""
    return str(_ENGLISH(text) if language == "en" else _BASIC(text))


def unit_of(language: str | None) -> Unit:
    """What errors are counted in."""
    return "characters" if language in BY_CHARACTERS else "words"


def split(text: str, language: str | None) -> list[str]:
    """The words of a text in normal form, or its characters without the spaces."""
    words = normalise(text, language).split()
    return words if unit_of(language) == "words" else list("".join(words))


def compare(reference: str, text: str, language: str | None) -> Edits:
    """The least edits from a reference to a text."""
    truth = split(reference, language)
    found = jiwer.process_words(" ".join(truth), " ".join(split(text, language)))
    return Edits(len(truth), found.insertions, found.deletions, found.substitutions)


def is_scored(clip: Clip) -> bool:
    """Whether it is known what is said in it."""
    return clip.is_speech and bool(clip.reference)


def edits_of(clips: Sequence[Clip], texts: Sequence[str]) -> list[Edits]:
    """The edits of every clip that is scored."""
    return [
        compare(str(clip.reference), text, clip.language)
        for clip, text in zip(clips, texts, strict=True)
        if is_scored(clip)
    ]


def error_rate(edits: Sequence[Edits]) -> float | None:
    """Errors in percent of the length of all references; None without any."""
    length = sum(one.length for one in edits)
    return round(100 * sum(one.errors for one in edits) / length, 2) if length else None


def score(group: str, clips: Sequence[Clip], heard: Sequence[Heard]) -> Score:
    """The figures of clips of one language."""
    language = clips[0].language
    counted = edits_of(clips, [one.counted for one in heard])
    return Score(
        group=group,
        language=language or "-",
        clips=len(clips),
        unit=unit_of(language),
        length=sum(one.length for one in counted),
        error_rate=error_rate(edits_of(clips, [one.text for one in heard])),
        counted_error_rate=error_rate(counted),
        inserted=sum(one.inserted for one in counted),
        deleted=sum(one.deleted for one in counted),
        substituted=sum(one.substituted for one in counted),
        utterances=sum(one.utterances for one in heard),
        retried=sum(one.retried for one in heard),
        suppressed=sum(one.suppressed for one in heard),
        invented=sum(bool(one.counted) and not clip.is_speech for clip, one in zip(clips, heard, strict=True)),
    )


def groups_of(clips: Sequence[Clip]) -> dict[tuple[str, str | None], list[int]]:
    """Which clips make a row: those of a set in one language, then all of a language."""
    rows: dict[tuple[str, str | None], list[int]] = {}
    for group in (*sorted({clip.group for clip in clips}), "all"):
        for language in sorted({clip.language or "" for clip in clips}):
            members = [
                number
                for number, clip in enumerate(clips)
                if group in {clip.group, "all"} and (clip.language or "") == language
            ]
            if members:
                rows[group, language or None] = members
    return rows


_ENGLISH = EnglishTextNormalizer()
_BASIC = BasicTextNormalizer()
