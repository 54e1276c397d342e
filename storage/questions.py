"""What somebody searches for: words and phrases, as a ``tsquery`` and as marks in the texts that are found. Pure.

All words must be there, in any order. ``"in quotes"`` they stand side by side, and typographic quotes are quotes;
``refu*`` is any word that begins so.
"""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple, TypeAlias

from storage import terms, terms_1
from storage.terms import Token, grapheme_ends, normal, quoted
from undertone.errors import Refusal

Tokenize: TypeAlias = Callable[[str], Iterator[Token]]

MOST_TERMS = 32
_QUOTES = '"“”„‟«»＂「」『』〝〞〟'
_PART = re.compile(rf"[{_QUOTES}]([^{_QUOTES}]*)[{_QUOTES}]|(\S+)")


class Sought(NamedTuple):
    """A term, how many places it stands behind the one before it, and whether it is only how a word begins."""

    term: str
    distance: int = 0
    is_prefix: bool = False

    def is_in(self, token: Token) -> bool:
        """Whether it is found in this token."""
        return token.term.startswith(self.term) if self.is_prefix else token.term == self.term


@dataclass(frozen=True, slots=True)
class Question:
    """Phrases that must all be there. A word is a phrase too: "1,000" is two terms side by side.

    ``earlier`` is the same question in the terms of version 1, for rows that still have those; None where none do. It
    has no phrases where that version knows no word in it, and then no such row is found.
    """

    phrases: tuple[tuple[Sought, ...], ...]
    earlier: "Question | None" = None
    tokenize: Tokenize = terms.tokens

    def query(self) -> str:
        """It as PostgreSQL reads a ``tsquery``."""
        return " & ".join(_phrase_query(phrase) for phrase in self.phrases)

    def parts(self, text: str) -> list[tuple[str, bool]]:
        """The text (NFC) in parts, and of each whether it is what was searched for. Joined they are the text.

        No grapheme is cut: where a part of one was searched for, all of it is.
        """
        text, parts, done = normal(text), [], 0
        marks = self._marks(list(self.tokenize(text)), text)
        if not marks and self.earlier is not None:
            return self.earlier.parts(text)
        for start, end in marks:
            parts += [(text[done:start], False), (text[start:end], True)]
            done = end
        return [part for part in [*parts, (text[done:], False)] if part[0]]

    def _marks(self, found: list[Token], text: str) -> list[tuple[int, int]]:
        """From where to where there is something that was searched for: in order, apart from each other."""
        at: dict[int, list[Token]] = {}
        for token in found:
            at.setdefault(token.position, []).append(token)
        marks: list[tuple[int, int]] = []
        hits = sorted({mark for phrase in self.phrases for mark in _found(phrase, found, at)})
        ends = grapheme_ends(text) if hits and not text.isascii() else range(len(text) + 1)
        for begin, stop in hits:
            start, end = ends[bisect_right(ends, begin) - 1], ends[bisect_left(ends, stop)]
            if marks and start <= marks[-1][1]:
                marks[-1] = (marks[-1][0], max(end, marks[-1][1]))
            else:
                marks.append((start, end))
        return marks


def read_question(text: str) -> Question:
    """The question in ``text``. Raises ``Refusal`` (422) if nothing is asked for, or too much."""
    asked = _phrases(text, _CURRENT)
    if not asked:
        raise Refusal("request_invalid", "there is no word in q: give one to search for", status=422)
    if sum(map(len, asked)) > MOST_TERMS:
        raise Refusal("request_invalid", "there are too many words in q: give fewer", status=422)
    earlier = Question(_phrases(text, _VERSION_1), tokenize=terms_1.tokens)
    return Question(asked, earlier)


def without_earlier(question: Question) -> Question:
    """The question where no row has terms of an earlier version."""
    return replace(question, earlier=None)


class _Version(NamedTuple):
    tokenize: Tokenize
    fold: Callable[[str], str]


_CURRENT = _Version(terms.tokens, terms.folded)
_VERSION_1 = _Version(terms_1.tokens, terms_1.folded)


def _phrases(text: str, version: _Version) -> tuple[tuple[Sought, ...], ...]:
    """The phrases in a question, each once. A part without a word is none."""
    phrases = []
    for part in _PART.finditer(text):
        if part[1] is not None:
            phrases.append(_phrase(part[1], version))
        else:
            phrases.append(_phrase(part[2].rstrip("*"), version, is_prefix=part[2].endswith("*")))
    return tuple(dict.fromkeys(phrase for phrase in phrases if phrase))


def _phrase(text: str, version: _Version, *, is_prefix: bool = False) -> tuple[Sought, ...]:
    """The terms of a phrase; the last is the beginning of a word if ``is_prefix``, and pairs are parts anyway."""
    asked = [token for token in version.tokenize(text) if not token.is_spare]
    before = [asked[0].position, *(token.position for token in asked)] if asked else []
    phrase = [Sought(token.term, token.position - last) for token, last in zip(asked, before, strict=False)]
    if is_prefix and asked and not terms.is_paired(word := normal(text)[asked[-1].start : asked[-1].end]):
        phrase[-1] = phrase[-1]._replace(term=version.fold(word), is_prefix=True)
    return tuple(phrase)


def _phrase_query(phrase: tuple[Sought, ...]) -> str:
    first, *others = (quoted(sought.term) + (":*" if sought.is_prefix else "") for sought in phrase)
    distances = [sought.distance for sought in phrase[1:]]
    return first + "".join(f" <{distance}> {term}" for distance, term in zip(distances, others, strict=True))


def _found(phrase: tuple[Sought, ...], found: list[Token], at: dict[int, list[Token]]) -> Iterator[tuple[int, int]]:
    """What of the text is this phrase, word by word."""
    for first in found:
        if not phrase[0].is_in(first):
            continue
        said, position = [first], first.position
        for sought in phrase[1:]:
            position += sought.distance
            said += [token for token in at.get(position, ()) if sought.is_in(token)][:1]
        if len(said) == len(phrase):
            yield from ((token.start, token.end) for token in said)
