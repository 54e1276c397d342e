"""The fixed mix of questions: common words and rare ones, both languages, alone and together, with filters."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import pairwise

from benchmarks.history.filling import END_MS, TAGS, YEAR_MS
from storage.listing import Filters

SHARES = (0.2, 0.1, 0.03, 0.01, 0.003, 0.001, 0.0003, 0.0001, 0.00003)
"""In what share of all utterances a word is; one in a thousand is 10,000 of ten million."""
EACH = 2


@dataclass(frozen=True, slots=True)
class Asked:
    """A question of a kind; ``pages`` is how many pages are turned, of which the last is measured."""

    kind: str
    words: str
    filters: Filters = field(default_factory=Filters)
    pages: int = 1


def mix(words: Sequence[tuple[str, float]]) -> Iterator[Asked]:
    """The questions in one language, from its words and their shares."""
    chosen = [(share, found) for share in SHARES for found in _near(words, share)]
    for share, word in chosen:
        yield Asked(f"a word in {share:.3%}", word)
        yield Asked("one label", word, Filters(sentiment="negative"))
        yield Asked("a month", word, Filters(since=_day(180), until=_day(210)))
        yield Asked("a tag", word, Filters(tag=TAGS[0]))
        yield Asked("the third page", word, pages=3)
    for (_, one), (_, other) in pairwise(chosen):
        yield Asked("two words", f"{one} {other}")
    for (_, common), (_, rare) in zip(chosen, reversed(chosen), strict=True):
        yield Asked("two words", f"{common} {rare}")
    yield Asked("no such word", "xylqzt" if words[0][0].isascii() else "쀍쀏")
    for _, word in chosen:
        if len(word) > 4 and word.isascii():
            yield Asked("the beginning of a word", word[:4] + "*")


def _near(words: Sequence[tuple[str, float]], share: float) -> list[str]:
    """Words whose share is nearest."""
    return [word for word, _ in sorted(words, key=lambda found: abs(found[1] / share - 1))[:EACH]]


def _day(number: int) -> datetime:
    return datetime.fromtimestamp((END_MS - YEAR_MS) / 1000 + number * 86_400, UTC)
