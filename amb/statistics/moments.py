"""Seventeen sums a (run, video) from which every metric follows exactly.

All statistics work on these sums, never on items: leaving a video out is a subtraction, so the
jackknife over videos costs nothing, whatever the size of the test set.

Notation: ``S`` runs (seeds), ``N`` utterances, ``G`` videos, ``K`` = 17 sums.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from amb.evaluation.method_runs import MethodRuns
from amb.evaluation.metrics import METRICS, Floats, bin_hits, weighted_f1

# y and p are taken about a constant of the whole run (its median label, its median prediction).
# Corr does not change, but its sums keep their digits where predictions hardly vary.
MOMENTS: tuple[str, ...] = (
    *("n", "y", "yy", "p", "pp", "py", "abs_error", "hits7", "hits5"),
    *("tp_has0", "fp_has0", "fn_has0", "tn_has0"),
    *("tp_non0", "fp_non0", "fn_non0", "tn_non0"),
)
# Which sums each metric is made of, and which of them are the same for all runs.
METRIC_MOMENTS: dict[str, tuple[str, ...]] = {
    "mae": ("n", "abs_error"),
    "corr": ("n", "y", "yy", "p", "pp", "py"),
    "acc7": ("n", "hits7"),
    "acc5": ("n", "hits5"),
    **{
        f"{name}_{kind}": tuple(f"{cell}_{kind}" for cell in ("tp", "fp", "fn", "tn"))
        for name in ("acc2", "f1")
        for kind in ("has0", "non0")
    },
}
LABEL_MOMENTS = ("n", "y", "yy")
# Below this share of the raw sum of squares a variance is rounding, and the values are constant.
ROUNDING = 1e-12


@dataclass(frozen=True)
class MomentTable:
    """Sums of one method's runs.

    Attributes:
        method: Name of the method.
        seeds: (S,) int64.
        videos: (G,) ids, ascending.
        values: (S, G, K) float64, last axis in the order of ``MOMENTS``.
    """

    method: str
    seeds: NDArray[np.int64]
    videos: NDArray[np.object_]
    values: Floats

    def totals(self) -> Floats:
        """Return the sums over all videos, (S, K)."""
        return np.asarray(self.values.sum(axis=1))

    def leave_one_video_out(self) -> Floats:
        """Return the sums over all videos but one, (S, G, K)."""
        return np.asarray(self.totals()[:, None, :] - self.values)


@dataclass(frozen=True)
class MetricTable:
    """One metric of one method's runs, on all videos and on all but one.

    Attributes:
        values: (S,) the metric of every run.
        leave_one_video_out: (S, G) the metric of every run without that video.
        videos: (G,) ids.
        n_items: Number of items that the metric is computed on.
    """

    values: Floats
    leave_one_video_out: Floats
    videos: NDArray[np.object_]
    n_items: int


def moment_table(runs: MethodRuns) -> MomentTable:
    """Sum over the utterances of every video.

    Args:
        runs: Aligned predictions of one method; utterances of a video stand together.

    Returns:
        The moment table.
    """
    videos, starts = np.unique(runs.videos, return_index=True)
    sums = [
        np.add.reduceat(_per_run(terms, runs.predictions.shape), starts, axis=1)
        for terms in _terms(runs.labels, runs.predictions)
    ]
    return MomentTable(runs.method, runs.seeds, videos, np.stack(sums, axis=-1))


def metric_table(table: MomentTable, metric: str) -> MetricTable:
    """Compute one metric with all videos and with each left out.

    Args:
        table: Moments of one method.
        metric: Name of the metric.

    Returns:
        The metric's table.
    """
    totals = table.totals()
    return MetricTable(
        values=metric_from_moments(totals, metric),
        leave_one_video_out=metric_from_moments(table.leave_one_video_out(), metric),
        videos=table.videos,
        n_items=int(_items(totals, metric)[0]),
    )


def metrics_from_moments(moments: Floats) -> dict[str, Floats]:
    """Compute all metrics from sums, (..., K) -> name to (...); NaN where undefined."""
    return {name: metric_from_moments(moments, name) for name in METRICS}


def metric_from_moments(moments: Floats, metric: str) -> Floats:
    """Compute one metric from sums over any set of items.

    Args:
        moments: (..., K) sums in the order of ``MOMENTS``.
        metric: Name of the metric.

    Returns:
        (...) the metric; NaN, without a warning, where it is undefined.
    """
    columns = dict(zip(MOMENTS, np.moveaxis(moments, -1, 0), strict=True))
    return metric_from_columns(columns, metric)


def metric_from_columns(columns: Mapping[str, Floats], metric: str) -> Floats:
    """Compute one metric from the sums that it needs, given by name.

    Args:
        columns: Arrays (...) that broadcast against each other, by the names of ``MOMENTS``; at
            least those of ``METRIC_MOMENTS[metric]``.
        metric: Name of the metric.

    Returns:
        (...) the metric; NaN, without a warning, where it is undefined.
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(_FORMULAS[metric](columns), dtype=np.float64)


def _terms(y: Floats, p: Floats) -> list[Floats]:
    """Return what each column of ``MOMENTS`` sums, each (N,) or (S, N)."""
    y_centred = y - np.median(y)
    p_centred = p - np.median(p, axis=1, keepdims=True)
    kept = y != 0
    terms = [
        np.ones_like(y),
        y_centred,
        y_centred**2,
        p_centred,
        p_centred**2,
        p_centred * y_centred,
        np.abs(p - y),
        bin_hits(y, p, 3.0),
        bin_hits(y, p, 2.0),
    ]
    decisions = ((y >= 0, p >= 0, np.ones_like(kept)), (y > 0, p > 0, kept))
    for truth, called, counted in decisions:
        for true_class, called_class in (
            (True, True),
            (False, True),
            (True, False),
            (False, False),
        ):
            terms.append((truth == true_class) & (called == called_class) & counted)
    return [np.asarray(term, dtype=np.float64) for term in terms]


def _per_run(terms: Floats, shape: tuple[int, ...]) -> Floats:
    return np.broadcast_to(terms, shape)


def _items(moments: Floats, metric: str) -> Floats:
    first, last = (13, 17) if METRICS[metric].skips_zero_labels else (9, 13)
    return np.asarray(moments[..., first:last].sum(axis=-1))


Columns = Mapping[str, Floats]


def _corr(c: Columns) -> Floats:
    y_raw, p_raw = c["n"] * c["yy"], c["n"] * c["pp"]
    y_spread, p_spread = y_raw - c["y"] ** 2, p_raw - c["p"] ** 2
    defined = (y_spread > ROUNDING * y_raw) & (p_spread > ROUNDING * p_raw)
    # Two roots, not the root of the product: the product of tiny spreads would underflow.
    scale = np.sqrt(np.where(defined, y_spread, np.nan)) * np.sqrt(np.where(defined, p_spread, 1))
    return np.asarray(np.clip((c["n"] * c["py"] - c["y"] * c["p"]) / scale, -1.0, 1.0))


def _accuracy(kind: str) -> Callable[[Columns], Floats]:
    def formula(c: Columns) -> Floats:
        right = c[f"tp_{kind}"] + c[f"tn_{kind}"]
        return np.asarray(right / (right + c[f"fp_{kind}"] + c[f"fn_{kind}"]))

    return formula


def _f1(kind: str) -> Callable[[Columns], Floats]:
    def formula(c: Columns) -> Floats:
        return weighted_f1(c[f"tp_{kind}"], c[f"fp_{kind}"], c[f"fn_{kind}"], c[f"tn_{kind}"])

    return formula


_FORMULAS: dict[str, Callable[[Columns], Floats]] = {
    "mae": lambda c: c["abs_error"] / c["n"],
    "corr": _corr,
    "acc7": lambda c: c["hits7"] / c["n"],
    "acc5": lambda c: c["hits5"] / c["n"],
    "acc2_has0": _accuracy("has0"),
    "acc2_non0": _accuracy("non0"),
    "f1_has0": _f1("has0"),
    "f1_non0": _f1("non0"),
}
