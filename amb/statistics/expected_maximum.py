"""The expected best of ``n`` trials, for every ``n`` up to the trials that were made.

A best value says little without the number of trials that it is the best of. Over all subsets of
``n`` of the ``B`` trials, the i-th smallest value v₍ᵢ₎ is the largest in C(i−1, n−1) of C(B, n):

    E[max of n] = Σᵢ C(i−1, n−1) / C(B, n) · v₍ᵢ₎

This is unbiased for independent trials, where the plug-in estimator, which draws with replacement,
is too low.

Source: R. Tang et al., "Showing Your Work Doesn't Always Work", ACL 2020 (arXiv 2004.13705), on
J. Dodge et al., "Show Your Work", EMNLP 2019 (arXiv 1909.03004).

Notation: ``B`` trials, ``n`` size of a subset.
"""

from __future__ import annotations

from math import comb

import numpy as np
from numpy.typing import ArrayLike

from amb.evaluation.metrics import Floats


def expected_maximum(values: ArrayLike) -> Floats:
    """Return the unbiased expected maximum of n independent trials, for n = 1 … B.

    Args:
        values: (B,) one value a trial, in any order; −∞ for a trial that came to nothing. NaN is
            refused.

    Returns:
        (B,) the curve, not decreasing: first the mean, last the maximum. −∞ where a subset may
        hold nothing but trials that came to nothing.
    """
    ascending = np.sort(np.asarray(values, dtype=np.float64))
    if ascending.ndim != 1 or not ascending.size or np.isnan(ascending).any():
        raise ValueError("expected one number a trial, at least one, and no NaN")
    return np.array([_of_subsets(ascending, n) for n in range(1, ascending.size + 1)])


def expected_best(values: ArrayLike, *, higher_is_better: bool) -> Floats:
    """Return the expected best of 1, 2, … B runs in a metric of either direction.

    Args:
        values: (B,) metric of every run, in any order.
        higher_is_better: Direction of the metric; the best is the largest, or the smallest.

    Returns:
        (B,) expected best of n runs, at place n − 1; NaN throughout where a run's metric is.

    Raises:
        ValueError: There is no run.
    """
    x = np.asarray(values, dtype=np.float64)
    if np.isnan(x).any():
        return np.full(x.size, np.nan)
    return expected_maximum(x) if higher_is_better else -expected_maximum(-x)


def _of_subsets(ascending: Floats, n: int) -> float:
    """Return the mean over all subsets of size n of their maximum."""
    B = ascending.size
    # Of exact integers: the quotient is correctly rounded, where factorials in floats overflow.
    subsets, with_maximum, weights = comb(B, n), 1, []
    for i in range(n, B + 1):
        weights.append(with_maximum / subsets)
        with_maximum = with_maximum * i // (i - n + 1)  # C(i − 1, n − 1) becomes C(i, n − 1)
    return float(np.array(weights) @ ascending[n - 1 :])
