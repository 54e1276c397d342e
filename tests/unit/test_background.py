"""A background task that ends by itself is a failure, whatever way it ends; one that is stopped is none."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from tests.waiting import until
from undertone.background import BackgroundTasks
from undertone.errors import FatalError


async def raises() -> None:
    raise OverflowError("too far")


async def returns() -> None:
    await asyncio.sleep(0)


async def is_cancelled_by_another() -> None:
    waited: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    waited.cancel()
    await waited


async def says_why() -> None:
    raise FatalError("the disk is gone: mount it")


@pytest.mark.parametrize(
    ("work", "said"),
    [
        (raises, "`follow the log` failed: OverflowError('too far')"),
        (returns, "`follow the log` returned"),
        (is_cancelled_by_another, "`follow the log` was cancelled"),
        (says_why, "the disk is gone: mount it"),
    ],
)
async def test_every_end_is_a_failure_with_a_message(work: Callable[[], Awaitable[None]], said: str) -> None:
    failures: list[FatalError] = []
    background = BackgroundTasks(failures.append)
    assert background.why_not_ready() is None
    background.start("stay", asyncio.Event().wait())
    background.start("follow the log", work())  # type: ignore[arg-type]
    await until(lambda: failures, 10)
    assert said in str(failures[0])
    assert said in str(background.why_not_ready())
    await background.stop()
    assert len(failures) == 1


async def test_stopping_is_no_failure_and_waits_for_the_end() -> None:
    failures: list[FatalError] = []
    ended = []

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            ended.append(True)

    background = BackgroundTasks(failures.append)
    background.start("work", work())
    await asyncio.sleep(0)
    await background.stop()
    assert (ended, failures) == ([True], [])
