"""Our row against a published number that has no spread.

With our S seeds, their standard deviation s and the gap g = ours − theirs, oriented so that
positive is worse:

    g + t.95 · s/√S < m                              reproduced
    g − t.975 · s · √(1 + 1/S) > 0  and  g > m       not reproduced
    neither                                          inconclusive

(t with S − 1 degrees of freedom; quantiles for α = .05.) The second line is a prediction interval:
the published number is taken as one more run with our spread. The naive rule, "theirs lies outside
our interval", condemns wrongly 16 to 65 % of the time, the more the more seeds. As p-values:

    p_reproduced     = P(T ≤ (g − m) / (s/√S))
    p_not_reproduced = min(1, 2 · P(T ≥ g / (s·√(1 + 1/S)))), and 1 where g ≤ m

Effects are gains here as everywhere: the estimate is −g.

Source: statistics.md of this project ("Verdicts").
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from amb.statistics.contrast import contrast
from amb.statistics.effect import Effect, SampleSizes, is_rounding, t_effect, untestable
from amb.statistics.verdict import PValues, doubled

TEST = "t over seeds against a published number"


def implied_number(published: float, relative_gain: float, higher_is_better: bool) -> float:
    """Return the number that is better than a published one by a relative gain.

    Args:
        published: The published number.
        relative_gain: Share by which it is improved: 0.034 for an error reduced by 3.4 %.
        higher_is_better: Direction of the metric.

    Returns:
        The number.
    """
    return published * (1 + relative_gain if higher_is_better else 1 - relative_gain)


def published_number_test(
    ours: ArrayLike,
    theirs: float,
    *,
    higher_is_better: bool,
    alpha: float = 0.05,
    n_items: int = 0,
    n_videos: int = 0,
) -> Effect:
    """Compare our seed-mean with a number.

    Args:
        ours: (S,) metric of every run.
        theirs: The number.
        higher_is_better: Direction of the metric.
        alpha: Two-sided significance level.
        n_items: Number of test items, carried into the result.
        n_videos: Number of test videos, carried into the result.

    Returns:
        The gain −g over the number. Its interval is that of our mean: it takes the number as
        exact. With one run, or runs that do not differ, there is none and ``note`` says so.
    """
    values = np.asarray(ours, dtype=np.float64)
    S = values.size
    sizes = SampleSizes(S, 0, n_items, n_videos)
    gain = float(contrast(float(values.mean()), theirs, "difference", higher_is_better))
    if not np.isfinite(gain):
        return untestable(gain, alpha, TEST, sizes, "the metric is undefined")
    if S < 2:
        return untestable(gain, alpha, TEST, sizes, "there is one seed; two are needed")
    variance = float(values.var(ddof=1)) / S
    if is_rounding(variance, float(values.mean())):
        return untestable(gain, alpha, TEST, sizes, "the seeds do not differ")
    return t_effect(gain, variance, S - 1, alpha, TEST, sizes)


def published_number_p_values(gain: Effect, margin: float) -> PValues:
    """Hold our mean against a published number.

    Args:
        gain: Effect of ``published_number_test``.
        margin: How much worse still counts as the same, in the metric's unit.

    Returns:
        The p-values of "worse by the margin or more" and of "no worse than one more run would
        be"; NaN without a test.
    """
    gap, S = -gain.estimate, gain.sizes.seeds_a
    prediction_se = gain.se * np.sqrt(S + 1)  # s/√S · √(S + 1) = s · √(1 + 1/S)
    worse = doubled(float(stats.t.sf(gap / prediction_se, gain.df)))
    against = 1.0 if gap <= margin and np.isfinite(worse) else worse
    return PValues(gain.p_greater(-margin), against)
