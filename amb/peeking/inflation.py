"""What the choice of the epoch on the test set adds to a metric, over seeds.

Per run, two epochs of one training are compared: the one with the lowest validation MAE (honest),
and the one whose test metric is best (peeked; for each metric its own, as code does that keeps the
best test epoch of each). The difference cannot be negative, so its interval says how large it is on
average, and is no test of whether it exists.

Notation: ``S`` runs (seeds).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from amb.evaluation.metrics import METRICS
from amb.statistics.effect import Effect, SampleSizes, is_rounding, t_effect, untestable

TEST = "t over seeds, within runs"


@dataclass(frozen=True)
class Inflation:
    """One metric of one method, means over seeds.

    Attributes:
        metric: Its name.
        honest: At the epoch that validation chose.
        peeked: At the best test epoch.
        gain: Peeked against honest, positive where peeking flatters.
    """

    metric: str
    honest: float
    peeked: float
    gain: Effect


def measure_inflation(runs: Sequence[Mapping[str, Any]], metric: str, alpha: float) -> Inflation:
    """Compare the honest and the peeked epoch of every run.

    Args:
        runs: S runs as ``peek_seed`` writes them.
        metric: Name of the metric.
        alpha: The interval is at 1 − α.

    Returns:
        The inflation; NaN where the metric of an honest epoch is undefined. Epochs without a value
        are never the best.
    """
    sign = 1.0 if METRICS[metric].higher_is_better else -1.0
    honest = np.array([_at(run, int(run["best_epoch"]), metric) for run in runs])
    peeked = np.array([_best(run, metric, sign) for run in runs])
    gains = sign * (peeked - honest)
    return Inflation(metric, float(honest.mean()), float(peeked.mean()), _mean(gains, alpha))


def _at(run: Mapping[str, Any], epoch: int, metric: str) -> float:
    (value,) = (one["test"][metric] for one in run["epochs"] if one["epoch"] == epoch)
    return math.nan if value is None else float(value)


def _best(run: Mapping[str, Any], metric: str, sign: float) -> float:
    values = [one["test"][metric] for one in run["epochs"]]
    defined = [sign * value for value in values if value is not None]
    return sign * max(defined) if defined else math.nan


def _mean(gains: np.ndarray[Any, np.dtype[np.float64]], alpha: float) -> Effect:
    """Return the mean of S gains with its t interval."""
    size, estimate = gains.size, float(gains.mean())
    sizes = SampleSizes(size, size, 0, 0)
    if not math.isfinite(estimate):
        return untestable(estimate, alpha, TEST, sizes, "the metric is undefined")
    if size < 2:
        return untestable(estimate, alpha, TEST, sizes, "one seed; two are needed")
    variance = float(gains.var(ddof=1)) / size
    if is_rounding(variance, 1.0):
        return untestable(estimate, alpha, TEST, sizes, "the seeds do not differ")
    return t_effect(estimate, variance, size - 1, alpha, TEST, sizes)
