"""Slopes of the soak: what rises is said to rise, and noise is not."""

from itertools import pairwise

import numpy as np
import pytest

from benchmarks.soak.__main__ import judge
from benchmarks.soak.housekeeping import Habit, due, hasten
from benchmarks.soak.sampling import Sample
from benchmarks.soak.slopes import HOUR_S, fit
from undertone.topics import SESSIONS, UTTERANCES

MINUTES_S = np.arange(45) * 60.0


def test_a_line_is_found_exactly() -> None:
    slope = fit(list(MINUTES_S), list(100 + 24 * MINUTES_S / HOUR_S))
    assert (slope.per_hour, slope.low, slope.high) == pytest.approx((24, 24, 24))
    assert (slope.first, slope.last) == pytest.approx((100, 100 + 24 * 44 / 60))
    assert slope.exceeds(23.9)
    assert not slope.exceeds(24.1)


@pytest.mark.parametrize("samples", [6, 15, 45])
def test_the_interval_holds_the_true_slope_in_95_of_100_runs(samples: int) -> None:
    random = np.random.default_rng(7)
    at_s = list(np.arange(samples) * 60.0)
    held = 0
    for _ in range(2000):
        slope = fit(at_s, list(10 * np.asarray(at_s) / HOUR_S + random.normal(0, 2, samples)))
        held += slope.low <= 10 <= slope.high
    assert 0.935 <= held / 2000 <= 0.965


def test_noise_alone_does_not_exceed_a_bound() -> None:
    random = np.random.default_rng(7)
    assert not fit(list(MINUTES_S), list(random.normal(50, 5, 45))).exceeds(10)


def test_too_few_samples_are_refused() -> None:
    with pytest.raises(ValueError, match="run for longer"):
        fit([0, 60, 120], [1, 2, 3])


def test_the_first_quarter_does_not_count_and_a_part_that_comes_and_goes_is_left_out() -> None:
    samples = [Sample(minute * 60.0, {("web", "MB"): 100.0 - max(0, 5 - minute) * 10}) for minute in range(20)]
    samples[12].values["demo", "MB"] = 1.0
    ((name, slope, bound),) = judge(samples)
    assert (name, bound) == (("web", "MB"), 30)
    assert slope.per_hour == pytest.approx(0)


def test_hastened_topics_have_a_sixtieth_of_their_times_and_nothing_else() -> None:
    assert hasten(SESSIONS.config()) == SESSIONS.config() | {
        "retention.ms": "10080000",
        "segment.ms": "10000",
        "min.compaction.lag.ms": "60000",
        "max.compaction.lag.ms": "1440000",
    }


def test_every_record_is_due_once_however_the_time_is_cut() -> None:
    habit = Habit(UTTERANCES, 4.0, 1200, keys=15)
    whole = list(due(habit, 0, 3600, 2))
    assert len(whole) == len(set(whole)) == 900
    cuts = [0, 0.3, 17, 17.2, 90, 1999.9, 3600]
    assert [one for since, until in pairwise(cuts) for one in due(habit, since, until, 2)] == whole
