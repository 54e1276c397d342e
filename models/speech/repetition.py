"""Tells a repetition that somebody said from a loop of the decoder: a loop is not what another decode finds too.

Whisper's authors take a text that compresses well for a loop (Radford et al. 2022, section 4.5). So does angry speech:
"No, no, no, stop it". Such a text counts once two decodes of the same samples agree on it. They seldom agree on how
often a word is repeated, so runs are reduced to one before the comparison, and the shorter of the two texts is kept.
One letter in ten may differ. A decode that ran into its cap on tokens did not find the end of what was said, and
confirms nothing.

No decode samples: the decodes differ in their encoder window or their search, so equal samples give equal text.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from difflib import SequenceMatcher
from itertools import combinations

from models.speech.commitment import UNSPACED
from models.speech.engines import Hearing

LEAST_SIMILARITY = 0.9
WORD = re.compile(rf"[{UNSPACED}]|[^\W_{UNSPACED}]+")


def reduce_runs(words: Sequence[str]) -> tuple[str, ...]:
    """The words with each phrase that is said several times in a row said once: shorter phrases first."""
    reduced = list(words)
    period = 1
    while 2 * period <= len(reduced):
        at = 0
        while at + 2 * period <= len(reduced):
            if reduced[at : at + period] == reduced[at + period : at + 2 * period]:
                del reduced[at : at + period]
            else:
                at += 1
        period += 1
    return tuple(reduced)


def said_once(text: str) -> tuple[str, ...]:
    """The words of a text (characters in scripts without spaces) without case, marks and repetition."""
    return reduce_runs(WORD.findall(text.casefold()))


def agrees(one: Hearing, other: Hearing) -> bool:
    """Whether two hearings of the same samples confirm each other."""
    if not (one.is_complete and other.is_complete and one.language == other.language):
        return False
    said, again = (" ".join(said_once(hearing.text)) for hearing in (one, other))
    return bool(said) and SequenceMatcher(None, said, again, autojunk=False).ratio() >= LEAST_SIMILARITY


def confirm(heard: Sequence[Hearing], more: Iterable[Callable[[], Hearing]]) -> Hearing | None:
    """The shorter of the first two hearings that agree, ``is_confirmed``; None if there are none.

    ``heard`` are the hearings so far; ``more`` are further decodes, of which no more are made than needed. ``attempts``
    of what is returned counts all of ``heard`` and of ``more`` that were made.
    """
    known: list[Hearing] = []
    decodes = iter(more)
    waiting = list(heard)
    while True:
        while waiting:
            known.append(waiting.pop(0))
            for one, other in combinations(known, 2):
                if other is known[-1] and agrees(one, other):
                    kept = min(one, other, key=lambda hearing: (len(hearing.text), -hearing.avg_logprob))
                    return replace(kept, attempts=len(known), is_confirmed=True)
        decode = next(decodes, None)
        if decode is None:
            return None
        waiting.append(decode())
