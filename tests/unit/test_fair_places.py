"""Places that are shared fairly: bounded in all and for each caller, served in turn, and never lost."""

import asyncio
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest_api.fair_places import FairPlaces, FairQueue
from ingest_api.uploads import DiskSpace
from tests.waiting import until
from undertone.errors import Refusal

STEPS = st.lists(st.tuples(st.sampled_from(["enter", "leave", "give up"]), st.sampled_from("abcd")), max_size=120)


@given(STEPS, st.integers(1, 5), st.integers(1, 3))
def test_no_place_is_lost_and_nobody_waits_for_a_free_one(
    steps: list[tuple[str, str]], places: int, share: int
) -> None:
    queue: FairQueue[int] = FairQueue(places, share)
    holding, waiting = list[tuple[str, int]](), list[tuple[str, int]]()
    for number, (step, caller) in enumerate(steps):
        ours = [each for each in (holding if step == "leave" else waiting) if each[0] == caller]
        if step == "enter":
            (holding if queue.enter(caller, number) else waiting).append((caller, number))
        elif ours and step == "give up":
            assert queue.give_up(*ours[0])
            waiting.remove(ours[0])
        elif ours:
            holding.remove(ours[0])
            for served in queue.leave(caller):
                (request,) = [each for each in waiting if each[1] == served]
                waiting.remove(request)
                holding.append(request)
        held = Counter(name for name, _ in holding)
        assert len(holding) <= places
        assert all(count <= share for count in held.values())
        if len(holding) < places:
            assert all(held[name] == share for name, _ in waiting)
        for name in "abcd":  # of one caller the first that came is the first that is served
            before = [request for who, request in holding if who == name]
            assert before == sorted(before)


def test_callers_take_turns_however_many_requests_one_has() -> None:
    queue: FairQueue[str] = FairQueue(1, 1)
    assert queue.enter("ana", "ana 0")
    for number in range(1, 6):
        assert not queue.enter("ana", f"ana {number}")
    assert not queue.enter("ben", "ben 1")
    assert not queue.enter("eve", "eve 1")
    order, caller = [], "ana"
    while served := queue.leave(caller):
        order += served
        caller = served[0].split()[0]
    assert order == ["ana 1", "ben 1", "eve 1", "ana 2", "ana 3", "ana 4", "ana 5"]


async def test_places_are_waited_for_and_given_back_however_the_wait_ends() -> None:
    places = FairPlaces(2, 1)

    async def hold(caller: str, within_s: float, leave: asyncio.Event, inside: list[str]) -> None:
        async with places.hold(caller, within_s):
            inside.append(caller)
            await leave.wait()

    leave, inside = asyncio.Event(), list[str]()
    first = asyncio.create_task(hold("ana", 10, leave, inside))
    await until(lambda: inside == ["ana"], 5)
    with pytest.raises(Refusal) as caught:
        await hold("ana", 0.01, leave, inside)
    assert (caught.value.code, caught.value.retryable) == ("files_busy", True)
    waiting = [asyncio.create_task(hold("ana", 10, leave, inside)) for _ in range(3)]
    other = asyncio.create_task(hold("ben", 10, leave, inside))
    await until(lambda: inside == ["ana", "ben"], 5)
    waiting[0].cancel()
    leave.set()
    await asyncio.gather(first, other, *waiting, return_exceptions=True)
    assert sorted(inside) == ["ana", "ana", "ana", "ben"]
    async with places.hold("ana", 0), places.hold("ben", 0):
        pass
    assert places._queue._free == 2


async def test_a_wait_that_is_cancelled_as_it_is_served_loses_no_place() -> None:
    places = FairPlaces(1, 1)
    async with places.hold("ana", 1):
        waiting = asyncio.create_task(places._enter("ben", 10))
        await until(lambda: bool(places._queue._waiting), 5)
    waiting.cancel()  # it has its place, and does not know it yet
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert places._queue._free == 1


def test_disk_space_is_counted_in_all_and_for_each_caller() -> None:
    disk = DiskSpace(100, 60)
    disk.take("ana", 60)
    for caller, size_bytes in (("ana", 1), ("ben", 41)):
        with pytest.raises(Refusal) as caught:
            disk.take(caller, size_bytes)
        assert caught.value.code == "files_busy"
    disk.take("ben", 40)
    disk.give_back("ana", 60)
    disk.take("ben", 20)
    disk.give_back("ben", 60)
    assert not disk._used_bytes
