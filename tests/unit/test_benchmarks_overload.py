"""The figures of the overload benchmark, from what was seen."""

import pytest

from benchmarks.capacity.ends import RULES
from benchmarks.capacity.seen import Final, Seen
from benchmarks.overload.__main__ import compare, tell
from benchmarks.overload.flood import Beside
from benchmarks.overload.watch import PARTS, Crowd, Line, delays_between, share

SECOND = 16_000


def seen(*finals: tuple[float, int]) -> Seen:
    """A session begun at 100 s, with finals at these times for these ends of speech."""
    made = Seen(began_s=100.0)
    for at_s, end in finals:
        made.finals[str(end)] = Final(at_s, 0, end + RULES.hang_over, "text")
    return made


def test_delays_are_of_the_finals_that_came_in_between() -> None:
    ones = [seen((106.0, 5 * SECOND), (120.0, 10 * SECOND)), seen((103.5, 3 * SECOND))]
    assert delays_between(ones, 100, 115) == pytest.approx([0.5, 1.0])
    assert delays_between(ones, 115, 125) == pytest.approx([10.0])


def test_a_share_of_few_or_no_values() -> None:
    assert share([], 0.95) == 0
    assert share([1.0, 2.0, 3.0], 0.5) == 2
    assert share([1.0, 2.0, 3.0], 1.0) == 3


def test_a_line_has_a_cell_for_every_head_and_a_ratio_says_who_is_later() -> None:
    line = Line(5.0, Crowd(3, 1, 2, 0.25), 12.0, (1.0, 1.5), 7.0, {"transcriber": 500.4})
    assert tell(line).startswith("| 5 | 3 | 1 | 2 | 12 | 0.2 | 1.5, 1.5 | 7.0 | 500 |")
    assert tell(line).count("|") == 8 + len(PARTS) + 1
    alone, beside = Beside(0, [1.0, 2.0], [1.0], 0.0), Beside(3, [3.0, 6.0], [1.0], 9.5)
    assert compare(alone, beside)[-1] == "finals beside the floods come 3.00 (median) and 3.00 (95 %) times as late"
