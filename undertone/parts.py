"""Long work of an event loop in parts, with a pause after each in which the loop does everything else."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from itertools import islice
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")

PART_ITEMS = 100
"""Events that are read, made or written in one go: a few milliseconds."""
PAUSE_S = 0.001


async def in_parts(items: Iterable[T]) -> AsyncIterator[list[T]]:
    """Yield the items in lists of at most ``PART_ITEMS``, and pause between two lists."""
    rest = iter(items)
    part = list(islice(rest, PART_ITEMS))
    while part:
        yield part
        if part := list(islice(rest, PART_ITEMS)):
            await asyncio.sleep(PAUSE_S)


async def map_in_parts(function: Callable[[T], R], items: Iterable[T]) -> list[R]:
    """Apply the function to all items."""
    return [function(item) async for part in in_parts(items) for item in part]
