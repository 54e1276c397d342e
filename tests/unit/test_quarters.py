"""Where the quarters of a session lie, and what its trend is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.statistics import QUARTERS, quarters, trend
from tests.storage_events import window

DAY_MS = 86_400_000


@given(st.integers(QUARTERS, DAY_MS))
def test_quarters_follow_one_another_and_are_equally_long(length_ms: int) -> None:
    places = quarters(length_ms)
    assert len(places) == QUARTERS
    ends = [place.start_ms + place.size_ms for place in places]
    assert [place.start_ms for place in places] == [0, *ends[:-1]]
    assert ends[-1] == length_ms
    sizes = [place.size_ms for place in places]
    assert max(sizes) - min(sizes) <= 1
    assert min(sizes) > 0


@pytest.mark.parametrize("length_ms", range(QUARTERS))
def test_what_is_too_short_for_four_has_none(length_ms: int) -> None:
    assert quarters(length_ms) == []


@pytest.mark.parametrize(
    ("scores", "expected"),
    [
        ([0.1, -0.9, 0.9, 0.3], 0.2),
        ([0.5, 0.0, 0.0, -0.25], -0.75),
        ([0.1, 0.2, 0.3, 0.1], 0.0),
        ([None, 0.2, 0.3, 0.4], None),
        ([0.1, 0.2, 0.3, None], None),
        ([], None),
    ],
)
def test_the_trend_is_the_last_minus_the_first(scores: list[float | None], expected: float | None) -> None:
    assert trend([window(score=score) for score in scores]) == expected
