"""Calibration: errors known by hand, temperatures known by construction."""

import numpy as np
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from numpy.typing import NDArray

from models.sentiment.calibration import (
    LEAST_TEMPERATURE,
    MOST_TEMPERATURE,
    expected_calibration_error,
    fit_bias,
    fit_least_probability,
    fit_temperature,
    softmax,
)


def test_texts_of_one_bin_are_off_by_the_mean_of_their_top_probability_minus_the_share_right() -> None:
    probabilities = [[0.62, 0.28, 0.10], [0.1, 0.64, 0.26], [0.2, 0.16, 0.64], [0.62, 0.3, 0.08]]
    assert expected_calibration_error(probabilities, [0, 1, 0, 1]) == pytest.approx(0.63 - 0.5)


def test_bins_are_weighted_by_their_texts_and_do_not_make_up_for_each_other() -> None:
    sure, unsure = [0.9, 0.1], [0.55, 0.45]
    # Of three sure ones one is right (0.9 - 1/3), the unsure one is right (0.55 - 1).
    error = expected_calibration_error([sure, sure, sure, unsure], [0, 1, 1, 0])
    assert error == pytest.approx((3 * (0.9 - 1 / 3) + 1 * (1 - 0.55)) / 4)


def test_there_are_fifteen_bins_and_a_bound_belongs_to_the_one_below() -> None:
    # 10/15 lies between these two: each is off alone.
    assert expected_calibration_error([[0.65, 0.35], [0.68, 0.32]], [0, 1]) == pytest.approx((0.35 + 0.68) / 2)
    # 0.6 is the bound of bins 9 and 10. Together with 0.55 (bin 9) a right and a wrong one make up for each other.
    assert expected_calibration_error([[0.6, 0.4], [0.55, 0.45]], [0, 1]) == pytest.approx(abs(0.6 + 0.55 - 1) / 2)
    assert expected_calibration_error([[0.6, 0.4], [0.65, 0.35]], [0, 1]) == pytest.approx((0.4 + 0.65) / 2)


def test_certainty_is_perfect_when_right_and_worst_when_wrong() -> None:
    assert expected_calibration_error([[1.0, 0.0], [0.0, 1.0]], [0, 1]) == 0
    assert expected_calibration_error([[1.0, 0.0], [0.0, 1.0]], [1, 0]) == 1


def _drawn(temperature: float, rows: int = 20_000) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Logits, and labels drawn from their probabilities at a temperature."""
    random = np.random.default_rng(1)
    logits = random.normal(0, 3, (rows, 3))
    bounds = softmax(logits / temperature).cumsum(axis=1)
    return logits, (random.random((rows, 1)) > bounds[:, :-1]).sum(axis=1)


@pytest.mark.parametrize("temperature", [0.5, 1.0, 1.7, 4.0])
def test_the_temperature_that_labels_were_drawn_at_is_found_and_mends_the_probabilities(temperature: float) -> None:
    logits, labels = _drawn(temperature)
    found = fit_temperature(logits, labels)
    assert found == pytest.approx(temperature, rel=0.05)
    assert expected_calibration_error(softmax(logits / found), labels) < 0.02
    if temperature == 4.0:
        assert expected_calibration_error(softmax(logits), labels) > 0.2


@example(factor=3.0, seed=144)  # past the highest temperature
@given(st.floats(0.3, 3), st.integers(0, 1000))
def test_logits_times_a_factor_have_their_temperature_times_it(factor: float, seed: int) -> None:
    random = np.random.default_rng(seed)
    logits, labels = random.normal(0, 2, (50, 3)), random.integers(0, 3, 50)
    logits[np.arange(50), labels] += 1.5
    plain = fit_temperature(logits, labels)
    assume(plain < MOST_TEMPERATURE * 0.99)  # else it is the bound, not a minimum
    expected = min(plain * factor, MOST_TEMPERATURE)
    assert fit_temperature(logits * factor, labels) == pytest.approx(expected, rel=1e-6)


def test_without_a_minimum_the_temperature_stays_in_its_bounds() -> None:
    logits = np.array([[0.2, -0.1], [-0.1, 0.1]])
    assert fit_temperature(logits, [0, 1]) == pytest.approx(LEAST_TEMPERATURE)
    assert fit_temperature(logits, [1, 0]) == pytest.approx(MOST_TEMPERATURE)


def test_huge_logits_do_not_overflow() -> None:
    assert np.isfinite(fit_temperature([[5000.0, -5000.0], [4000.0, 5000.0], [9.0, 10.0]], [0, 1, 0]))


@pytest.mark.parametrize(
    ("probabilities", "labels", "complaint"),
    [
        (np.empty((0, 3)), np.empty(0, np.int64), "at least one"),
        ([[0.5, 0.5]], [0, 1], "one row and one label"),
        ([0.5, 0.5], [0, 1], "one row and one label"),
        ([[0.5, 0.5]], [2], "0 to 1"),
        ([[0.5, 0.5]], [-1], "0 to 1"),
        ([[0.5, 0.5]], [0.0], "numbers of columns"),
        ([[0.5, float("nan")]], [0], "not finite"),
        ([[3.0, 0.5]], [0], "softmax"),
        ([[1.5, -0.5]], [0], "softmax"),
    ],
)
def test_what_cannot_be_judged_is_refused(probabilities: object, labels: object, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        expected_calibration_error(np.asarray(probabilities), np.asarray(labels))


def test_the_bias_finds_what_was_added_to_the_logits() -> None:
    random = np.random.default_rng(1)
    logits = random.normal(size=(4000, 3)) * 2
    labels = np.array([random.choice(3, p=row) for row in softmax(logits + np.array([0.5, -0.2, -0.3]))])
    bias = fit_bias(logits, labels)
    assert bias == pytest.approx([0.5, -0.2, -0.3], abs=0.15)
    assert bias.sum() == pytest.approx(0)
    assert softmax(logits + bias).mean(axis=0) == pytest.approx(np.bincount(labels) / len(labels))


def test_the_threshold_is_where_calling_it_neutral_stops_being_better() -> None:
    unsure, sure = [0.4, 0.25, 0.35], [0.8, 0.1, 0.1]
    probabilities = [unsure] * 100 + [sure] * 100
    right = [0] * 100
    assert fit_least_probability(probabilities, [1] * 70 + [0] * 30 + right, neutral=1) == 0.41
    assert fit_least_probability(probabilities, right + right, neutral=1) == 0


def test_a_threshold_that_chance_explains_is_none() -> None:
    unsure, sure = [0.4, 0.25, 0.35], [0.8, 0.1, 0.1]
    labels = [1] * 60 + [0] * 40 + [0] * 100
    assert fit_least_probability([unsure] * 100 + [sure] * 100, labels, neutral=1) == 0
    assert fit_least_probability([unsure] * 1000 + [sure] * 1000, labels[:100] * 10 + labels[100:] * 10, neutral=1) > 0
