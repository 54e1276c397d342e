"""Waiting in tests: never a sleep of a guessed length, always a condition and a deadline."""

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar, overload

T = TypeVar("T")

POLL_S = 0.02


@overload
async def until(predicate: Callable[[], Awaitable[T]], timeout_s: float, what: str = "") -> T: ...
@overload
async def until(predicate: Callable[[], T], timeout_s: float, what: str = "") -> T: ...
async def until(predicate: Callable[[], T | Awaitable[T]], timeout_s: float, what: str = "") -> T:
    """The first true value of ``predicate`` (plain or async), asked again and again for ``timeout_s``.

    After that ``AssertionError`` says what was waited for and what the predicate last returned or raised; only
    ``AssertionError`` and ``OSError`` of the predicate count as "not yet".
    """
    deadline = time.monotonic() + timeout_s
    last: object = None
    while True:
        try:
            found = predicate()
            value: T = await found if inspect.isawaitable(found) else found
            if value:
                return value
            last = value
        except (AssertionError, OSError) as error:
            last = error
        if time.monotonic() > deadline:
            named = what or inspect.getsource(predicate).strip()
            raise AssertionError(f"not within {timeout_s:g} s: {named}; last: {last!r}")
        await asyncio.sleep(POLL_S)
