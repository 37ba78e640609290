"""Crossed bootstrap: seeds and videos drawn with replacement, independently of each other.

A second opinion on the intervals of scope "population"; it has no say in verdicts. A resample draws
as many videos as there are, the same ones for all methods, since they were tested on the same
videos; and for every method as many seeds as it has, each method its own, since seeds are unpaired.
A draw is a vector of multinomial counts, so a batch of resamples is one matrix product of the
moment table with the counts of the videos; metrics follow from the weighted sums, and their means
from the counts of the seeds. Items are never touched.

What it is worth: with few seeds it is too narrow. The variance that it gives to the seeds is
(S − 1)/S of the unbiased one (.8 at S = 5), and its quantiles know nothing of degrees of freedom.
It is too wide where the seed × video interaction is large: it counts that one up to three times.

No test is derived from it. Counting on which side of 0 the resamples fall, or recentring them at 0
(as sacrebleu does), rejects a true null 12 % of the time at a nominal 5 %; whether the 1 − α
interval excludes 0 is all that can be said.

Source: A. B. Owen, Annals of Applied Statistics 1 (2007) 386 (arXiv 0712.1111), the pigeonhole
bootstrap and its variance; A. C. Davison, D. V. Hinkley, Bootstrap Methods and their Application
(1997), sections 5.2 and 5.3, for the basic and the percentile interval.

Notation: ``M`` methods, ``S`` seeds of one method, ``R`` runs of all methods, ``G`` videos, ``B``
resamples, ``b`` resamples of a batch, ``C`` sums that differ between runs.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from amb.evaluation.metrics import METRICS, Floats
from amb.statistics.contrast import Form, contrast
from amb.statistics.effect import SampleSizes
from amb.statistics.moments import (
    LABEL_MOMENTS,
    METRIC_MOMENTS,
    MOMENTS,
    MomentTable,
    metric_from_columns,
    metric_table,
)

RESAMPLES = 10_000
# Resamples of one matrix product: its result, C · R · b numbers, should stay in a core's cache.
BATCH = 128
METHOD = "crossed bootstrap over seeds and videos"


@dataclass(frozen=True)
class ResampledMetrics:
    """Seed-mean metrics of several methods, as observed and in every resample.

    Attributes:
        methods: (M,) names.
        metrics: Names of the metrics.
        observed: Metric to (M,) seed means.
        values: Metric to (M, B) seed means of the resamples; NaN where undefined.
        seeds: (M,) number of seeds.
        n_items: Metric to the number of items that it is computed on.
        n_videos: G.
    """

    methods: tuple[str, ...]
    metrics: tuple[str, ...]
    observed: dict[str, Floats]
    values: dict[str, Floats]
    seeds: tuple[int, ...]
    n_items: dict[str, int]
    n_videos: int


@dataclass(frozen=True)
class BootstrapInterval:
    """Interval of one contrast from the crossed bootstrap.

    Attributes:
        estimate: The contrast as observed, positive where ``a`` is better.
        se: Standard deviation over resamples.
        percentile: The α/2 and 1 − α/2 quantiles of the resamples.
        basic: The same two, mirrored at the estimate.
        alpha: 1 − α is the level of both intervals.
        resamples: B.
        method: What was done.
        sizes: Sample sizes.
        note: Why there is no interval; empty where there is one.
    """

    estimate: float
    se: float
    percentile: tuple[float, float]
    basic: tuple[float, float]
    alpha: float
    resamples: int
    method: str
    sizes: SampleSizes
    note: str = ""


def resample_metrics(
    tables: Sequence[MomentTable],
    metrics: Sequence[str],
    rng: np.random.Generator,
    resamples: int = RESAMPLES,
    batch: int = BATCH,
) -> ResampledMetrics:
    """Draw seeds and videos, and compute all metrics of all methods on every draw.

    One number is taken from ``rng``; the draws of the videos and those of each method's seeds come
    from streams of their own that follow from it and from the method's name. So another method
    beside it, or another order, changes no method's resamples.

    Args:
        tables: Moments of M methods on the same items; names are unique.
        metrics: Names of the metrics.
        rng: Source of the draws.
        resamples: B.
        batch: Resamples of one matrix product; it has no influence on what is drawn.

    Returns:
        The metrics, methods in the order given.

    Raises:
        ValueError: The methods were tested on different items, or a name stands twice.
    """
    _check_same_items(tables)
    counts = [table.seeds.size for table in tables]
    starts = np.cumsum([0, *counts[:-1]])
    streams = _streams(tables, rng)
    values = {name: np.empty((len(tables), resamples)) for name in metrics}
    sums = _WeightedSums(tables, metrics)
    for first in range(0, resamples, batch):
        b = min(batch, resamples - first)
        columns = sums(_counts(streams[0], tables[0].videos.size, b))
        drawn = np.vstack(
            [_counts(stream, S, b) for stream, S in zip(streams[1:], counts, strict=True)]
        )  # (R, b)
        weights = drawn / np.repeat(counts, counts)[:, None]
        for name in metrics:
            per_run = metric_from_columns(columns, name)  # (R, b)
            # A run that was not drawn adds 0, even where its metric is undefined.
            shares = np.multiply(per_run, weights, out=np.zeros_like(weights), where=drawn > 0)
            values[name][:, first : first + b] = np.add.reduceat(shares, starts, axis=0)
    own = {name: [metric_table(table, name) for table in tables] for name in metrics}
    return ResampledMetrics(
        methods=tuple(table.method for table in tables),
        metrics=tuple(metrics),
        observed={k: np.array([t.values.mean() for t in own[k]]) for k in metrics},
        values=values,
        seeds=tuple(counts),
        n_items={name: own[name][0].n_items for name in metrics},
        n_videos=tables[0].videos.size,
    )


def crossed_bootstrap_ci(
    resampled: ResampledMetrics,
    a: str,
    b: str,
    metric: str,
    form: Form = "difference",
    alpha: float = 0.05,
) -> BootstrapInterval:
    """Return percentile and basic interval of one contrast.

    Args:
        resampled: What ``resample_metrics`` gave.
        a: Name of the method in question.
        b: Name of the method that it is compared with.
        metric: Name of the metric.
        form: Difference or relative change.
        alpha: 1 − α is the level of the interval.

    Returns:
        The interval. With a single run of a method, a single video, or a contrast that is undefined
        as observed or in any resample, there is none and ``note`` says so: leaving resamples out
        would cut a tail of unknown size.
    """
    i, j = resampled.methods.index(a), resampled.methods.index(b)
    higher = METRICS[metric].higher_is_better
    observed, values = resampled.observed[metric], resampled.values[metric]
    estimate = float(contrast(observed[i], observed[j], form, higher))
    drawn = contrast(values[i], values[j], form, higher)
    sizes = SampleSizes(
        resampled.seeds[i], resampled.seeds[j], resampled.n_items[metric], resampled.n_videos
    )
    note = _why_not(estimate, drawn, sizes)
    if note:
        nothing = (float("nan"), float("nan"))
        return BootstrapInterval(
            estimate, nothing[0], nothing, nothing, alpha, drawn.size, METHOD, sizes, note
        )
    low, high = (float(bound) for bound in np.quantile(drawn, [alpha / 2, 1 - alpha / 2]))
    return BootstrapInterval(
        estimate=estimate,
        se=float(drawn.std(ddof=1)),
        percentile=(low, high),
        basic=(2 * estimate - high, 2 * estimate - low),
        alpha=alpha,
        resamples=drawn.size,
        method=METHOD,
        sizes=sizes,
    )


class _WeightedSums:
    """Weighted sums over videos, as one matrix product for all runs and columns."""

    def __init__(self, tables: Sequence[MomentTable], metrics: Sequence[str]) -> None:
        needed = {column for name in metrics for column in METRIC_MOMENTS[name]}
        self.label_columns = [name for name in LABEL_MOMENTS if name in needed]
        self.run_columns = [
            name for name in MOMENTS if name in needed and name not in LABEL_MOMENTS
        ]
        stacked = np.concatenate([table.values for table in tables])  # (R, G, K)
        self.runs = len(stacked)
        labels = stacked[:1, :, _places(self.label_columns)]
        own = stacked[:, :, _places(self.run_columns)]
        # Rows column by column, so that each sum comes out as one contiguous (R, b) block.
        rows = [np.moveaxis(part, 2, 0).reshape(-1, part.shape[1]) for part in (labels, own)]
        self.matrix = np.ascontiguousarray(np.vstack(rows))  # (labels + C · R, G)

    def __call__(self, video_counts: Floats) -> dict[str, Floats]:
        """Return each column's sums, (1, b) or (R, b), from the videos' counts (G, b)."""
        b = video_counts.shape[1]
        sums = self.matrix @ video_counts
        labels = sums[: len(self.label_columns)].reshape(-1, 1, b)
        own = sums[len(self.label_columns) :].reshape(-1, self.runs, b)
        return dict(zip((*self.label_columns, *self.run_columns), (*labels, *own), strict=True))


def _places(columns: Sequence[str]) -> list[int]:
    return [MOMENTS.index(name) for name in columns]


def _streams(tables: Sequence[MomentTable], rng: np.random.Generator) -> list[np.random.Generator]:
    """Return the generator of the videos' draws and one a method."""
    key = int(rng.integers(2**63))
    named: Iterator[list[int]] = (list(table.method.encode()) for table in tables)
    return [np.random.default_rng([key, *name]) for name in ([], *named)]


def _counts(rng: np.random.Generator, size: int, b: int) -> Floats:
    """Return how often each of ``size`` units is drawn in each of ``b`` resamples, (size, b)."""
    draws: NDArray[np.int64] = rng.integers(size, size=(b, size))
    draws += size * np.arange(b)[:, None]
    counts = np.bincount(draws.ravel(), minlength=b * size)
    return counts.reshape(b, size).T.astype(np.float64)


def _check_same_items(tables: Sequence[MomentTable]) -> None:
    names = [table.method for table in tables]
    if len(set(names)) != len(names):
        raise ValueError(f"a method stands twice in {', '.join(names)}")
    columns = _places(LABEL_MOMENTS)
    labels = tables[0].values[0][:, columns]
    for table in tables:
        same = np.array_equal(table.videos, tables[0].videos)
        if not same or not np.array_equal(table.values[0][:, columns], labels):
            raise ValueError(f"{table.method} and {names[0]} were tested on different items")


def _why_not(estimate: float, drawn: Floats, sizes: SampleSizes) -> str:
    """Return why there can be no interval, or nothing."""
    if not np.isfinite(estimate):
        return "the contrast is undefined"
    if min(sizes.seeds_a, sizes.seeds_b) < 2:
        return "a method has one seed; two are needed"
    if sizes.n_videos < 2:
        return "there is one video; two are needed"
    undefined = int(np.count_nonzero(~np.isfinite(drawn)))
    if undefined:
        return f"the contrast is undefined in {undefined} of {drawn.size} resamples"
    return ""
