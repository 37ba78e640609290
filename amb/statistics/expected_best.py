"""Expected best of n runs: what reporting the best of so many seeds would print.

With N runs sorted from worst to best, x₍₁₎ … x₍N₎, over all subsets of n of them:

    V(n) = Σᵢ x₍ᵢ₎ · C(i − 1, n − 1) / C(N, n),   n = 1 … N

V(1) is the mean, V(N) the best run. Unlike the plug-in estimate over draws with replacement, which
is too low, this one is unbiased. It has no say in verdicts; it shows how much of a published number
the choice of a seed can explain.

Source: R. Tang et al., ACL 2020, 2766 (arXiv 2004.13705), equation 5, for the unbiased estimate; J.
Dodge et al., EMNLP 2019, 2185 (arXiv 1909.03004), for the quantity.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from amb.evaluation.metrics import Floats


def expected_best(values: ArrayLike, *, higher_is_better: bool) -> Floats:
    """Return the expected best of 1, 2, … N runs.

    Args:
        values: (N,) metric of every run, in any order.
        higher_is_better: Direction of the metric; the best is the largest, or the smallest.

    Returns:
        (N,) expected best of n runs, at place n − 1; NaN throughout where a run's metric is.

    Raises:
        ValueError: There is no run.
    """
    x = np.asarray(values, dtype=np.float64)
    if x.size == 0:
        raise ValueError("no run: there is no best one")
    if not np.isfinite(x).all():
        return np.full(x.size, np.nan)
    worst_to_best = np.sort(x) if higher_is_better else np.sort(x)[::-1]
    n = np.arange(1, x.size + 1)[:, None]
    below = np.arange(x.size)[None, :]  # i − 1, how many runs are worse
    with np.errstate(divide="ignore"):  # log C = −∞ where fewer than n − 1 are worse
        weights = np.exp(_log_comb(below, n - 1) - _log_comb(x.size, n))
    return np.asarray(weights @ worst_to_best)


def _log_comb(total: ArrayLike, chosen: ArrayLike) -> Floats:
    t, c = np.broadcast_arrays(np.asarray(total, dtype=float), np.asarray(chosen, dtype=float))
    possible = c <= t
    rest = np.where(possible, t - c, 0.0)
    logs = special.gammaln(t + 1) - special.gammaln(c + 1) - special.gammaln(rest + 1)
    return np.where(possible, logs, -np.inf)
