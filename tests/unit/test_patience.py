"""Poison in a row: the limit, and what is acknowledged when."""

from collections.abc import Callable
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream_apps.deliveries import Delivery
from stream_apps.patience import Patience, Streak
from undertone.errors import FatalError, PoisonError
from undertone.topics import TRANSCRIPTS

WHY = PoisonError("no record")


def delivery(offset: int, settle: Callable[[], None], partition: int = 0) -> Delivery:
    return Delivery(
        topic=TRANSCRIPTS,
        partition=partition,
        offset=offset,
        timestamp_ms=0,
        key=None,
        value=None,
        headers=[],
        partitions=2,
        settle=settle,
    )


@given(st.lists(st.booleans(), max_size=30), st.integers(1, 5))
def test_the_run_is_in_the_log(good: list[bool], limit: int) -> None:
    """Whoever begins again behind what was acknowledged stops at the same record, however often."""
    run = next((end for end in range(limit, len(good) + 1) if not any(good[end - limit : end])), None)
    start = 0
    for _ in range(3):
        patience, settled = Patience(limit), set(range(start))
        stopped = None
        for offset in range(start, len(good)):
            one = delivery(offset, partial(settled.add, offset))
            if good[offset]:
                patience.regain(one)
                one.settle()
                continue
            try:
                patience.lose(one, WHY)
            except FatalError:
                stopped = offset
                break
        assert stopped == (None if run is None else run - 1)
        last_good = max((offset for offset in range(len(good) if run is None else run) if good[offset]), default=-1)
        start = last_good + 1
        assert settled == set(range(start))


def test_partitions_count_for_themselves() -> None:
    patience = Patience(2)
    settled: list[int] = []
    patience.lose(delivery(0, lambda: settled.append(0), partition=0), WHY)
    patience.lose(delivery(0, lambda: settled.append(1), partition=1), WHY)
    patience.regain(delivery(1, lambda: None, partition=1))
    assert settled == [1]
    with pytest.raises(FatalError, match="offset 1, cannot be processed: no record"):
        patience.lose(delivery(1, lambda: None, partition=0), WHY)
    patience.forget()
    patience.lose(delivery(0, lambda: None, partition=0), WHY)


def test_a_success_ends_a_streak() -> None:
    streak = Streak(2)
    for _ in range(3):
        streak.lose(RuntimeError("fell over"))
        streak.regain()
    streak.lose(RuntimeError("fell over"))
    with pytest.raises(FatalError, match="2 utterances in a row"):
        streak.lose(RuntimeError("fell over"))
