"""Corrupted predictions, as claims on robustness need them: is there a grid, and what is kept.

A prediction's ``corruption`` is ``none`` or ``<kind>:<target>:<level>:<draw>``. A claim names the
conditions that it means, all draws of them, by a pattern over ``<kind>:<target>:<level>`` with
shell wildcards: ``gaussian:*``. Level 0 is the clean input and means nothing.

Absolute retention is what a row keeps of its clean metric: noisy / clean for an accuracy, clean /
noisy for an error, so that 1 is "nothing lost" for both.
"""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase

import numpy as np
import pandas as pd

from amb.evaluation.corruption.points import CLEAN, GridPoint
from amb.evaluation.method_runs import runs_by_method
from amb.evaluation.metrics import METRICS
from amb.statistics.claim_kinds import NoninferiorityClaim
from amb.statistics.effect import Effect
from amb.statistics.moments import metric_table, moment_table
from amb.statistics.robustness import degradation_effect


def conditions(predictions: pd.DataFrame, row: str, pattern: str) -> dict[str, list[str]]:
    """Return the conditions of a row's test predictions that a pattern means, with their draws."""
    own = predictions[(predictions["method"] == row) & (predictions["split"] == "test")]
    found: dict[str, list[str]] = {}
    for name in sorted(set(own["corruption"]) - {CLEAN}):
        condition = GridPoint.parse(name).condition
        if condition.level > 0 and fnmatchcase(condition.name, pattern):
            found.setdefault(condition.name, []).append(name)
    return found


def why_no_noise(predictions: pd.DataFrame | None, claim: NoninferiorityClaim) -> str:
    """Return why a claim on robustness cannot be tested, or nothing."""
    if predictions is None:
        return "this study has no corruption grid"
    a, b = (set(conditions(predictions, row, claim.corruption)) for row in (claim.a, claim.b))
    for row, found in ((claim.a, a), (claim.b, b)):
        if not found:
            return f"method {row} has no predictions under {claim.corruption}"
    if a != b:
        return f"only one of {claim.a} and {claim.b} has predictions under {sorted(a ^ b)[0]}"
    return ""


def degradation(
    predictions: pd.DataFrame, claim: NoninferiorityClaim, scope: str, alpha: float
) -> Effect:
    """Return the difference of losses under noise, positive where ``a`` loses less than ``b``."""
    return degradation_effect(
        predictions, claim.a, claim.b, claim.corruption, claim.metric, scope, alpha
    )


def retention(predictions: pd.DataFrame, row: str, claim: NoninferiorityClaim) -> dict[str, float]:
    """Return a row's clean and noisy metric and what it keeps, means over seeds and conditions.

    Args:
        predictions: Frame of ``read_robustness_predictions``.
        row: The row.
        claim: The claim that names corruptions and metric.

    Returns:
        ``clean``, ``noisy`` and ``retention``; NaN where undefined.
    """
    clean = _mean_metric(predictions, row, [CLEAN], claim.metric)
    noisy = np.mean(
        [
            _mean_metric(predictions, row, draws, claim.metric)
            for draws in conditions(predictions, row, claim.corruption).values()
        ]
    )
    kept, whole = (noisy, clean) if METRICS[claim.metric].higher_is_better else (clean, noisy)
    share = kept / whole if whole > 0 else float("nan")
    return {"clean": clean, "noisy": float(noisy), "retention": float(share)}


def _mean_metric(
    predictions: pd.DataFrame, row: str, corruptions: Sequence[str], metric: str
) -> float:
    """Return the mean of a metric over seeds and over the given corruptions."""
    own = predictions[predictions["method"] == row]
    values = [
        metric_table(moment_table(runs_by_method(own, corruption=name)[row]), metric).values
        for name in corruptions
    ]
    return float(np.mean(values))
