"""The one retry policy: full jitter, doubling, bounded."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import TypeVar

from undertone.errors import TransientError

T = TypeVar("T")

MAX_DOUBLINGS = 64
"""Beyond every cap in use. A float has room for 1023 doublings and raises ``OverflowError`` behind them."""


def backoff_s(attempt: int, random_unit: float, *, base_s: float = 0.1, cap_s: float = 5.0) -> float:
    """Seconds to wait before the next attempt (0 is the first retry): a random share of a doubling bound.

    ``random_unit`` is in [0, 1). Full jitter after Brooker, "Exponential Backoff And Jitter" (AWS, 2015).
    """
    return random_unit * doubled_s(base_s, attempt, cap_s)


def doubled_s(first_s: float, doublings: int, cap_s: float) -> float:
    """``first_s`` doubled ``doublings`` times, at most ``cap_s``; any count is fine, however long something is away."""
    return min(cap_s, first_s * 2.0 ** min(doublings, MAX_DOUBLINGS))


async def retry(action: Callable[[], Awaitable[T]], *, attempts: int | None = None) -> T:
    """The result of ``action``, tried again on ``TransientError``; ``attempts`` None is for ever.

    After the last attempt the ``TransientError`` goes to the caller.
    """
    attempt = 0
    while True:
        try:
            return await action()
        except TransientError:
            attempt += 1
            if attempts is not None and attempt >= attempts:
                raise
            await asyncio.sleep(backoff_s(attempt, random.random()))  # noqa: S311 - jitter, no secret
