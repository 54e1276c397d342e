"""Eras: stretches of time, in six lengths, by which the index of words is cut, so that a search can go back in time.

A GIN index knows no order: asked for a word alone it gives all its places, the oldest first. With the eras of a row in
the same index, it gives those of some stretch, and passes over the others. So a search looks at a short stretch, then
at one eight times as long before it, and so on, until it has found enough. Pure.
"""

from collections.abc import Iterator

_SHIFTS = (20, 23, 26, 29, 32, 35)  # 2 ** 20 ms are 17 minutes, then 2.3 hours, 19 hours, 6 days, 50 days, 1.1 years
_LEVEL = 26  # bits of an era's number that say which of its length it is: up to the year 4199
_TOGETHER = 8


def eras_of(at_ms: int) -> list[int]:
    """The eras that a moment (Unix milliseconds) lies in, one of each length, as numbers of 32 bits."""
    return [_era(level, at_ms >> shift) for level, shift in enumerate(_SHIFTS)]


def backwards(newest_ms: int, oldest_ms: int, first_ms: int, all_ms: int) -> Iterator[list[int] | None]:
    """Eras from ``newest_ms`` back to ``oldest_ms``: the first list reaches back for about ``first_ms``, each further
    one eight times as far. They may overlap a little. None is all of time: where the longest eras do not suffice, and
    for a last stretch that is most of ``all_ms``, the span of all there is. To meet the places of its eras would cost
    more than to pass over the few that lie outside.
    """
    first = next((level for level, shift in enumerate(_SHIFTS) if _TOGETHER << shift >= first_ms), len(_SHIFTS))
    for level in range(first, len(_SHIFTS)):
        shift = _SHIFTS[level]
        last = newest_ms >> shift
        start = max(last - _TOGETHER + 1, oldest_ms >> shift)
        if (start << shift) <= oldest_ms and 2 * (newest_ms - oldest_ms) > all_ms:
            break
        yield [_era(level, number) for number in range(start, last + 1)]
        newest_ms = (start << shift) - 1
        if newest_ms < oldest_ms:
            return
    yield None


def _era(level: int, number: int) -> int:
    return level << _LEVEL | number
