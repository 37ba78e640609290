"""What a test returns: estimate, interval, p-value, detectable effect and sample sizes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import stdtr, stdtrit  # a tenth of the time of scipy.stats

from amb.statistics.power import minimum_detectable_effect

# A standard error below this share of the compared values is rounding: there is no variance.
ROUNDING = 1e-12


@dataclass(frozen=True)
class SampleSizes:
    """How many runs of each method, items and videos an effect rests on."""

    seeds_a: int
    seeds_b: int
    n_items: int
    n_videos: int


@dataclass(frozen=True)
class Effect:
    """An estimated contrast and its t-test.

    Attributes:
        estimate: The contrast, positive where ``a`` is better.
        se: Standard error; NaN, with all that follows from it, where ``note`` says why.
        df: Degrees of freedom of the t distribution.
        ci_low: Lower bound of the 1 − α interval.
        ci_high: Upper bound.
        p: Two-sided p-value of "no effect".
        mde: Minimum detectable effect at 80 % power.
        alpha: Two-sided significance level.
        test: Name of the test.
        sizes: Sample sizes.
        note: Why there is no interval; empty where there is one.
    """

    estimate: float
    se: float
    df: float
    ci_low: float
    ci_high: float
    p: float
    mde: float
    alpha: float
    test: str
    sizes: SampleSizes
    note: str = ""

    def p_greater(self, value: float) -> float:
        """Return the one-sided p-value of H0 "effect ≤ value"; small speaks for a larger effect."""
        return float(stdtr(self.df, -(self.estimate - value) / self.se))

    def p_less(self, value: float) -> float:
        """Return the one-sided p-value of H0 "effect ≥ value"; small speaks for a smaller one."""
        return float(stdtr(self.df, (self.estimate - value) / self.se))


def t_effect(
    estimate: float, variance: float, df: float, alpha: float, test: str, sizes: SampleSizes
) -> Effect:
    """Return the effect with Student's t interval and two-sided p-value.

    Args:
        estimate: The contrast.
        variance: Its squared standard error, above 0.
        df: Degrees of freedom.
        alpha: Two-sided significance level.
        test: Name of the test.
        sizes: Sample sizes.

    Returns:
        The effect.
    """
    se = float(np.sqrt(variance))
    half_width = float(stdtrit(df, 1 - alpha / 2)) * se
    return Effect(
        estimate=float(estimate),
        se=se,
        df=float(df),
        ci_low=float(estimate - half_width),
        ci_high=float(estimate + half_width),
        p=float(2 * stdtr(df, -abs(estimate) / se)),
        mde=minimum_detectable_effect(se, df, alpha),
        alpha=alpha,
        test=test,
        sizes=sizes,
    )


def untestable(estimate: float, alpha: float, test: str, sizes: SampleSizes, note: str) -> Effect:
    """Return the estimate without interval or p-value, and the reason for that."""
    nan = float("nan")
    return Effect(float(estimate), nan, nan, nan, nan, nan, nan, alpha, test, sizes, note)


def is_rounding(variance: float, *compared: float) -> bool:
    """Return whether a variance is 0 up to rounding, beside the values that are compared."""
    scale = max(abs(value) for value in compared)
    return variance <= (ROUNDING * scale) ** 2
