"""``python -m tests.fault.part worker NAME | serve ingest``: the ``undertone`` command, struck at points on demand.

The points lie round what has an effect: the one method through which every record is written, the archivist's
transactions, the commit of offsets. The code of the product is as it is.
"""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from faust.transport.drivers.aiokafka import Consumer

from storage import forgetting, upserts
from stream_apps import archivist, oblivion
from tests.fault.mischief import take
from undertone.cli import main
from undertone.errors import TransientError
from undertone.kafka import Publisher
from undertone.topics import Topic

MISCHIEF = "UNDERTONE_TEST_MISCHIEF"


async def pass_by(point: str) -> None:
    """A point: nothing happens, or what is armed for it does."""
    mischief = take(Path(os.environ[MISCHIEF]), point)
    if mischief is None:
        return
    if mischief.deed == "fail":
        raise TransientError(f"this produce fails, {point}")
    await asyncio.sleep(mischief.linger_s)
    os.kill(os.getpid(), signal.SIGKILL if mischief.deed == "die" else signal.SIGSTOP)


def add_points_of_records() -> None:
    """Points ``before TOPIC`` and, once the broker has the record, ``after TOPIC``."""
    original = Publisher.submit

    async def struck(self: Publisher, topic: Topic, *args: Any) -> Awaitable[int]:
        await pass_by(f"before {topic.name}")
        return answered(topic, await original(self, topic, *args))

    async def answered(topic: Topic, sent: Awaitable[int]) -> int:
        offset = await sent
        await pass_by(f"after {topic.name}")
        return offset

    Publisher.submit = struck  # type: ignore[method-assign, assignment]


def add_points(owner: Any, name: str, *, before: str, after: str | None = None) -> None:
    """Points before and after a function of a class or a module."""
    original: Callable[..., Awaitable[Any]] = getattr(owner, name)

    async def struck(*args: Any, **kwargs: Any) -> Any:
        await pass_by(before)
        result = await original(*args, **kwargs)
        if after is not None:
            await pass_by(after)
        return result

    setattr(owner, name, struck)


def add_point_before_the_end(owner: Any, name: str, *, point: str) -> None:
    """A point at the end of a block, where its work is done and nothing of it is durable."""
    original = getattr(owner, name)

    @asynccontextmanager
    async def struck(*args: Any) -> AsyncIterator[Any]:
        async with original(*args) as given:
            yield given
            await pass_by(point)

    setattr(owner, name, struck)


if __name__ == "__main__":
    add_points_of_records()
    add_points(Consumer, "_commit", before="before commit")
    add_points(archivist, "store", before="before store", after="after store")
    add_points(upserts, "_store_windows", before="within store")  # between two writes of its transaction
    add_points(oblivion, "forget", before="before forget", after="after forget")
    add_point_before_the_end(forgetting, "writing", point="within forget")
    main()
