"""How many seeds a claim needs: planning from a pilot of three to five seeds.

Power is the chance that the claim's own rule, lower bound of the 1 − α interval above 0, comes out
right if the effect is truly δ: with S seeds of each method,

    power(S) = P(T' > t_{1−α/2, df(S)}),   T' noncentral t with df(S) and δ / √V(S)

The pilot, of S₀ seeds a method, says how V falls as seeds are added. With its V_seed, V_vid and
V_cell (``population``), summed over methods m after each is scaled by S₀ₘ/S:

    fixed_set    V(S) = V_seed(S)
    population   V(S) = max(V_seed(S) + V_core, V_cell(S) + V_core, V_seed(S)),
                 V_core = max(V_vid − V_cell, 0) of the pilot

V_vid holds a part that is due to which seeds met which videos and falls with S; the rest, V_core,
is due to the videos and does not. So at scope "population" there is an effect below which no number
of seeds suffices: at S → ∞ the standard error is √V_core with G − 1 degrees of freedom, and

    MDE_∞ = (t_{1−α/2, G−1} + t_{.8, G−1}) √V_core

Degrees of freedom are those of the tests themselves, at S seeds. A pilot's spread is uncertain: a
second number of seeds is planned with V_seed at its upper 80 % bound, ν/χ²_{.2, ν} times its
estimate, with the ν degrees of freedom that it has in the pilot. V_core is uncertain too, and more
seeds do not help; take MDE_∞ as an order of magnitude where there are few videos.

Source: statistics.md of this project ("Two scopes", "Verdicts"); J. Cohen, Statistical Power
Analysis (1988), for the noncentral t; M. Kieser, G. Wassmer, Biometrical Journal 38 (1996) 941, for
planning with an upper bound of a pilot's variance.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from amb.evaluation.metrics import METRICS, Floats
from amb.statistics.contrast import Form, contrast_gradient
from amb.statistics.moments import MetricTable
from amb.statistics.population import VarianceComponents, delete_one_video, variance_components
from amb.statistics.power import POWER, minimum_detectable_effect

# More seeds than this are not planned: no study runs them.
MOST_SEEDS = 1000
CAUTION = 0.8


@dataclass(frozen=True)
class Pilot:
    """What a pilot knows of the variance of one contrast.

    Attributes:
        runs: (2,) variance of one run of each method, gₘ² s²ₘ.
        cells: (2,) the same of the seed × video part, V_cell times the seeds.
        core: V_core; 0 at scope ``fixed_set``.
        n_videos: G; 0 at scope ``fixed_set``, where videos are no sample.
        spread_df: ν, the degrees of freedom of the pilot's V_seed.
    """

    runs: Floats
    cells: Floats
    core: float
    n_videos: int
    spread_df: float


@dataclass(frozen=True)
class SeedsNeeded:
    """The plan of one claim at one scope and effect.

    Attributes:
        seeds: Seeds of each method for 80 % power; None where no number up to 1000 suffices.
        seeds_cautious: The same with the pilot's spread at its upper 80 % bound.
        power_at_limit: Power with endlessly many seeds.
        mde_at_limit: MDE with endlessly many seeds; 0 at scope ``fixed_set``.
        note: Why there is no number of seeds; empty where there is.
    """

    seeds: int | None
    seeds_cautious: int | None
    power_at_limit: float
    mde_at_limit: float
    note: str = ""


def pilot_of(a: MetricTable, b: MetricTable, metric: str, form: Form, scope: str) -> Pilot:
    """Take from pilot runs what a plan needs.

    Args:
        a: Metric of the method in question, two or more runs.
        b: Metric of the method that it is compared with, on the same videos.
        metric: Name of the metric, for its direction.
        form: Difference or relative change.
        scope: ``fixed_set`` or ``population``.

    Returns:
        The pilot; its variances are NaN where the contrast is undefined.
    """
    higher = METRICS[metric].higher_is_better
    gradient = contrast_gradient(float(a.values.mean()), float(b.values.mean()), form, higher)
    components = variance_components(a, b, gradient, delete_one_video(a, b, form, higher))
    pilot = Pilot(
        runs=components.seeds * components.n_seeds,
        cells=components.cells * components.n_seeds,
        core=max(components.videos - float(components.cells.sum()), 0.0),
        n_videos=components.n_videos,
        spread_df=_welch_df(components.seeds, components.n_seeds),
    )
    if scope == "population":
        return pilot
    return replace(pilot, cells=np.zeros(2), core=0.0, n_videos=0)


def power_at(pilot: Pilot, seeds: int, effect: float, alpha: float = 0.05) -> float:
    """Return the chance that the interval's lower bound is above 0.

    Args:
        pilot: What is known of the variance.
        seeds: S ≥ 2, seeds of each method.
        effect: δ, the true effect, in the contrast's unit.
        alpha: Two-sided level of the interval.

    Returns:
        The power; NaN where the pilot's variances are.
    """
    components = _scaled(pilot, seeds)
    return _power(effect, components.variance(), _df(components, pilot), alpha)


def seeds_needed(
    pilot: Pilot, effect: float, alpha: float = 0.05, power: float = POWER
) -> SeedsNeeded:
    """Plan the number of seeds for one effect.

    Args:
        pilot: What is known of the variance.
        effect: δ, the true effect that is to be found, in the contrast's unit.
        alpha: Two-sided level of the interval, after correction.
        power: The power wanted.

    Returns:
        The plan.
    """
    at_limit, mde = _limit(pilot, effect, alpha)
    note = _why_not(pilot, effect, at_limit, power)
    if note:
        return SeedsNeeded(None, None, at_limit, mde, note)
    seeds = _search(pilot, effect, alpha, power)
    factor = pilot.spread_df / float(stats.chi2.ppf(1 - CAUTION, pilot.spread_df))
    cautious = _search(replace(pilot, runs=factor * pilot.runs), effect, alpha, power)
    if seeds is None:
        note = f"more than {MOST_SEEDS} seeds"
    return SeedsNeeded(seeds, cautious, at_limit, mde, note)


def _scaled(pilot: Pilot, seeds: int) -> VarianceComponents:
    """Return the components that a study of ``seeds`` seeds a method would have."""
    cells = pilot.cells / seeds
    return VarianceComponents(
        seeds=pilot.runs / seeds,
        videos=pilot.core + float(cells.sum()),
        cells=cells,
        n_seeds=np.array([seeds, seeds]),
        n_videos=max(pilot.n_videos, 2),  # of no account where videos have no variance
    )


def _df(components: VarianceComponents, pilot: Pilot) -> float:
    if pilot.n_videos:
        return components.df()
    return _welch_df(components.seeds, components.n_seeds)


def _welch_df(terms: Floats, seeds: NDArray[np.int64]) -> float:
    spread = float((terms**2 / (seeds - 1)).sum())
    return float(terms.sum()) ** 2 / spread if spread > 0 else float("nan")


def _power(effect: float, variance: float, df: float, alpha: float) -> float:
    critical = stats.t.ppf(1 - alpha / 2, df)
    return float(stats.nct.sf(critical, df, effect / np.sqrt(variance)))


def _limit(pilot: Pilot, effect: float, alpha: float) -> tuple[float, float]:
    """Return power and MDE with endlessly many seeds."""
    if pilot.core > 0:
        df = float(pilot.n_videos - 1)
        mde = minimum_detectable_effect(float(np.sqrt(pilot.core)), df, alpha)
        return _power(effect, pilot.core, df, alpha), mde
    return (1.0 if effect > 0 else alpha / 2), 0.0


def _why_not(pilot: Pilot, effect: float, at_limit: float, power: float) -> str:
    """Return why no number of seeds can be given, or nothing."""
    if not np.isfinite(pilot.runs).all():
        return "the contrast is undefined"
    if not effect > 0:
        return "there is no effect to find"
    if not pilot.runs.sum() > 0:
        return "the pilot's seeds do not differ"
    if at_limit < power:
        return "no number of seeds suffices: the videos are too few"
    return ""


def _search(pilot: Pilot, effect: float, alpha: float, power: float) -> int | None:
    """Return the smallest number of seeds with the power, or None beyond the most."""
    low, high = 1, 2  # power(low) is too small, or low is no number to test
    while power_at(pilot, high, effect, alpha) < power:
        if high >= MOST_SEEDS:
            return None
        low, high = high, min(2 * high, MOST_SEEDS)
    while high - low > 1:
        middle = (low + high) // 2
        enough = power_at(pilot, middle, effect, alpha) >= power
        low, high = (low, middle) if enough else (middle, high)
    return high
