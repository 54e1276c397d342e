"""When text is decoded before its utterance has ended: sooner with room, in time under load."""

import math

from models.speech.scheduler import Pace
from models.speech.segmenter import SegmentRules
from stream_apps.foretaste import SPECULATE_AT_ONCE, partial_after, speculate_after
from undertone.audio import to_samples

ENDPOINT = to_samples(1000)


def test_with_room_a_pause_is_speculated_on_as_soon_as_its_end_is_known() -> None:
    assert speculate_after(ENDPOINT, 2.0, load=0.0) == SPECULATE_AT_ONCE
    assert SegmentRules().hang_over <= SPECULATE_AT_ONCE


def test_under_load_a_speculation_waits_as_long_as_it_will_still_be_in_time() -> None:
    assert speculate_after(ENDPOINT, 0.1, load=0.6) == to_samples(704)
    assert speculate_after(ENDPOINT, 0.4, load=0.6) == to_samples(400)
    assert speculate_after(ENDPOINT, 3.0, load=1.0) == SPECULATE_AT_ONCE


def test_a_short_endpoint_leaves_room_for_speculation() -> None:
    for expected_s in (0.05, 0.3, 2.0):
        assert SPECULATE_AT_ONCE <= speculate_after(to_samples(500), expected_s, load=0.9) < to_samples(500)


def test_partials_come_less_often_under_load_and_then_not_at_all() -> None:
    assert partial_after(is_first=True, load=0.0) == to_samples(700)
    cadence = [partial_after(is_first=False, load=load) for load in (0.0, 0.1, 0.25, 0.45, 0.5, 0.9)]
    assert cadence[0] == to_samples(1000)
    assert cadence[2] == to_samples(2000)
    assert cadence == sorted(cadence)
    assert cadence[-2:] == [math.inf, math.inf]


def test_the_pace_follows_what_decodes_take() -> None:
    pace = Pace()
    before_s = pace.expected_s(6.0)
    for _ in range(100):
        pace.note(seconds=4.0, took_s=0.8)
    assert before_s < pace.expected_s(4.0) < 0.81
    assert pace.expected_s(4.0) > 0.79
    assert pace.expected_s(12.0) == 2 * pace.expected_s(4.0)
