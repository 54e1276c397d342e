"""How sure a difference of two error rates is. Pure."""

from collections.abc import Sequence

from benchmarks.bootstrap import RESAMPLES, SEED, Difference, difference_of_rates
from benchmarks.hearing.scores import Edits


def difference(
    ours: Sequence[Edits], theirs: Sequence[Edits], resamples: int = RESAMPLES, seed: int = SEED
) -> Difference:
    """The difference of the error rates of two engines on the same clips, in the same order.

    See ``difference_of_rates``. Raises ``ValueError`` where the references differ or there are none.
    """
    lengths = [one.length for one in ours]
    if sum(lengths) == 0 or lengths != [one.length for one in theirs]:
        raise ValueError("two engines are compared on the same references, and on one at least")
    more = [one.errors - other.errors for one, other in zip(ours, theirs, strict=True)]
    return difference_of_rates(more, lengths, resamples=resamples, seed=seed)
