"""The one retry policy: full jitter, doubling, bounded."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import TypeVar

from undertone.errors import TransientError

T = TypeVar("T")


def backoff_s(attempt: int, random_unit: float, *, base_s: float = 0.1, cap_s: float = 5.0) -> float:
    """Seconds to wait before the next attempt (0 is the first retry): a random share of a doubling bound.

    ``random_unit`` is in [0, 1). Full jitter after Brooker, "Exponential Backoff And Jitter" (AWS, 2015).
    """
    return float(random_unit * min(cap_s, base_s * 2**attempt))


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
