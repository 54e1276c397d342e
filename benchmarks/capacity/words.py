"""When words were final and when they were shown, from views of the screen alone: a measure for any system.

The words that were final in the end are aligned with the reference of the whole session (least edit distance). At each
end of speech (``ends``), the last word of the clip that ends there with a counterpart in the final text is *the word*.

- It is **final** once the final text has that word, and all before it, as they stay for good.
- It is **shown** once the screen (final and pending text) has it within two places of where it ends up.

Both from the end of speech, the same instant for every system. A clip none of whose words became final is unheard.
"""

from collections.abc import Callable, Sequence
from functools import lru_cache

import jiwer

from benchmarks.capacity.delays import Delay
from benchmarks.capacity.ends import Span
from benchmarks.capacity.seen import Seen, View
from benchmarks.hearing import normalise
from undertone.audio import SAMPLE_RATE

WITHIN_PLACES = 2


def measure_words(
    seen: Seen, references: Sequence[str], spans: Sequence[Span | None], ends: Sequence[int]
) -> list[Delay]:
    """The delays at each of ``ends`` (numbers of clips), given what each clip says and where it is spoken.

    ``final_s`` is None for clips that are unheard, ``shown_s`` as well where the word was never found on the screen.
    """
    words = [normal_words(reference) for reference in references]
    final = normal_words(seen.said)
    places = last_places(words, final)
    finals_s = settle_times(seen.views, final, normal_words)
    delays = []
    for number in ends:
        span, place = spans[number], places[number]
        assert span is not None
        spoken_s = seen.began_s + span.end / SAMPLE_RATE
        shown_s = None if place is None else find_shown(seen.views, place, final[place], normal_words)
        delays.append(
            Delay(
                start=span.start,
                end=span.end,
                final_s=None if place is None else finals_s[place] - spoken_s,
                shown_s=None if shown_s is None else shown_s - spoken_s,
            )
        )
    return delays


@lru_cache(maxsize=100_000)
def normal_words(text: str) -> tuple[str, ...]:
    """The words of an English text in Whisper's normal form."""
    return tuple(normalise(text, "en").split())


def last_places(references: Sequence[Sequence[str]], final: Sequence[str]) -> list[int | None]:
    """For each reference, the place in ``final`` of its last word that has a counterpart there; None if none has."""
    owners = [number for number, words in enumerate(references) for _ in words]
    places: list[int | None] = [None] * len(references)
    if not owners or not final:
        return places
    truth = " ".join(word for words in references for word in words)
    for chunk in jiwer.process_words(truth, " ".join(final)).alignments[0]:
        if chunk.type in ("equal", "substitute"):
            for offset in range(chunk.ref_end_idx - chunk.ref_start_idx):
                places[owners[chunk.ref_start_idx + offset]] = chunk.hyp_start_idx + offset
    return places


def settle_times(views: Sequence[View], final: Sequence[str], split: Callable[[str], Sequence[str]]) -> list[float]:
    """For each word of ``final``, the time from which on the final text had it, and all before it, for good."""
    times = [float("nan")] * len(final)
    settled, at_s = len(final), 0.0
    for number in range(len(views) - 1, -1, -1):
        view = views[number]
        if number == len(views) - 1 or view.final is not views[number + 1].final:
            common = min(settled, _common(split(view.final), final))
            times[common:settled] = [at_s] * (settled - common)
            settled = common
        at_s = view.at_s
    times[:settled] = [at_s] * settled
    return times


def find_shown(views: Sequence[View], place: int, word: str, split: Callable[[str], Sequence[str]]) -> float | None:
    """The time of the first view that has ``word`` within two places of ``place``."""
    for view in views:
        final = split(view.final)
        pending = split(view.pending)
        for at in range(max(0, place - WITHIN_PLACES), place + WITHIN_PLACES + 1):
            if at < len(final):
                found = final[at] == word
            else:
                found = at - len(final) < len(pending) and pending[at - len(final)] == word
            if found:
                return view.at_s
    return None


def _common(some: Sequence[str], others: Sequence[str]) -> int:
    """How many words both begin with."""
    for number, (one, other) in enumerate(zip(some, others, strict=False)):
        if one != other:
            return number
    return min(len(some), len(others))
