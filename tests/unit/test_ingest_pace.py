"""How fast audio is taken of one session."""

from collections import defaultdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest_api.pace import BURST_MS, FORGET_EVERY_MS, HEARD_LATE_MS, SLACK_MS, Paces

SECOND = 16_000
AHEAD_MS = 60_000
ONE = "one"


class Fed:
    """Paces whose sessions are settled as the test says, fed second by second."""

    def __init__(self) -> None:
        self.through: dict[str, int] = defaultdict(int)
        self.now_ms = self.began_ms = 1_000_000.0
        self.end = 0
        self.done: set[str] = set()
        self.paces = Paces(lambda session: self.through[session], self.done.__contains__, AHEAD_MS)

    def take(self, at: int, end: int) -> bool:
        """Whether these samples of the session are taken now."""
        return self.paces.take(ONE, at, end, self.now_ms - self.began_ms, self.now_ms)

    def feed(self, seconds: int, ms_each: float) -> int:
        """So many seconds of audio, one every so often; how many were taken before one was not."""
        for taken in range(seconds):
            self.now_ms += ms_each
            if not self.take(self.end, self.end + SECOND):
                return taken
            self.end += SECOND
        return seconds


def test_real_time_audio_is_always_taken() -> None:
    assert Fed().feed(7200, 1000) == 7200


def test_faster_audio_is_taken_while_it_is_near_what_is_settled() -> None:
    fed = Fed()
    assert fed.feed(100, 10) == 59
    fed.through[ONE] = 30 * SECOND
    assert fed.feed(100, 10) == 30


def test_who_was_silent_for_an_hour_cannot_send_an_hour_at_once() -> None:
    fed = Fed()
    assert fed.feed(1, 1000) == 1
    fed.now_ms += 3_600_000
    assert fed.feed(3600, 10) == BURST_MS / 1000


def test_a_position_in_the_future_is_not_taken() -> None:
    fed = Fed()
    fed.now_ms += 10_000
    assert not fed.take(3600 * SECOND, 3601 * SECOND)
    fed.now_ms += 3_590_000
    assert fed.take(3600 * SECOND, 3601 * SECOND)


def test_a_flood_is_held_to_real_time_once_its_minute_is_spent() -> None:
    fed = Fed()
    fed.feed(100, 10)
    waited_s = (AHEAD_MS - SLACK_MS) / 1000  # as long as nobody hears it
    assert fed.feed(1, (waited_s - 2) * 1000) == 0
    fed.now_ms += 2000
    assert fed.feed(60, 1000) == 60


def test_what_is_settled_goes_no_further_and_what_comes_again_is_bounded() -> None:
    fed = Fed()
    fed.feed(50, 1000)
    fed.through[ONE] = 40 * SECOND
    for _ in range(1000):
        assert fed.take(0, SECOND)
    again = sum(fed.take(49 * SECOND, 50 * SECOND) for _ in range(1000))
    assert again <= (AHEAD_MS + BURST_MS) / 1000


def test_sessions_without_anything_unsettled_are_forgotten() -> None:
    fed = Fed()
    fed.feed(10, 1000)
    fed.now_ms += BURST_MS + FORGET_EVERY_MS
    fed.paces.take("two", 0, SECOND, 1e9, fed.now_ms)
    assert len(fed.paces) == 2
    fed.through[ONE] = fed.end
    fed.now_ms += FORGET_EVERY_MS
    fed.paces.take("three", 0, SECOND, 1e9, fed.now_ms)
    assert len(fed.paces) == 2  # "two" waits to be heard
    fed.done.add("two")
    assert fed.paces.unheard_s(lambda _: 0, fed.now_ms) == 0
    fed.now_ms += BURST_MS + FORGET_EVERY_MS
    fed.paces.take("four", 0, SECOND, 1e9, fed.now_ms)
    assert len(fed.paces) == 2  # "three" does


def test_unheard_is_what_came_at_the_pace_of_speech() -> None:
    live, flood = Fed(), Fed()
    live.feed(40, 1000)
    assert live.paces.unheard_s(lambda _: 0, live.now_ms) == pytest.approx(40 - HEARD_LATE_MS / 1000, abs=1)
    assert live.paces.unheard_s(lambda _: 30 * SECOND, live.now_ms) == pytest.approx(10 - HEARD_LATE_MS / 1000, abs=1)
    live.through[ONE] = live.end
    assert live.paces.unheard_s(lambda _: 0, live.now_ms) == 0
    flood.feed(50, 10)
    assert flood.paces.unheard_s(lambda _: 0, flood.now_ms) == 0
    assert flood.paces.unheard_s(lambda _: 0, flood.now_ms + 120_000) == 50 - HEARD_LATE_MS / 1000


def test_a_gap_is_not_audio_that_waits() -> None:
    """Or a recorder that comes back after an hour would have new sessions refused."""
    fed = Fed()
    fed.feed(10, 1000)
    fed.now_ms += 3_600_000
    fed.paces.skip(ONE, fed.end, fed.end + 3600 * SECOND)
    fed.end += 3600 * SECOND
    fed.feed(10, 1000)
    assert fed.paces.unheard_s(lambda _: 0, fed.now_ms) == 20 - HEARD_LATE_MS / 1000
    assert fed.paces.unheard_s(lambda _: fed.end - 5 * SECOND, fed.now_ms) == 5 - HEARD_LATE_MS / 1000


@given(st.lists(st.tuples(st.floats(0, 20_000), st.integers(1, 30)), max_size=60))
def test_never_more_than_time_and_a_minute(steps: list[tuple[float, int]]) -> None:
    fed = Fed()
    for passed_ms, seconds in steps:
        fed.now_ms += passed_ms
        fed.feed(seconds, 0)
    assert fed.end / SECOND * 1000 <= fed.now_ms - fed.began_ms + AHEAD_MS + SLACK_MS
