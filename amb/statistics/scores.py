"""The metrics of every run, and their mean, spread and interval over seeds."""

from __future__ import annotations

import pandas as pd
from scipy.special import stdtrit  # scipy.stats would take longer to import than this step computes

from amb.evaluation.method_runs import runs_by_method
from amb.evaluation.metrics import METRICS, Floats
from amb.evaluation.predictions import SPLITS

SCORE_COLUMNS = ["method", "seed", "split", "metric", "value", "n"]
SUMMARY_COLUMNS = [
    *("method", "metric", "seeds", "mean", "std", "ci_low", "ci_high", "n_items", "n_videos"),
]


def score(predictions: pd.DataFrame) -> pd.DataFrame:
    """Compute all metrics of all runs on all splits, on clean inputs.

    Args:
        predictions: Frame of ``read_predictions``, rows in any order.

    Returns:
        ``SCORE_COLUMNS``, a row per method, seed, split and metric, in that order: methods
        alphabetical, splits and metrics in their usual order. ``n`` counts the items that the
        metric is computed on.
    """
    present = set(predictions["split"].unique())
    rows = [
        (runs.method, int(seed), split, name, float(value), n)
        for split in SPLITS
        if split in present
        for runs in runs_by_method(predictions, split).values()
        for name, metric in METRICS.items()
        for n in (metric.count_items(runs.labels),)
        for seed, value in zip(runs.seeds, metric(runs.labels, runs.predictions), strict=True)
    ]
    order = {name: place for place, name in enumerate((*SPLITS, *METRICS))}
    rows.sort(key=lambda row: (row[0], row[1], order[row[2]], order[row[3]]))
    return pd.DataFrame(rows, columns=SCORE_COLUMNS)


def summarise(scores: pd.DataFrame, n_videos: int, alpha: float = 0.05) -> pd.DataFrame:
    """Summarise the test scores over seeds.

    Args:
        scores: Frame of ``score``.
        n_videos: Number of test videos.
        alpha: The interval is the t interval of the mean at 1 − α over seeds: the fixed-set scope.

    Returns:
        ``SUMMARY_COLUMNS``, a row per method and metric. Spread and interval are NaN for fewer
        than two seeds; all values are NaN where the metric of one run is, since leaving that run
        out would flatter the method.
    """
    test = scores[scores["split"] == "test"].sort_values("seed")
    runs = dict(iter(test.groupby(["method", "metric"])))
    rows = []
    for method in sorted(set(test["method"])):
        for name in METRICS:
            values = runs[method, name]["value"].to_numpy(dtype="float64")
            n_items = int(runs[method, name]["n"].iloc[0])
            rows.append(
                (method, name, values.size, *mean_and_interval(values, alpha), n_items, n_videos)
            )
    return pd.DataFrame(rows, columns=SUMMARY_COLUMNS)


def mean_and_interval(values: Floats, alpha: float) -> tuple[float, float, float, float]:
    """Return mean, standard deviation and both bounds of the mean's t interval.

    Args:
        values: (S,) one number a seed.
        alpha: One minus the level of the interval.

    Returns:
        Mean, deviation, lower and upper bound; all but the mean are NaN for a single seed.
    """
    mean = float(values.mean())
    if values.size < 2:
        return mean, float("nan"), float("nan"), float("nan")
    std = float(values.std(ddof=1))
    half_width = float(stdtrit(values.size - 1, 1 - alpha / 2)) * std / values.size**0.5
    return mean, std, mean - half_width, mean + half_width
