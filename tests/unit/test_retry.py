"""Waits between attempts grow to a bound and stay there, however many attempts there were."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from undertone.local.plan import LONGEST_WAIT_S, History
from undertone.retry import backoff_s, doubled_s


@given(st.integers(0, 100_000), st.floats(0, 1, exclude_max=True))
def test_any_number_of_attempts_gives_a_wait_within_the_cap(attempt: int, random_unit: float) -> None:
    assert 0 <= backoff_s(attempt, random_unit, base_s=0.1, cap_s=5.0) <= 5.0


@pytest.mark.parametrize("attempt", [1023, 1024, 1100, 100_000])
def test_the_cap_is_reached_and_kept(attempt: int) -> None:
    """A float overflows behind 1023 doublings: about 45 minutes without Kafka."""
    assert backoff_s(attempt, 0.5) == 2.5
    assert doubled_s(0.1, attempt, 5.0) == 5.0
    assert History(ends=attempt + 1).wait_s == LONGEST_WAIT_S


def test_it_doubles_below_the_cap() -> None:
    assert [doubled_s(0.5, doublings, 30.0) for doublings in range(8)] == [0.5, 1, 2, 4, 8, 16, 30, 30]
