"""The search for the largest number of sessions that holds a bar."""

from collections.abc import Mapping


def next_count(held: Mapping[int, bool], start: int = 1) -> int | None:
    """What to try next, given which counts held the bar; None when the largest is found to within a tenth.

    It grows by half from ``start`` until one fails, then halves what is between. A bar that a count did not hold is
    taken not to be held by any larger one. Nearer than a tenth, two runs of the same count differ.
    """
    if not held:
        return start
    failed = min((count for count, held_it in held.items() if not held_it), default=None)
    best = largest(held)
    if failed is None:
        return best + max(1, best // 2)
    return (best + failed) // 2 if failed - best > 1 + best // 10 else None


def largest(held: Mapping[int, bool]) -> int:
    """The largest count that held the bar, below the first that did not; 0 if there is none."""
    failed = min((count for count, held_it in held.items() if not held_it), default=None)
    return max((count for count, held_it in held.items() if held_it and (failed is None or count < failed)), default=0)
