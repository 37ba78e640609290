"""Almost Stochastic Order (ASO): how far one method's runs are from being better throughout.

``a`` is stochastically better than ``b`` if its quantile function is the better one everywhere.
With scores turned so that more is better, the violation ratio is the share of the squared distance
between the two quantile functions that speaks against that:

    ε = ∫ over {F⁻¹_a < F⁻¹_b} of (F⁻¹_a − F⁻¹_b)² dt  /  ∫₀¹ (F⁻¹_a − F⁻¹_b)² dt

0 where ``a`` is better throughout, 1 where ``b`` is, and ε(a, b) + ε(b, a) = 1. Its upper bound at
confidence 1 − α,

    ε_min = ε̂ + √((S_a + S_b)/(S_a S_b)) · σ̂ · z_{1−α},   σ̂² = Var*[√(S_a S_b/(S_a + S_b)) (ε* − ε̂)]

has its variance from a bootstrap of each method's runs. Below τ = 0.2 ``a`` is called almost
stochastically better. With k comparisons the confidence is 1 − α/k. It has no say in verdicts: with
few runs ε_min is far from its nominal level.

The integrals are exact here: both functions are steps with jumps at i/S_a and j/S_b, so there are
fewer than S_a + S_b pieces, the same ones for every resample.

Departure: deep-significance integrates on a grid of 0.005, and divides the confidence by k instead
of α; both are mended here. A resample in which both methods have the same runs counts as 1/2.

Source: E. del Barrio, J. A. Cuesta-Albertos, C. Matrán, in: The Mathematics of the Uncertain (2018)
33 (arXiv 1705.01788); R. Dror, S. Shlomov, R. Reichart, ACL 2019, 2773, equations 3 to 5; D. Ulmer,
C. Hardmeier, J. Frellsen, arXiv 2204.06815, for τ = 0.2.

Notation: ``B`` resamples, ``P`` pieces.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from amb.evaluation.metrics import Floats

TAU = 0.2
RESAMPLES = 1000


@dataclass(frozen=True)
class StochasticOrder:
    """How nearly one method is stochastically better than another.

    Attributes:
        epsilon: Violation ratio ε̂ of the runs.
        epsilon_min: Its upper bound, ε_min, within 0 and 1.
        confidence: Confidence of the bound, 1 − α/k.
        almost_better: Whether ε_min < τ = 0.2.
        seeds_a: Runs of ``a``.
        seeds_b: Runs of ``b``.
        note: Why it is undefined; empty where it is not.
    """

    epsilon: float
    epsilon_min: float
    confidence: float
    almost_better: bool
    seeds_a: int
    seeds_b: int
    note: str = ""


def almost_stochastic_order(
    a: ArrayLike,
    b: ArrayLike,
    rng: np.random.Generator,
    *,
    higher_is_better: bool,
    alpha: float = 0.05,
    comparisons: int = 1,
    resamples: int = RESAMPLES,
) -> StochasticOrder:
    """Return the violation ratio of "a is better than b" and its upper bound.

    Args:
        a: (S_a,) metric of every run of the method in question.
        b: (S_b,) metric of every run of the method that it is compared with.
        rng: Source of the resamples.
        higher_is_better: Direction of the metric.
        alpha: Level before the correction.
        comparisons: k, among which α is divided.
        resamples: B.

    Returns:
        The result; undefined, with the reason, for a single run of a method or equal runs.

    Raises:
        ValueError: There are fewer comparisons than one.
    """
    if comparisons < 1:
        raise ValueError(f"comparisons {comparisons}: must be 1 or more")
    sign = 1.0 if higher_is_better else -1.0
    x, y = (np.sort(sign * np.asarray(v, dtype=np.float64)) for v in (a, b))
    confidence = 1 - alpha / comparisons
    note = _why_not(x, y)
    if note:
        nan = float("nan")
        return StochasticOrder(nan, nan, confidence, False, x.size, y.size, note)
    pieces = _pieces(x.size, y.size)
    estimate = float(_violation(x[None], y[None], pieces)[0])
    drawn = [
        np.sort(v[rng.integers(v.size, size=(resamples, v.size))], axis=1) for v in (x, y)
    ]  # (B, S)
    # √(S_a S_b/(S_a + S_b)) and its inverse cancel: what is left is the deviation about ε̂.
    deviation = float(np.std(_violation(drawn[0], drawn[1], pieces)))
    bound = estimate + deviation * float(stats.norm.ppf(confidence))
    bound = min(1.0, max(0.0, bound))
    return StochasticOrder(estimate, bound, confidence, bound < TAU, x.size, y.size)


@dataclass(frozen=True)
class _Pieces:
    """Where both quantile functions are constant: widths (P,), and the order statistic of each."""

    widths: Floats
    places_a: NDArray[np.int64]
    places_b: NDArray[np.int64]


def _pieces(S_a: int, S_b: int) -> _Pieces:
    """Return the pieces between the jumps at i/S_a and j/S_b, in whole multiples of 1/(S_a S_b)."""
    jumps = np.union1d(np.arange(S_a + 1) * S_b, np.arange(S_b + 1) * S_a)
    starts = jumps[:-1]
    return _Pieces(np.diff(jumps) / (S_a * S_b), starts // S_b, starts // S_a)


def _violation(x: Floats, y: Floats, pieces: _Pieces) -> Floats:
    """Return ε of sorted runs (B, S_a) and (B, S_b), (B,); 1/2 where both are equal."""
    gap = x[:, pieces.places_a] - y[:, pieces.places_b]  # (B, P)
    squares = np.square(gap) * pieces.widths
    total = squares.sum(axis=1)
    against = np.where(gap < 0, squares, 0.0).sum(axis=1)
    return np.asarray(np.divide(against, total, out=np.full(len(x), 0.5), where=total > 0))


def _why_not(x: Floats, y: Floats) -> str:
    """Return why there can be no bound, or nothing."""
    if min(x.size, y.size) < 2:
        return "a method has one seed; two are needed"
    if not (np.isfinite(x).all() and np.isfinite(y).all()):
        return "a metric is undefined"
    if x[0] == x[-1] == y[0] == y[-1]:
        return "the runs do not differ"
    return ""
