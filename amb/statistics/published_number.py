"""A published number without a spread, against our runs.

Somebody printed one number; we have S runs. With the gap g = ours − theirs, turned so that positive
is worse, the standard deviation s of our runs and the margin m:

    g + t_{1−α, S−1} · s/√S < m                            reproduced
    g − t_{1−α/2, S−1} · s·√(1 + 1/S) > 0  and  g > m      not reproduced
    neither                                                inconclusive

The first bound is about our mean, the second about one more run: the published number is the result
of one run, or of a few, and has a spread of its own that was not printed. That their number lies
outside the interval of our mean is no reason to condemn it; that would be wrong 16 to 65 % of the
time, and the more often the more seeds there are.

Source: statistics.md of this project ("Verdicts"); G. J. Hahn, Journal of the American Statistical
Association 64 (1969) 878, for the prediction interval of one more observation.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from amb.evaluation.metrics import Floats
from amb.statistics.effect import is_rounding
from amb.statistics.verdict import INCONCLUSIVE, NOT_REPRODUCED, REPRODUCED


@dataclass(frozen=True)
class PublishedNumberResult:
    """A published number beside our runs.

    Attributes:
        verdict: Reproduced, not reproduced or inconclusive.
        ours: Mean of our runs.
        published: Their number.
        gap: g, positive where ours is worse.
        gap_at_most: One-sided 1 − α bound of the gap of our mean.
        gap_of_a_run_at_least: Lower 1 − α/2 bound of the gap of one more run.
        margin: m.
        alpha: α.
        seeds: S.
        note: Why there are no bounds; empty where there are.
    """

    verdict: str
    ours: float
    published: float
    gap: float
    gap_at_most: float
    gap_of_a_run_at_least: float
    margin: float
    alpha: float
    seeds: int
    note: str = ""


def published_number_verdict(
    values: ArrayLike,
    published: float,
    margin: float,
    *,
    higher_is_better: bool,
    alpha: float = 0.05,
) -> PublishedNumberResult:
    """Judge whether our runs reproduce a published number.

    Args:
        values: (S,) metric of every one of our runs.
        published: The number, in the metric's unit.
        margin: The gap that does not matter, above 0, in the metric's unit.
        higher_is_better: Direction of the metric.
        alpha: Level of both bounds.

    Returns:
        The verdict; inconclusive, with the reason, where our runs are one, do not differ, or have
        an undefined metric.

    Raises:
        ValueError: The margin is not above 0, or the published number is none.
    """
    if not margin > 0 or not np.isfinite(published):
        raise ValueError(f"margin {margin}, published {published}: need m > 0 and a finite number")
    x = np.asarray(values, dtype=np.float64)
    S, ours = x.size, float(x.mean()) if x.size else float("nan")
    gap = (published - ours) if higher_is_better else (ours - published)
    at_most = run_at_least = float("nan")
    note = _why_not(x, ours)
    if not note:
        s = float(x.std(ddof=1))
        at_most = gap + float(stats.t.ppf(1 - alpha, S - 1)) * s / np.sqrt(S)
        run_at_least = gap - float(stats.t.ppf(1 - alpha / 2, S - 1)) * s * np.sqrt(1 + 1 / S)
    verdict = INCONCLUSIVE
    if at_most < margin:
        verdict = REPRODUCED
    elif run_at_least > 0 and gap > margin:
        verdict = NOT_REPRODUCED
    return PublishedNumberResult(
        verdict, ours, published, gap, float(at_most), float(run_at_least), margin, alpha, S, note
    )


def _why_not(x: Floats, mean: float) -> str:
    """Return why there can be no bound, or nothing."""
    if x.size < 2:
        return f"there {'is one seed' if x.size else 'are no seeds'}; two are needed"
    if not np.isfinite(mean):
        return "the metric is undefined"
    if is_rounding(float(x.var(ddof=1)), mean):
        return "the seeds do not differ"
    return ""
