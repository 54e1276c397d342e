"""Where the windows of a session lie, and the empty ones, which are computed and never stored. Pure.

A window of 10 s or 60 s is stored once an utterance that counts overlaps it. The whole-session window is always stored,
and is the last of the windows that an event changes; so a window that lies before its end and is not stored is empty.
"""

from collections.abc import Iterable, Iterator
from heapq import merge
from itertools import chain
from typing import NamedTuple

from undertone.events import OpenWindow, Window
from undertone.parts import in_parts

SIZES_MS = (10_000, 60_000)
WHOLE = 0


class Place(NamedTuple):
    """Where a window lies, as in ``Window``: ``size_ms`` 0 is the whole session."""

    size_ms: int
    start_ms: int


BEGINNING = Place(-1, 0)
"""Before all places."""


def place_of(window: Window | OpenWindow) -> Place:
    """Where the window lies."""
    return Place(window.size_ms, window.start_ms)


def length_ms(whole: Window) -> int:
    """The length of the session as of its whole-session window: all of it is either talk or silence."""
    return whole.talk_ms + whole.silence_ms


def places(until_ms: int, after: Place = BEGINNING, size_ms: int | None = None) -> Iterator[Place]:
    """Places of a session of this length behind ``after``, by size, then start; ``size_ms`` None is all sizes."""
    sizes = [size for size in (WHOLE, *SIZES_MS) if size_ms in (None, size) and size >= after.size_ms]
    return chain.from_iterable(
        (place for place in _places_of(size, until_ms, after) if place > after) for size in sizes
    )


def places_back(until_ms: int, from_ms: int = 0) -> Iterator[Place]:
    """Places of 10 s and 60 s that start in the stretch, the latest first; of the same start the smaller first."""
    starts = (_starts_back(size, until_ms, from_ms) for size in SIZES_MS)
    return (Place(size, -back) for back, size in merge(*starts))


def fill(stored: Iterable[Window], wanted: Iterable[Place], whole: Window | None) -> dict[Place, Window]:
    """The stored windows, and an empty one for each other wanted place; those follow from the whole-session window.

    ``seq`` of an empty window is that of ``whole``: as of that event nothing that counts overlaps it.
    """
    found = {} if whole is None else {place: _empty(place, whole) for place in wanted if place.size_ms != WHOLE}
    return found | {place_of(window): window for window in stored}


async def fill_in_parts(stored: Iterable[Window], wanted: Iterable[Place], whole: Window | None) -> dict[Place, Window]:
    """The same, made in parts."""
    found: dict[Place, Window] = {}
    async for part in in_parts(wanted if whole else ()):
        found |= fill((), part, whole)
    return found | fill(stored, (), whole)


def _places_of(size_ms: int, until_ms: int, after: Place) -> Iterator[Place]:
    if size_ms == WHOLE:
        return iter((Place(WHOLE, 0),))
    # A cursor may name any place: a start below 0 or between two windows as well.
    first_ms = max(after.start_ms // size_ms * size_ms, 0) if size_ms == after.size_ms else 0
    return (Place(size_ms, start_ms) for start_ms in range(first_ms, until_ms, size_ms))


def _starts_back(size_ms: int, until_ms: int, from_ms: int) -> Iterator[tuple[int, int]]:
    """Negative starts, so that they ascend."""
    first_ms = -(-from_ms // size_ms) * size_ms
    return ((-start_ms, size_ms) for start_ms in reversed(range(first_ms, until_ms, size_ms)))


def _empty(place: Place, whole: Window) -> Window:
    end_ms = min(length_ms(whole), place.start_ms + place.size_ms)
    return Window(
        session_id=whole.session_id,
        seq=whole.seq,
        size_ms=place.size_ms,
        start_ms=place.start_ms,
        final=whole.final or place.start_ms + place.size_ms <= end_ms,
        utterances=0,
        positive=0,
        neutral=0,
        negative=0,
        score=None,
        talk_ms=0,
        silence_ms=end_ms - place.start_ms,
        longest_pause_ms=end_ms - place.start_ms,
        words=0,
        words_per_minute=None,
        loudness_dbfs=None,
    )
