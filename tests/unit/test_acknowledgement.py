"""Commits in order: never past an unsettled record, whatever the order of settling."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream_apps.acknowledgement import InOrder


@given(st.lists(st.integers(1, 4), min_size=1, max_size=20), st.randoms(use_true_random=False))
def test_what_may_be_committed_is_the_settled_prefix(steps: list[int], random: object) -> None:
    offsets = [sum(steps[: index + 1]) for index in range(len(steps))]
    order = InOrder()
    for offset in offsets:
        order.deliver(offset)
    shuffled = list(offsets)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    settled: set[int] = set()
    for offset in shuffled:
        order.settle(offset)
        settled.add(offset)
        first_open = next((other for other in offsets if other not in settled), None)
        done = [other for other in offsets if first_open is None or other < first_open]
        assert order.committable == (done[-1] + 1 if done else None)
        assert order.unsettled == len(offsets) - len(done)


def test_settling_before_delivery_of_later_records_holds_nothing_back() -> None:
    order = InOrder()
    order.deliver(5)
    order.settle(5)
    order.deliver(9)
    assert order.committable == 6
    with pytest.raises(ValueError, match="delivered after"):
        order.deliver(9)
