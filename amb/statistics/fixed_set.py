"""Scope "fixed set": the benchmark's own test items are given, only the seeds are random.

Answers "does the published ordering reproduce on this test set". Welch's t over seeds, with the
delta method for a relative contrast:

    V  = Σₘ gₘ² s²ₘ / Sₘ
    df = V² / Σₘ (gₘ² s²ₘ / Sₘ)² / (Sₘ − 1)

Seeds are unpaired: the same integer in two architectures is not a pairing.

Source: B. L. Welch, Biometrika 34 (1947) 28, for the degrees of freedom; statistics.md of this
project for the contrast.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from amb.statistics.contrast import Form, contrast, contrast_gradient
from amb.statistics.effect import Effect, SampleSizes, is_rounding, t_effect, untestable

TEST = "Welch t over seeds"


def fixed_set_test(
    a: ArrayLike,
    b: ArrayLike,
    *,
    higher_is_better: bool,
    form: Form = "difference",
    alpha: float = 0.05,
    n_items: int = 0,
    n_videos: int = 0,
) -> Effect:
    """Test the contrast of two methods' seed-mean metrics over independent seeds.

    Args:
        a: (S_a,) metric of every run of the method in question.
        b: (S_b,) metric of every run of the method that it is compared with.
        higher_is_better: Direction of the metric.
        form: Difference or relative change.
        alpha: Two-sided significance level.
        n_items: Number of test items, carried into the result.
        n_videos: Number of test videos, carried into the result.

    Returns:
        The effect, positive where ``a`` is better. With a single run of a method, with an
        undefined metric, or where the runs do not differ, there is no interval and ``note`` says
        so; a p-value of 0 is never made of a variance of 0.
    """
    x, y = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    sizes = SampleSizes(x.size, y.size, n_items, n_videos)
    A, B = float(x.mean()), float(y.mean())
    estimate = float(contrast(A, B, form, higher_is_better))
    if not np.isfinite(estimate):
        return untestable(estimate, alpha, TEST, sizes, "the contrast is undefined")
    if min(x.size, y.size) < 2:
        return untestable(estimate, alpha, TEST, sizes, "a method has one seed; two are needed")
    g_a, g_b = contrast_gradient(A, B, form, higher_is_better)
    terms = np.array([g_a**2 * x.var(ddof=1) / x.size, g_b**2 * y.var(ddof=1) / y.size])
    variance = float(terms.sum())
    if is_rounding(variance, g_a * A, g_b * B):
        return untestable(estimate, alpha, TEST, sizes, "the seeds of both methods do not differ")
    df = variance**2 / float((terms**2 / np.array([x.size - 1, y.size - 1])).sum())
    return t_effect(estimate, variance, df, alpha, TEST, sizes)
