"""The suite's two tests that draw random numbers, in every replicate, with fewer draws each.

They are the library's functions, called for one replicate after another. The generator of a
replicate follows from its numbers: replicates draw independently of each other, and no number
depends on blocks or processes.

Notation: ``R`` replicates.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from amb.evaluation.metrics import METRICS, Floats
from amb.statistics.calibration.closed_forms import Outcomes
from amb.statistics.calibration.one_by_one import moment_table
from amb.statistics.calibration.replicates import MetricReplicates
from amb.statistics.contrast import Form, contrast
from amb.statistics.crossed_bootstrap import (
    BootstrapInterval,
    ResampledMetrics,
    crossed_bootstrap_ci,
    resample_metrics,
)
from amb.statistics.label_permutation import label_permutation_test
from amb.statistics.moments import MetricTable

NAMINGS = 999  # drawn where there are too many to try all; a p-value of .05 is 50 of 1000
RESAMPLES = 500


@dataclass(frozen=True)
class Permuted:
    """What a label permutation says of one replicate: a p-value and no interval."""

    estimate: float
    p: float
    ci_low: float = float("nan")
    ci_high: float = float("nan")


def permutation(a: MetricTable, b: MetricTable, metric: str, form: Form, alpha: float) -> Permuted:
    """Label permutation over seeds in one replicate; its p-value is the same for both forms."""
    higher = METRICS[metric].higher_is_better
    found = label_permutation_test(
        a.values, b.values, _generator(a.values, b.values), alpha, NAMINGS
    )
    estimate = contrast(a.values.mean(), b.values.mean(), form, higher)
    return Permuted(float(estimate), found.p)


def percentile_outcomes(
    a: MetricReplicates, b: MetricReplicates, metric: str, form: Form, alpha: float
) -> Outcomes:
    """Percentile interval of the crossed bootstrap in every replicate; it has no p-value."""
    return _intervals(a, b, metric, form, alpha, lambda interval: interval.percentile)


def basic_outcomes(
    a: MetricReplicates, b: MetricReplicates, metric: str, form: Form, alpha: float
) -> Outcomes:
    """Basic interval of the crossed bootstrap in every replicate; it has no p-value."""
    return _intervals(a, b, metric, form, alpha, lambda interval: interval.basic)


def _intervals(
    a: MetricReplicates,
    b: MetricReplicates,
    metric: str,
    form: Form,
    alpha: float,
    bounds: Callable[[BootstrapInterval], tuple[float, float]],
) -> Outcomes:
    found = [
        crossed_bootstrap_ci(resampled, "a", "b", metric, form, alpha)
        for resampled in _resampled(a, b, metric)
    ]
    low, high = np.array([bounds(interval) for interval in found]).T
    estimate = np.array([interval.estimate for interval in found])
    return Outcomes(estimate, low, high, np.full(len(found), np.nan))


@lru_cache(maxsize=1)  # both intervals and both forms of contrast are read off the same resamples
def _resampled(a: MetricReplicates, b: MetricReplicates, metric: str) -> list[ResampledMetrics]:
    return [
        resample_metrics(
            [moment_table(a, r, "a"), moment_table(b, r, "b")],
            [metric],
            _generator(a.values[r], b.values[r]),
            RESAMPLES,
        )
        for r in range(len(a.values))
    ]


def _generator(a: Floats, b: Floats) -> np.random.Generator:
    """Return the generator that follows from a replicate's metrics, (S,) of each method."""
    return np.random.default_rng(np.concatenate([a, b]).view(np.uint64))
