"""Cohen's d and Hedges' g over seeds: the difference of means in standard deviations of runs.

    d = (mean a − mean b) / s,   s² = ((S_a − 1) s²_a + (S_b − 1) s²_b) / (S_a + S_b − 2)
    g = d · J(S_a + S_b − 2),    J(f) = Γ(f/2) / (√(f/2) Γ((f − 1)/2))

d is too large on average where runs are few (by 11 % at five of each); g is not, if both methods
have the same spread. The unit is the spread over seeds, so a large d says that runs are alike, not
that the gain matters. It has no say in verdicts.

Source: J. Cohen, Statistical Power Analysis (1988), 2.5; L. V. Hedges, Journal of Educational
Statistics 6 (1981) 107, for the exact correction.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from amb.statistics.effect import is_rounding


@dataclass(frozen=True)
class StandardisedDifference:
    """Difference of means in pooled standard deviations, positive where ``a`` is better.

    Attributes:
        cohens_d: d.
        hedges_g: g, without the bias of few runs.
        seeds_a: Runs of ``a``.
        seeds_b: Runs of ``b``.
        note: Why it is undefined; empty where it is not.
    """

    cohens_d: float
    hedges_g: float
    seeds_a: int
    seeds_b: int
    note: str = ""


def standardised_difference(
    a: ArrayLike, b: ArrayLike, *, higher_is_better: bool
) -> StandardisedDifference:
    """Return Cohen's d and Hedges' g of two methods over unpaired seeds.

    Args:
        a: (S_a,) metric of every run of the method in question.
        b: (S_b,) metric of every run of the method that it is compared with.
        higher_is_better: Direction of the metric.

    Returns:
        Both; undefined, with the reason, for a single run of a method or runs that do not differ.
    """
    x, y = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    nan = float("nan")
    if min(x.size, y.size) < 2:
        note = "a method has one seed; two are needed"
        return StandardisedDifference(nan, nan, x.size, y.size, note)
    if not (np.isfinite(x).all() and np.isfinite(y).all()):
        return StandardisedDifference(nan, nan, x.size, y.size, "a metric is undefined")
    f = x.size + y.size - 2
    variance = ((x.size - 1) * x.var(ddof=1) + (y.size - 1) * y.var(ddof=1)) / f
    if is_rounding(float(variance), float(x.mean()), float(y.mean())):
        note = "the seeds of both methods do not differ"
        return StandardisedDifference(nan, nan, x.size, y.size, note)
    sign = 1.0 if higher_is_better else -1.0
    d = float(sign * (x.mean() - y.mean()) / np.sqrt(variance))
    return StandardisedDifference(d, d * small_sample_correction(f), x.size, y.size)


def small_sample_correction(f: int) -> float:
    """Return J(f), the factor that frees d of its bias at ``f`` ≥ 2 degrees of freedom."""
    log_ratio = special.gammaln(f / 2) - special.gammaln((f - 1) / 2)
    return float(np.exp(log_ratio) / np.sqrt(f / 2))
