"""What is known of a control row before it runs, checked on its stored predictions.

The ranges and their reasons stand in ``controls``. Everything here works on aligned predictions of
one method, ``MethodRuns``, by split.

Notation: S runs (seeds), N utterances of a split.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from amb.evaluation.method_runs import MethodRuns
from amb.evaluation.metrics import METRICS, Floats, mae
from amb.statistics.effect import Effect

# How far a constant and its MAE may be from their own: predictions are stored as float32.
TOLERANCE = 1e-6
# A MAE below this share of the best constant's is clearly better than a constant.
CLEARLY_BETTER = 0.95
# One-sided level at which a shuffled row is found better than the intact one.
ALPHA = 0.001
ORACLE_METRICS = ("acc7", "acc5", "acc2_has0", "acc2_non0")
ALL_SEEDS = "all"


@dataclass(frozen=True)
class RangeCheck:
    """One quantity of a control row, and the range that it must lie in, bounds included.

    Attributes:
        quantity: What it is, in words.
        found: Its value by seed; ``all`` for a value of all seeds together.
        low: Lower bound, None for none.
        high: Upper bound, None for none.
    """

    quantity: str
    found: dict[str, float]
    low: float | None = None
    high: float | None = None

    def outside(self) -> dict[str, float]:
        """Return the values that do not lie in the range, by seed; NaN lies in none."""
        low = -math.inf if self.low is None else self.low
        high = math.inf if self.high is None else self.high
        return {seed: value for seed, value in self.found.items() if not low <= value <= high}


def oracle_checks(runs: Mapping[str, MethodRuns]) -> list[RangeCheck]:
    """Return the checks of the label oracle: no error in any split, no test item in a wrong class.

    Args:
        runs: Its runs by split.

    Returns:
        A check of MAE a split, and one an accuracy on the test split, where it is defined.
    """
    checks = [
        RangeCheck(f"MAE, {split}", _by_seed(own, mae(own.labels, own.predictions)), 0.0, 0.0)
        for split, own in runs.items()
    ]
    test = runs["test"]
    for name in ORACLE_METRICS:
        metric = METRICS[name]
        if metric.count_items(test.labels):
            values = _by_seed(test, metric(test.labels, test.predictions))
            checks.append(RangeCheck(f"{metric.label}, test", values, 1.0, 1.0))
    return checks


def constant_checks(runs: Mapping[str, MethodRuns], constant: float) -> list[RangeCheck]:
    """Return the checks of a row that predicts one known constant everywhere.

    Args:
        runs: Its runs by split.
        constant: The constant, computed from the labels of the train split.

    Returns:
        That all predictions of a run are one number, which number, and its MAE a split. The MAE
        alone would not tell: it is flat between the two middle labels.
    """
    everything = np.concatenate([own.predictions for own in runs.values()], axis=1)
    spread = everything.max(axis=1) - everything.min(axis=1)
    checks = [
        RangeCheck("Spread of predictions", _by_seed(runs["test"], spread), 0.0, 0.0),
        _near("Prediction", _by_seed(runs["test"], everything[:, 0]), constant),
    ]
    for split, own in runs.items():
        known = mae_of_constant(own.labels, constant)
        values = _by_seed(own, mae(own.labels, own.predictions))
        checks.append(_near(f"MAE, {split}", values, known))
    return checks


def leak_checks(test: MethodRuns, constant: float) -> list[RangeCheck]:
    """Return the check of a row that trained on permuted labels: no better than a constant.

    Args:
        test: Its runs on the test split.
        constant: The best constant for MAE, the median of the train labels.

    Returns:
        The check of every run's MAE.
    """
    low = CLEARLY_BETTER * mae_of_constant(test.labels, constant)
    return [RangeCheck("MAE, test", _by_seed(test, mae(test.labels, test.predictions)), low)]


def shuffled_checks(lost: Effect) -> list[RangeCheck]:
    """Return the check that a shuffled row is not better than the intact one.

    Args:
        lost: Fixed-set effect of the intact row against the shuffled one, in test MAE, positive
            where the intact row is better.

    Returns:
        The check of the one-sided p-value of "not better"; nothing where no test was possible.
    """
    if lost.note:
        return []
    return [RangeCheck("p of “not better than intact”", {ALL_SEEDS: lost.p_less(0.0)}, ALPHA)]


def text_checks(
    lost: Effect, intact_mae: float, constant_mae: float, alpha: float
) -> list[RangeCheck]:
    """Return the check that a row that reads other words loses to the intact one.

    Args:
        lost: As for ``shuffled_checks``.
        intact_mae: Mean over seeds of the intact row's test MAE.
        constant_mae: Test MAE of the best constant.
        alpha: One-sided level of the loss.

    Returns:
        The check of the one-sided p-value of "not worse"; nothing where no test was possible, or
        where the intact row is not clearly better than the constant, and so has little to lose.
    """
    if lost.note or intact_mae > CLEARLY_BETTER * constant_mae:
        return []
    found = {ALL_SEEDS: lost.p_greater(0.0)}
    return [RangeCheck("p of “not worse than intact”", found, high=alpha)]


def majority_class(labels: Floats) -> float:
    """Return the most frequent of the seven classes; ties go to the one nearest 0, then down."""
    values, counts = np.unique(np.rint(np.clip(labels, -3, 3)), return_counts=True)
    order = sorted(zip(-counts, np.abs(values), values, strict=True))
    return float(order[0][2])


def mae_of_constant(labels: Floats, constant: float) -> float:
    """Return the MAE of predicting one number for every label (N,)."""
    return float(np.abs(labels - constant).mean())


def _near(quantity: str, found: dict[str, float], known: float) -> RangeCheck:
    return RangeCheck(quantity, found, known - TOLERANCE, known + TOLERANCE)


def _by_seed(runs: MethodRuns, values: ArrayLike) -> dict[str, float]:
    """Return a value a run (S,) by the run's seed."""
    return {
        str(seed): float(value) for seed, value in zip(runs.seeds, np.asarray(values), strict=True)
    }
