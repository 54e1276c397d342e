"""A linear model over runs of characters beside the network: strong on spelling, where the network knows meaning.

Together they are right more often than either, most of all in Korean, whose endings carry the feeling.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from sklearn.linear_model import SGDClassifier

from models.sentiment.calibration import fit_temperature, softmax
from models.sentiment.ngrams import Runs, rows_of, score_of
from models.training.examples import Example

EPOCHS = 6
LEAST_COUNT = 3
WEIGHTS = np.arange(0.0, 2.05, 0.1)


@dataclass(frozen=True, slots=True)
class Form:
    """What a table knows, how large it is, and how much its weights are held down."""

    runs: Runs
    rows: int
    penalty: float


def fit_table(examples: Sequence[Example], form: Form, seed: int) -> NDArray[np.float64]:
    """A table for ``models.sentiment.ngrams.score_of``: of each row its weight for each label, and its rarity.

    Rarity is the inverse document frequency (Sparck Jones, 1972); what stands in fewer than three texts has none.
    A target between labels counts as so much of each: that two raters differ is known here too.
    """
    rows = [rows_of(example.text, form.runs, form.rows) for example in examples]
    counts = np.bincount(np.concatenate(rows), minlength=form.rows)
    rarity = np.where(counts < LEAST_COUNT, 0.0, np.log((1 + len(rows)) / (1 + counts)) + 1)
    matrix = _matrix(rows, rarity)
    targets = np.array([example.target for example in examples])
    weights = [_fit_label(matrix, target, form.penalty, seed) for target in targets.T]
    return np.column_stack([*(weight * rarity for weight in weights), rarity])


def score(table: NDArray[np.float64], runs: Runs, texts: Sequence[str]) -> NDArray[np.float64]:
    """The scores [texts, labels]."""
    return np.stack([score_of(table, text, runs) for text in texts])


def weigh(table: NDArray[np.float64], weight: float) -> NDArray[np.float64]:
    """The table with all its scores multiplied."""
    return np.column_stack([table[:, :-1] * weight, table[:, -1]])


def choose_weight(logits: NDArray[np.float64], scores: NDArray[np.float64], labels: NDArray[np.int64]) -> float:
    """The weight of the scores beside the logits with the least negative log-likelihood on held-out texts."""

    def loss(weight: float) -> float:
        both = logits + weight * scores
        chances = softmax(both / fit_temperature(both, labels))
        return float(-np.log(chances[np.arange(len(labels)), labels]).mean())

    return float(min(WEIGHTS, key=loss))


def _fit_label(matrix: csr_matrix, target: NDArray[np.float64], penalty: float, seed: int) -> NDArray[np.float64]:
    """The weights of one label against the rest. Each text is there twice, for and against, as its target says."""
    model = SGDClassifier(
        loss="log_loss", alpha=penalty, max_iter=EPOCHS, tol=None, average=True, fit_intercept=False, random_state=seed
    )
    is_it, is_not = np.flatnonzero(target > 0), np.flatnonzero(target < 1)
    model.fit(
        matrix[np.concatenate([is_it, is_not])],
        np.repeat([1, 0], [len(is_it), len(is_not)]),
        sample_weight=np.concatenate([target[is_it], 1 - target[is_not]]),
    )
    weights: NDArray[np.float64] = model.coef_[0]
    return weights


def _matrix(rows: Sequence[NDArray[np.int64]], rarity: NDArray[np.float64]) -> csr_matrix:
    """Each text as the rarities of its runs, scaled to length 1."""
    values = [rarity[each] / (np.linalg.norm(rarity[each]) or 1.0) for each in rows]
    bounds = np.cumsum([0, *(len(each) for each in rows)])
    return csr_matrix((np.concatenate(values), np.concatenate(rows), bounds), (len(rows), len(rarity)))
