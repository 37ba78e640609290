"""Probability of superiority: how often a run of ``a`` is better than a run of ``b``.

    θ = P(A better) + ½ P(A equal)

estimated over all S_a · S_b pairs of runs: 1/2 where the methods are alike, 1 where every run of
``a`` is better than every run of ``b``. It has no say in verdicts.

The interval inverts a score test: its bounds are the θ that solve

    (θ̂ − θ)² = z² θ(1 − θ) [1 + N* ((1 − θ)/(2 − θ) + θ/(1 + θ))] / (S_a S_b),
    N* = (S_a + S_b)/2 − 1

so that it has a width even where the runs are separated completely, which few seeds often are.

Source: R. G. Newcombe, Statistics in Medicine 25 (2006) 559, method 5; J. A. Hanley, B. J. McNeil,
Radiology 143 (1982) 29, for the variance.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import optimize, stats


@dataclass(frozen=True)
class Superiority:
    """Probability that a run of ``a`` is better than one of ``b``.

    Attributes:
        probability: θ̂.
        ci_low: Lower bound of the 1 − α interval.
        ci_high: Upper bound.
        alpha: α.
        seeds_a: Runs of ``a``.
        seeds_b: Runs of ``b``.
        note: Why it is undefined; empty where it is not.
    """

    probability: float
    ci_low: float
    ci_high: float
    alpha: float
    seeds_a: int
    seeds_b: int
    note: str = ""


def probability_of_superiority(
    a: ArrayLike, b: ArrayLike, *, higher_is_better: bool, alpha: float = 0.05
) -> Superiority:
    """Compare every run of one method with every run of another.

    Args:
        a: (S_a,) metric of every run of the method in question.
        b: (S_b,) metric of every run of the method that it is compared with.
        higher_is_better: Direction of the metric.
        alpha: 1 − α is the level of the interval.

    Returns:
        The probability with its interval; without an interval where a method has one run.

    Raises:
        ValueError: A method has no run.
    """
    x, y = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    if min(x.size, y.size) == 0:
        raise ValueError(f"{x.size} and {y.size} runs: a method without a run cannot be compared")
    nan = float("nan")
    if not (np.isfinite(x).all() and np.isfinite(y).all()):
        return Superiority(nan, nan, nan, alpha, x.size, y.size, "a metric is undefined")
    sign = 1 if higher_is_better else -1
    estimate = float(0.5 + 0.5 * np.sign(sign * (x[:, None] - y[None, :])).mean())
    if min(x.size, y.size) < 2:
        note = "a method has one seed; two are needed"
        return Superiority(estimate, nan, nan, alpha, x.size, y.size, note)
    z = float(stats.norm.ppf(1 - alpha / 2))
    low = _bound(estimate, 0.0, x.size, y.size, z)
    high = _bound(estimate, 1.0, x.size, y.size, z)
    return Superiority(estimate, low, high, alpha, x.size, y.size)


def _bound(estimate: float, end: float, S_a: int, S_b: int, z: float) -> float:
    """Return the bound between the estimate and 0 or 1."""
    if estimate == end:
        return end
    middle = (S_a + S_b) / 2 - 1

    def excess(theta: float) -> float:
        spread = 1 + middle * ((1 - theta) / (2 - theta) + theta / (1 + theta))
        variance = theta * (1 - theta) * spread / (S_a * S_b)
        return (estimate - theta) ** 2 - z**2 * variance

    if estimate in (0.0, 1.0):  # the estimate itself is a root: look for the other one
        estimate_side = abs(estimate - 1e-9)
        return float(optimize.brentq(excess, *sorted((estimate_side, end))))
    return float(optimize.brentq(excess, *sorted((estimate, end))))
