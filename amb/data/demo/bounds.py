"""How well the demo's label can be predicted from each set of modalities, exactly.

R² is the sum of the shares that a set can see. MAE is the risk of the conditional median. Both
hold for a reader who reads the features without error; feature noise keeps a model below them.
What a set cannot see is a sum N of uniform variables, and sarcasm where the face is unseen, so

    E|N − t| = Σ_σ (∏σ) · x^n·|x| / ((n + 1)!·∏ 2w),   x = t + Σ σ_k·w_k,   σ ∈ {−1, 1}^n

for half-widths w (the (n + 1)-fold integral of n uniform densities), and the expectation over the
sentiment of the words is a finite sum.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from amb.data.demo.sentences import sentiment_distribution
from amb.data.demo.settings import HALF_WIDTH, DemoSettings

Float64 = npt.NDArray[np.float64]

MODALITIES = ("text", "audio", "visual")
# The formula divides by the product of the widths; one this small would lose more than it adds.
NEGLIGIBLE_WIDTH = 1e-4


def bounds(settings: DemoSettings) -> dict[str, dict[str, float]]:
    """Return the best attainable scores of every set of modalities.

    R² and Corr are those of the conditional mean, MAE is that of the conditional median; one
    predictor need not attain both.

    Args:
        settings: The demo's settings.

    Returns:
        For each of ``text``, ``audio``, …, ``text+audio+visual``: ``r2``, ``corr``, and ``mae`` in
        units of the label, exact to 1e-6 of its standard deviation (to 1e-4 where a share is
        above 0 and below 1e-7). For ``constant``: ``r2`` (0) and ``mae`` of the best constant.
    """
    subsets = [
        subset
        for size in range(1, len(MODALITIES) + 1)
        for subset in itertools.combinations(MODALITIES, size)
    ]
    found: dict[str, dict[str, float]] = {"constant": {"r2": 0.0, "mae": _mae(settings, ())}}
    for subset in subsets:
        r2 = _r2(settings, subset)
        found["+".join(subset)] = {
            "r2": r2,
            "corr": math.sqrt(r2),
            "mae": _mae(settings, subset),
        }
    return found


def _r2(settings: DemoSettings, subset: Sequence[str]) -> float:
    seen = [settings.shares[modality] for modality in subset]
    if "text" in subset and "visual" in subset:
        seen.append(settings.shares["interaction"])
    return min(1.0, math.fsum(seen))


def _mae(settings: DemoSettings, subset: Sequence[str]) -> float:
    """Return the least mean absolute error of a predictor that sees ``subset``."""
    of = settings.coefficients()
    unseen = {"audio": of.audio, "visual": of.visual, "noise": of.noise}
    widths = [
        HALF_WIDTH * coefficient
        for name, coefficient in unseen.items()
        if name not in subset and HALF_WIDTH * coefficient > NEGLIGIBLE_WIDTH
    ]
    values, probabilities = sentiment_distribution()
    if "text" not in subset:
        # The label's distribution is symmetric around what is seen, so the median is 0.
        risks = expected_distance(of.sentiment * values, widths)
    elif "visual" in subset:
        risks = expected_distance(np.zeros(len(values)), widths)
    else:
        risks = _risk_under_sarcasm(of.sentiment * values, of.sarcasm, widths)
    return of.scale * float(np.sum(probabilities * risks))


def expected_distance(points: Float64, widths: Sequence[float]) -> Float64:
    """Return E|N − t| at each point t, for N a sum of independent uniforms on ±w.

    Args:
        points: t (M,).
        widths: Half-widths w, n of them, all positive; none at all is N = 0.

    Returns:
        The expected distances (M,).
    """
    n = len(widths)
    total = np.zeros_like(points)
    for signs in itertools.product((-1.0, 1.0), repeat=n):
        x = points + math.fsum(s * w for s, w in zip(signs, widths, strict=True))
        total += math.prod(signs) * x**n * np.abs(x)
    return total / (math.factorial(n + 1) * math.prod(2 * width for width in widths))


def _risk_under_sarcasm(centres: Float64, sarcasm: float, widths: Sequence[float]) -> Float64:
    """Return min over m of E|Y − m|, Y = ±centre + N with the minus of probability ``sarcasm``.

    The risk is convex in m and least between the two centres: a ternary search on that interval.
    """

    def risk(m: Float64) -> Float64:
        return (1 - sarcasm) * expected_distance(m - centres, widths) + (
            sarcasm * expected_distance(m + centres, widths)
        )

    low, high = -np.abs(centres), np.abs(centres)
    for _ in range(100):
        third = (high - low) / 3
        left_is_worse = risk(low + third) > risk(high - third)
        low = np.where(left_is_worse, low + third, low)
        high = np.where(left_is_worse, high, high - third)
    return risk((low + high) / 2)
