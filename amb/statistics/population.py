"""Scope "population": seeds and videos are random. Answers "is A better than B".

The two-way (seed × video) jackknife-t, in closed form and without random numbers. With the
delete-video estimates θ̂₋ᵥ and their mean θ̄, the gradient gₘ = ∂θ/∂metricₘ, the seed variance s²ₘ
and the doubly centred leave-one-video-out values cₛᵥ of method m:

    V_seed = Σₘ gₘ² s²ₘ / Sₘ
    V_vid  = (G−1)/G · Σᵥ (θ̂₋ᵥ − θ̄)²
    V_cell = Σₘ gₘ² (G−1)/G · ΣΣ c² / ((Sₘ−1) Sₘ)
    V      = max(V_seed + V_vid − V_cell, V_seed, V_vid)
    df     = V² / ( Σₘ (gₘ² s²ₘ/Sₘ)² / (Sₘ−1) + V_vid² / (G−1) )

V_cell is the noise that both V_seed and V_vid contain; the maximum keeps its subtraction from
making the interval narrower than either source alone.

Source: statistics.md of this project, where the test was chosen by simulation against item and
crossed bootstraps and paired tests; B. Efron, C. Stein, Annals of Statistics 9 (1981) 586, for
the jackknife variance.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from amb.evaluation.metrics import Floats
from amb.statistics.contrast import Form, contrast, contrast_gradient
from amb.statistics.effect import Effect, SampleSizes, is_rounding, t_effect, untestable
from amb.statistics.moments import MetricTable

TEST = "two-way jackknife t"


@dataclass(frozen=True)
class VarianceComponents:
    """Parts of the variance of a contrast of two methods.

    Attributes:
        seeds: (2,) V_seed of each method, gₘ² s²ₘ / Sₘ.
        videos: V_vid.
        cells: (2,) V_cell of each method.
        n_seeds: (2,) number of seeds of each method.
        n_videos: G.
    """

    seeds: Floats
    videos: float
    cells: Floats
    n_seeds: NDArray[np.int64]
    n_videos: int

    def variance(self) -> float:
        """Return V, the squared standard error."""
        v_seed, v_cell = float(self.seeds.sum()), float(self.cells.sum())
        return max(v_seed + self.videos - v_cell, v_seed, self.videos)

    def df(self) -> float:
        """Return the degrees of freedom of V; NaN where nothing varies."""
        own = float((self.seeds**2 / (self.n_seeds - 1)).sum())
        spread = own + self.videos**2 / (self.n_videos - 1)
        return self.variance() ** 2 / spread if spread > 0 else float("nan")


def population_test(
    a: MetricTable,
    b: MetricTable,
    *,
    higher_is_better: bool,
    form: Form = "difference",
    alpha: float = 0.05,
) -> Effect:
    """Test the contrast of two methods over random seeds and random videos.

    Args:
        a: Metric of the method in question, on the same videos as ``b``.
        b: Metric of the method that it is compared with; its seeds may be others, or fewer.
        higher_is_better: Direction of the metric.
        form: Difference or relative change.
        alpha: Two-sided significance level.

    Returns:
        The effect, positive where ``a`` is better. With a single run of a method, a single video,
        an undefined metric or no variance at all there is no interval and ``note`` says so: with
        one seed V_seed would be unknown, and an interval over videos alone is not this scope's.

    Raises:
        ValueError: The two methods were tested on different videos.
    """
    if not np.array_equal(a.videos, b.videos):
        raise ValueError("the two methods were tested on different videos")
    G = a.videos.size
    sizes = SampleSizes(a.values.size, b.values.size, a.n_items, G)
    A, B = float(a.values.mean()), float(b.values.mean())
    estimate = float(contrast(A, B, form, higher_is_better))
    deleted = delete_one_video(a, b, form, higher_is_better)
    note = _why_not(estimate, deleted, sizes)
    if note:
        return untestable(estimate, alpha, TEST, sizes, note)
    gradient = contrast_gradient(A, B, form, higher_is_better)
    components = variance_components(a, b, gradient, deleted)
    variance, df = components.variance(), components.df()
    if is_rounding(variance, gradient[0] * A, gradient[1] * B):
        return untestable(estimate, alpha, TEST, sizes, "neither seeds nor videos differ")
    return t_effect(estimate, variance, df, alpha, TEST, sizes)


def _why_not(estimate: float, deleted: Floats, sizes: SampleSizes) -> str:
    """Return why there can be no interval, or nothing."""
    if not np.isfinite(estimate):
        return "the contrast is undefined"
    if min(sizes.seeds_a, sizes.seeds_b) < 2:
        return "a method has one seed; two are needed"
    if sizes.n_videos < 2:
        return "there is one video; two are needed"
    if not np.all(np.isfinite(deleted)):
        return "the contrast is undefined without one of the videos"
    return ""


def variance_components(
    a: MetricTable, b: MetricTable, gradient: tuple[float, float], deleted: Floats
) -> VarianceComponents:
    """Split the variance of the contrast into that of seeds, of videos and of both together.

    Args:
        a: Metric of the method in question.
        b: Metric of the method that it is compared with.
        gradient: Derivatives of the contrast with respect to both seed means.
        deleted: (G,) the contrast without each video.

    Returns:
        The components.
    """
    G, methods = deleted.size, (a, b)
    S = np.array([method.values.size for method in methods])
    g2 = np.square(gradient)
    return VarianceComponents(
        seeds=g2 * np.array([method.values.var(ddof=1) for method in methods]) / S,
        videos=float((G - 1) / G * np.square(deleted - deleted.mean()).sum()),
        cells=(
            g2 * np.array([_cell_sum_of_squares(method) for method in methods])
            * (G - 1) / G / ((S - 1) * S)
        ),
        n_seeds=S,
        n_videos=G,
    )  # fmt: skip


def delete_one_video(a: MetricTable, b: MetricTable, form: Form, higher_is_better: bool) -> Floats:
    """Return the contrast without each video, θ̂₋ᵥ (G,)."""
    A, B = (table.leave_one_video_out.mean(axis=0) for table in (a, b))
    return contrast(A, B, form, higher_is_better)


def _cell_sum_of_squares(method: MetricTable) -> float:
    """Return ΣΣ c² of the doubly centred leave-one-video-out values."""
    L = method.leave_one_video_out  # (S, G)
    centred = L - L.mean(axis=1, keepdims=True) - L.mean(axis=0, keepdims=True) + L.mean()
    return float(np.square(centred).sum())
