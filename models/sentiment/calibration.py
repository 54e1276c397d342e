"""Whether probabilities mean what they say: how far off they are, and the temperature that mends them. Pure.

Both are those of Guo, Pleiss, Sun, Weinberger, "On Calibration of Modern Neural Networks" (ICML 2017). Rows are texts,
columns classes; labels are column numbers.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

BINS = 15

LEAST_TEMPERATURE = 0.05
MOST_TEMPERATURE = 20.0
STEPS = 60  # halvings: beyond the precision of float64

Floats = NDArray[np.float64]
Labels = NDArray[np.int64]


def expected_calibration_error(probabilities: ArrayLike, labels: ArrayLike) -> float:
    """How far the top probability is from the share of texts that it gets right: 0 (as it says) to 1.

    Texts go into 15 bins of equal width by their top probability, a bound belonging to the bin below it; the mean of
    the bins' distances, weighted by how many texts they hold. Raises ``ValueError`` for no rows, shapes that do not
    fit, labels without a column, and numbers that are no probabilities.
    """
    rows, columns = _check(probabilities, labels)
    if rows.min() < 0 or not np.allclose(rows.sum(axis=1), 1, atol=1e-3):
        raise ValueError("each row of probabilities is positive and sums to 1: give the softmax of logits")
    top = rows.max(axis=1)
    surplus = top - (rows.argmax(axis=1) == columns)
    bins = np.clip(np.ceil(top * BINS).astype(np.int64) - 1, 0, BINS - 1)
    return float(np.abs(np.bincount(bins, weights=surplus, minlength=BINS)).sum() / len(rows))


def fit_temperature(logits: ArrayLike, labels: ArrayLike) -> float:
    """The temperature with the least negative log-likelihood of the labels: divide logits by it before the softmax.

    Fit it on texts that were not trained on. It changes no label, only how sure it is said to be. Between 0.05 and 20,
    where it stays if there is no minimum (all right, or no better than chance). Raises ``ValueError`` as
    ``expected_calibration_error`` does.
    """
    rows, columns = _check(logits, labels)
    true = rows[np.arange(len(rows)), columns]
    # The likelihood is convex in 1 / temperature, so its slope rises and has one zero at most.
    low, high = 1 / MOST_TEMPERATURE, 1 / LEAST_TEMPERATURE
    for _ in range(STEPS):
        middle = (low + high) / 2
        slope = ((softmax(rows * middle) * rows).sum(axis=1) - true).mean()
        low, high = (middle, high) if slope < 0 else (low, middle)
    return float(2 / (low + high))


def fit_bias(logits: ArrayLike, labels: ArrayLike) -> Floats:
    """What to add to each column so that it is given as often as it is right: the least negative log-likelihood.

    The bias of Guo et al.'s vector scaling, by Newton's method; its mean is 0. Raises ``ValueError`` as
    ``expected_calibration_error`` does.
    """
    rows, columns = _check(logits, labels)
    wanted = np.eye(rows.shape[1])[columns].mean(axis=0)
    bias = np.zeros(rows.shape[1])
    for _ in range(STEPS):
        chances = softmax(rows + bias)
        curve = np.diag(chances.mean(axis=0)) - chances.T @ chances / len(rows)
        bias += np.linalg.pinv(curve) @ (wanted - chances.mean(axis=0))
        bias -= bias.mean()
    return bias


def fit_least_probability(probabilities: ArrayLike, labels: ArrayLike, *, neutral: int) -> float:
    """The threshold below which a text is better called ``neutral`` (a column) than by its likeliest label.

    The one, in steps of 0.01, that makes most of these held-out texts right, if that is beyond chance: texts that
    become right outnumber those that become wrong by three times the root of both (a sign test, as McNemar's of
    1947; three and not two because the threshold was chosen, and texts come in several forms). 0 otherwise: what is
    calibrated gains nothing. Raises ``ValueError`` as ``expected_calibration_error`` does.
    """
    rows, columns = _check(probabilities, labels)
    top, likeliest = rows.max(axis=1), rows.argmax(axis=1)
    gain = (columns == neutral).astype(np.int64) - (columns == likeliest)
    least = max((step / 100 for step in range(1, 101)), key=lambda least: gain[top < least].sum())
    changed = gain[top < least]
    return least if changed.sum() > 3 * np.sqrt(np.abs(changed).sum()) else 0.0


def softmax(logits: Floats) -> Floats:
    """The probabilities of rows of logits."""
    powers: Floats = np.exp(logits - logits.max(axis=1, keepdims=True))
    shares: Floats = powers / powers.sum(axis=1, keepdims=True)
    return shares


def _check(values: ArrayLike, labels: ArrayLike) -> tuple[Floats, Labels]:
    rows, columns = np.asarray(values, np.float64), np.asarray(labels)
    if rows.ndim != 2 or not len(rows) or columns.shape != rows.shape[:1]:
        raise ValueError(f"one row and one label for each text, at least one: these are {rows.shape}, {columns.shape}")
    if not np.isfinite(rows).all():
        raise ValueError("some of the numbers are not finite")
    if not np.issubdtype(columns.dtype, np.integer) or columns.min() < 0 or columns.max() >= rows.shape[1]:
        raise ValueError(f"labels are numbers of columns, 0 to {rows.shape[1] - 1}")
    return rows, columns.astype(np.int64)
