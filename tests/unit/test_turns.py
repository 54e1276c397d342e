"""When finals are due: live ones as their audio comes, a flood's no faster than somebody speaks."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.speech.scheduler import DUE_WITHIN_S
from stream_apps.turns import AHEAD_AT_MOST_S, Turns, received_at


def test_a_live_session_is_due_as_its_audio_comes() -> None:
    turns = Turns()
    for received_s, seconds in ((10.0, 4.0), (16.0, 5.0), (18.0, 1.0)):
        assert turns.take(received_s, received_s, seconds) == received_s
        assert not turns.is_ahead(received_s)


def test_a_flood_is_due_as_if_it_were_spoken() -> None:
    turns = Turns()
    assert [turns.take(100.0 + n, 100.0, 3.0) for n in range(4)] == [100.0, 103.0, 106.0, 109.0]
    assert turns.is_ahead(103.0)
    assert not turns.is_ahead(109.0 - DUE_WITHIN_S)


def test_a_backlog_of_live_speech_is_due_since_it_was_spoken() -> None:
    turns = Turns()
    assert [turns.take(500.0, received_s, 4.0) for received_s in (100.0, 106.0, 112.0)] == [100.0, 106.0, 112.0]
    assert not turns.is_ahead(500.0)


@given(
    floods=st.lists(st.tuples(st.floats(0, 2), st.floats(0.1, 28)), min_size=1, max_size=50),
    spoken_s=st.floats(0.1, 28),
)
def test_nobody_is_put_off_for_long_and_nothing_is_due_before_it_came(
    floods: list[tuple[float, float]], spoken_s: float
) -> None:
    turns, now_s, received_s = Turns(), 1000.0, 1000.0
    for passed_s, seconds in floods:
        now_s += passed_s
        due_s = turns.take(now_s, received_s, seconds)
        assert received_s <= due_s <= now_s + AHEAD_AT_MOST_S
    later_s = now_s + AHEAD_AT_MOST_S + spoken_s
    assert turns.take(later_s, later_s, spoken_s) == pytest.approx(later_s)


def test_a_clock_that_is_ahead_puts_nothing_off() -> None:
    assert received_at(50.0, 10_000, 8_000) == 48.0
    assert received_at(50.0, 10_000, 60_000) == 50.0
