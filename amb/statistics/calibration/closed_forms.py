"""The suite's two tests as array code over replicates.

``fixed_set.fixed_set_test`` and ``population.population_test`` are the reference; tests prove these
equal to them, number for number. What they refuse (an undefined contrast, no variance) is NaN here.

Notation: ``R`` replicates.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from amb.evaluation.metrics import METRICS, Floats
from amb.statistics.calibration.replicates import MetricReplicates
from amb.statistics.contrast import Form, contrast
from amb.statistics.effect import ROUNDING


@dataclass(frozen=True)
class Outcomes:
    """What a test says in every replicate; NaN where it says nothing.

    Attributes:
        estimate: (R,) contrast, positive where ``a`` is better.
        ci_low: (R,) lower bound of the 1 − α interval; NaN for a test without intervals.
        ci_high: (R,) upper bound.
        p: (R,) two-sided p-value; NaN for a test without p-values.
    """

    estimate: Floats
    ci_low: Floats
    ci_high: Floats
    p: Floats

    def bounded(self) -> NDArray[np.bool_]:
        """Return where there is an interval, (R,)."""
        return np.isfinite(self.ci_low) & np.isfinite(self.ci_high)

    def covered(self) -> NDArray[np.bool_]:
        """Return where the interval holds the true contrast, 0, (R,)."""
        return self.bounded() & (self.ci_low <= 0) & (self.ci_high >= 0)

    def tested(self) -> NDArray[np.bool_]:
        """Return where the null was tested, by a p-value or by an interval, (R,)."""
        return np.isfinite(self.p) | self.bounded()

    def rejected(self, alpha: float) -> NDArray[np.bool_]:
        """Return where the null is rejected: by p, or without one by an interval beyond 0, (R,)."""
        beyond = self.bounded() & ~self.covered()
        return np.where(np.isfinite(self.p), self.p < alpha, beyond)


def fixed_set_outcomes(
    a: MetricReplicates, b: MetricReplicates, metric: str, form: Form, alpha: float
) -> Outcomes:
    """Welch's t over seeds in every replicate; see ``fixed_set``."""
    g2 = _squared_gradient(a, b, form)
    terms = g2 * _seed_terms(a, b)  # (2, R)
    variance = _above_rounding(terms.sum(axis=0), a, b, g2)
    return _t_outcomes(_estimate(a, b, metric, form), variance, _spread(terms, a), alpha)


def population_outcomes(
    a: MetricReplicates, b: MetricReplicates, metric: str, form: Form, alpha: float
) -> Outcomes:
    """The two-way jackknife-t in every replicate; see ``population``."""
    G = a.leave_one_video_out.shape[2]
    seed_terms, v_video, v_cell = _variances(a, b, metric, form)
    v_seed = seed_terms.sum(axis=0)
    variance = np.maximum(v_seed + v_video - v_cell, np.maximum(v_seed, v_video))
    variance = _above_rounding(variance, a, b, _squared_gradient(a, b, form))
    spread = _spread(seed_terms, a) + v_video**2 / (G - 1)
    return _t_outcomes(_estimate(a, b, metric, form), variance, spread, alpha)


def variance_sources(a: MetricReplicates, b: MetricReplicates, metric: str) -> dict[str, float]:
    """Return what V of a difference consists of, each averaged over replicates.

    Args:
        a: One method.
        b: The other.
        metric: Name of the metric.

    Returns:
        ``v_seed``, ``v_video`` and ``v_cell``, as ``population`` defines them; the last is in both
        of the others.
    """
    seed_terms, v_video, v_cell = _variances(a, b, metric, "difference")
    return {
        "v_seed": float(seed_terms.sum(axis=0).mean()),
        "v_video": float(v_video.mean()),
        "v_cell": float(v_cell.mean()),
    }


def _variances(
    a: MetricReplicates, b: MetricReplicates, metric: str, form: Form
) -> tuple[Floats, Floats, Floats]:
    """Return each method's part of V_seed, (2, R), and V_vid and V_cell, (R,)."""
    _, S, G = a.leave_one_video_out.shape
    g2 = _squared_gradient(a, b, form)
    cells = np.stack([a.cell_sum_of_squares, b.cell_sum_of_squares])
    higher = METRICS[metric].higher_is_better
    deleted = contrast(a.deleted_mean, b.deleted_mean, form, higher)  # (R, G)
    from_mean = deleted - deleted.mean(axis=1, keepdims=True)
    v_video = (G - 1) / G * np.square(from_mean).sum(axis=1)
    v_cell = (G - 1) / G * (g2 * cells).sum(axis=0) / ((S - 1) * S)
    return g2 * _seed_terms(a, b), v_video, v_cell


def _estimate(a: MetricReplicates, b: MetricReplicates, metric: str, form: Form) -> Floats:
    return contrast(a.mean, b.mean, form, METRICS[metric].higher_is_better)


def _squared_gradient(a: MetricReplicates, b: MetricReplicates, form: Form) -> Floats:
    """Return the squared derivatives of the contrast, (2, R); its sign does not matter."""
    if form == "difference":
        return np.ones((2, a.mean.size))
    base = np.where(b.mean > 0, b.mean, np.nan)
    return np.asarray(np.square(np.stack([1 / base, a.mean / base**2])))


def _seed_terms(a: MetricReplicates, b: MetricReplicates) -> Floats:
    """Return the variance of each method's seed mean, (2, R)."""
    return np.asarray(np.stack([a.seed_variance, b.seed_variance]) / a.values.shape[1])


def _spread(seed_terms: Floats, a: MetricReplicates) -> Floats:
    return np.asarray(np.square(seed_terms).sum(axis=0) / (a.values.shape[1] - 1))


def _above_rounding(
    variance: Floats, a: MetricReplicates, b: MetricReplicates, squared_gradient: Floats
) -> Floats:
    """Return the variance, NaN where it is 0 up to rounding; see ``effect.is_rounding``."""
    scale = (squared_gradient * np.square([a.mean, b.mean])).max(axis=0)
    return np.where(variance > ROUNDING**2 * scale, variance, np.nan)


def _t_outcomes(estimate: Floats, variance: Floats, spread: Floats, alpha: float) -> Outcomes:
    """Return Student's t interval and p-value; the degrees of freedom are V² / ``spread``."""
    with np.errstate(invalid="ignore", divide="ignore"):
        df, se = variance**2 / spread, np.sqrt(variance)
        half_width = stats.t.ppf(1 - alpha / 2, df) * se
        p = 2 * stats.t.sf(np.abs(estimate) / se, df)
    return Outcomes(estimate, estimate - half_width, estimate + half_width, np.asarray(p))
