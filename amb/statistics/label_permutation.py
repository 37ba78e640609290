"""Label permutation over seeds: the sensitivity check of Welch's t in scope "fixed set".

If two methods had the same distribution of results over seeds, which runs carry which name would be
chance. So the difference of means is compared with that of every way to name the runs:

    p = min(1, 2 · min(P(D* ≥ D), P(D* ≤ D)))

over all C = C(S_a + S_b, S_a) namings where these are few, else over a random sample of them, to
which the observed naming is added, so that p is never 0. A relative contrast orders the namings as
the difference does (the sum of all runs is fixed), so both have this one p-value.

It is exact for "same distribution", where Welch's is approximate for "same mean": methods with
equal means and unequal spreads may be told apart by it. No p-value is below 2/C: with two or three
seeds of each method it cannot reach .05, with four it can.

Flipping signs of seed-wise differences is not offered: it needs the seeds of two methods to be
pairs, which the same integer in two architectures does not make.

Source: M. D. Ernst, Statistical Science 19 (2004) 676; B. Phipson, G. K. Smyth, Statistical
Applications in Genetics and Molecular Biology 9 (2010) 39, for the added naming.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from amb.evaluation.metrics import Floats

# Up to here all namings are tried; ten runs of each of two methods have 184,756.
MOST_NAMINGS = 200_000
SAMPLED_NAMINGS = 20_000
# Two differences this close, beside the largest result, are one: they differ in rounding only.
ROUNDING = 1e-12


@dataclass(frozen=True)
class PermutationResult:
    """Outcome of a label permutation test.

    Attributes:
        difference: Mean of ``a`` minus mean of ``b``.
        p: Two-sided p-value; NaN where ``note`` says why there is none.
        smallest_p: The smallest p-value that these numbers of runs can give, without ties.
        namings: How many namings were compared, the observed one included.
        exact: Whether these are all.
        seeds_a: Runs of ``a``.
        seeds_b: Runs of ``b``.
        note: Why p is undefined, or cannot reach α; empty otherwise.
    """

    difference: float
    p: float
    smallest_p: float
    namings: int
    exact: bool
    seeds_a: int
    seeds_b: int
    note: str = ""


def label_permutation_test(
    a: ArrayLike,
    b: ArrayLike,
    rng: np.random.Generator,
    alpha: float = 0.05,
    sampled: int = SAMPLED_NAMINGS,
) -> PermutationResult:
    """Test whether the runs of two methods could have each other's names.

    Args:
        a: (S_a,) metric of every run of one method.
        b: (S_b,) metric of every run of another.
        rng: Source of the namings where there are too many to try all; untouched otherwise.
        alpha: Level; only for the note that it cannot be reached.
        sampled: How many namings are drawn where there are too many to try all.

    Returns:
        The result; two-sided, so the direction of the metric plays no part.

    Raises:
        ValueError: A method has no run.
    """
    x, y = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    if min(x.size, y.size) == 0:
        raise ValueError(f"{x.size} and {y.size} runs: a method without a run cannot be tested")
    compared = _compared(x.size, y.size, sampled)
    exact = math.comb(x.size + y.size, x.size) <= MOST_NAMINGS
    smallest = smallest_p(x.size, y.size, sampled)
    difference = float(x.mean() - y.mean())
    p, note = float("nan"), "a metric is undefined"
    if np.isfinite(difference):
        p = _p_value(x, y, sampled, rng if not exact else None)
        note = ""
        if smallest > alpha:
            note = f"p cannot be below {smallest:.2g} with {x.size} against {y.size} seeds"
    return PermutationResult(difference, p, smallest, compared, exact, x.size, y.size, note)


def smallest_p(seeds_a: int, seeds_b: int, sampled: int = SAMPLED_NAMINGS) -> float:
    """Return the smallest p-value that the test can give with so many runs of two methods."""
    return min(1.0, 2 / _compared(seeds_a, seeds_b, sampled))


def _compared(seeds_a: int, seeds_b: int, sampled: int) -> int:
    """Return how many namings are compared: all where these are few, else a sample and one."""
    namings = math.comb(seeds_a + seeds_b, seeds_a)
    return namings if namings <= MOST_NAMINGS else sampled + 1


def _p_value(x: Floats, y: Floats, sampled: int, rng: np.random.Generator | None) -> float:
    """Return the p-value over all namings, or over a sample of ``rng``."""
    pooled = np.sort(np.concatenate([x, y]))  # the order of the runs must not move a bit
    tolerance = ROUNDING * np.abs(pooled).max() * pooled.size
    # With the total fixed, the sum of the runs of one name orders namings as the difference does.
    if rng is None:
        x = min(x, y, key=len)  # either name will do; fewer runs are less work
        above, below, namings = _count_choices(pooled, x.size, x.sum(), tolerance)
    else:
        drawn = rng.permuted(np.tile(pooled, (sampled, 1)), axis=1)[:, : x.size]
        sums = np.append(drawn.sum(axis=1), x.sum())
        above = int(np.count_nonzero(sums >= x.sum() - tolerance))
        below = int(np.count_nonzero(sums <= x.sum() + tolerance))
        namings = sums.size
    return float(min(1.0, 2 * min(above, below) / namings))


def _count_choices(
    values: Floats, chosen: int, observed: float, tolerance: float
) -> tuple[int, int, int]:
    """Return how many choices of so many values sum to ``observed`` or more, or less, and of all.

    A choice is one of k values of the first half and one of the others of the second half. So for
    every sum of the first half, the sums of the second that will do are counted by bisection.
    """
    first, second = (_sums_by_count(half, chosen) for half in np.array_split(values, 2))
    above = below = namings = 0
    for k in range(chosen + 1):
        missing, others = observed - first[k], np.sort(second[chosen - k])
        namings += missing.size * others.size
        smaller = int(np.searchsorted(others, missing - tolerance, "left").sum())
        above += missing.size * others.size - smaller
        below += int(np.searchsorted(others, missing + tolerance, "right").sum())
    return above, below, namings


def _sums_by_count(values: Floats, most: int) -> list[Floats]:
    """Return the sums of every choice of none, one, two, … ``most`` values."""
    sums = [np.zeros(1)] + [np.empty(0)] * most
    for value in values:
        grown = [fewer + value for fewer in sums[:-1]]
        sums[1:] = [np.concatenate(both) for both in zip(sums[1:], grown, strict=True)]
    return sums
