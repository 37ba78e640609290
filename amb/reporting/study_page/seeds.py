"""What the seed explorer shows: every run's scores and its training curve."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd

from amb.reporting.inputs import CURVE, SCORES, SUMMARY, read_table
from amb.reporting.metric_display import METRICS
from amb.reporting.study_page.folder import StudyFolder

SPLIT_NAMES = {"test": "test", "valid": "validation", "train": "training"}
SIGNIFICANT_DIGITS = 6  # of what is sent; shown are fewer


def seed_payload(folder: StudyFolder) -> dict[str, Any] | None:
    """Return every run's scores, curves and summary.

    Args:
        folder: The results folder.

    Returns:
        JSON-able values; None where the folder has no scores.
    """
    file = folder.path / "scores.csv"
    if not file.is_file():
        return None
    scores = read_table(file, SCORES)
    scores = scores[scores["method"].isin(folder.labels)]
    if scores.empty:
        return None
    methods = [name for name in folder.labels if name in set(scores["method"])]
    metrics = [name for name in METRICS if name in set(scores["metric"])]
    reference = folder.study["statistics"]["reference"]
    return {
        "methods": methods,
        "metrics": [_metric(name) for name in metrics],
        "splits": [
            {"name": name, "label": label}
            for name, label in SPLIT_NAMES.items()
            if name in set(scores["split"])
        ],
        "seeds": {name: _seeds_of(scores, name) for name in methods},
        "values": _values(scores),
        "intervals": _intervals(folder),
        "curves": {name: curves for name in methods if (curves := _curves(folder, name))},
        "reference": reference,
        "chosen": _chosen(methods, str(reference)),
    }


def _metric(name: str) -> dict[str, Any]:
    metric = METRICS[name]
    return {
        "name": name,
        "label": metric.label,
        "heading": metric.heading,
        "higher": metric.higher_is_better,
        "scale": metric.scale,
        "decimals": metric.decimals + 1 if metric.percent else metric.decimals,
    }


def _values(scores: pd.DataFrame) -> dict[str, dict[str, dict[str, dict[str, float | None]]]]:
    """Return split → metric → method → seed → value."""
    found: dict[str, Any] = {}
    for row in records(scores):
        own = found.setdefault(row.split, {}).setdefault(row.metric, {}).setdefault(row.method, {})
        own[str(int(row.seed))] = short(row.value)
    return found


def _intervals(folder: StudyFolder) -> dict[str, dict[str, list[float | None]]]:
    """Return metric → method → mean and bounds of the test split's interval over seeds."""
    file = folder.path / "summary.csv"
    if not file.is_file():
        return {}
    found: dict[str, Any] = {}
    for row in records(read_table(file, SUMMARY)):
        bounds = [short(row.mean), short(row.ci_low), short(row.ci_high)]
        found.setdefault(row.metric, {})[row.method] = bounds
    return found


def _curves(folder: StudyFolder, method: str) -> dict[str, list[float | None]]:
    """Return the validation MAE by epoch of the seeds that have a curve."""
    files = {seed: folder.run_file(method, seed, "curve.csv") for seed in folder.seeds[method]}
    return {
        str(seed): [short(value) for value in read_table(file, CURVE)["valid_mae"]]
        for seed, file in files.items()
        if file.is_file()
    }


def _chosen(methods: list[str], reference: str) -> list[str]:
    """Return the rows that are shown at first: few enough to be told apart."""
    first = [name for name in methods if name != reference][:3]
    return [name for name in methods if name in first or name == reference]


def _seeds_of(scores: pd.DataFrame, method: str) -> list[int]:
    return sorted({int(seed) for seed in scores.loc[scores["method"] == method, "seed"]})


def records(frame: pd.DataFrame) -> list[Any]:
    """Return the rows of a frame, a named tuple each."""
    return list(frame.itertuples())


def short(value: float) -> float | None:
    """Return a number with as many digits as the page may show; None where it is undefined."""
    return float(f"{value:.{SIGNIFICANT_DIGITS}g}") if math.isfinite(value) else None
