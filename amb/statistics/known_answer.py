"""What a row reached beside what can be reached at all, where the generator of the data is known.

The demo's label has a known share of variance that each set of modalities explains (its bound). For
every row: the variance of the test labels that it explains, as squared correlation, beside the
bound of what it reads. Squared correlation, because a bound on it holds for any scale of the
predictions.

A row cannot do better than its bound but by luck of the test videos. One that is above it at
one-sided p < .001 (two-way jackknife over seeds and videos) has seen what it should not: that is a
fault of the code, and not a result.

Notation: S runs (seeds), G videos.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from amb.evaluation.method_runs import runs_by_method
from amb.statistics.effect import Effect
from amb.statistics.moments import MetricTable, metric_table, moment_table
from amb.statistics.population import population_test
from amb.study import MethodSettings, Study

ALPHA_ABOVE = 0.001
MODALITIES = ("text", "audio", "visual")
UNREAD = {"shuffled_audio": "audio", "shuffled_visual": "visual", "shuffled_text": "text"}


def known_answer(
    predictions: pd.DataFrame,
    study: Study,
    reads: Mapping[str, Sequence[str]],
    bounds: Mapping[str, Mapping[str, float]],
) -> dict[str, Any]:
    """Set every row's explained variance beside its bound.

    Args:
        predictions: Frame of ``read_predictions``.
        study: The rows.
        reads: The modalities that each row's model reads.
        bounds: Best attainable ``r2`` and ``mae`` by modalities joined with "+", as the generator's
            ``bounds`` gives them.

    Returns:
        JSON-able values: ``alpha`` and ``rows``, one a row of the study that learns from labels:
        ``row``, ``label``, ``reads`` (as far as they are its own), ``seeds``, ``bound``,
        ``explained``, ``ci_low``, ``ci_high``, ``share`` (of the bound), ``mae``, ``mae_bound``,
        ``p_above`` (one-sided, of "not above the bound"), ``in_range`` and ``note``.
    """
    runs = runs_by_method(predictions)
    rows = []
    for name, row in study.methods.items():
        seen = informative(row, reads[name])
        if not seen:
            continue
        table = moment_table(runs[name])
        explained = squared(metric_table(table, "corr"))
        effect = _above_zero(explained, study.statistics.alpha)
        bound = bounds["+".join(seen)]
        p_above = effect.p_greater(bound["r2"]) if effect.se > 0 else math.nan
        rows.append(
            {
                "row": name,
                "label": row.label,
                "reads": seen,
                "seeds": len(row.seeds),
                "bound": bound["r2"],
                "explained": effect.estimate,
                "ci_low": _number(effect.ci_low),
                "ci_high": _number(effect.ci_high),
                "share": effect.estimate / bound["r2"],
                "mae": float(metric_table(table, "mae").values.mean()),
                "mae_bound": bound["mae"],
                "p_above": _number(p_above),
                "in_range": not p_above < ALPHA_ABOVE,
                "note": effect.note,
            }
        )
    return {"schema": 1, "alpha": study.statistics.alpha, "rows": rows}


def informative(row: MethodSettings, reads: Sequence[str]) -> list[str]:
    """Return the modalities that can tell a row something of the label, in their usual order.

    Args:
        row: The row; what is shuffled, or everything where labels are permuted, tells nothing.
        reads: What its model reads.

    Returns:
        Some of text, audio, visual.
    """
    if row.control == "permuted_labels":
        return []
    shuffled = UNREAD.get(row.control or "")
    return [m for m in MODALITIES if m in reads and m != shuffled]


def squared(table: MetricTable) -> MetricTable:
    """Return the table of a metric's square."""
    return dataclasses.replace(
        table,
        values=np.square(table.values),
        leave_one_video_out=np.square(table.leave_one_video_out),
    )


def _above_zero(table: MetricTable, alpha: float) -> Effect:
    """Return mean and interval of one method's metric over seeds and videos: a contrast with 0."""
    zero = dataclasses.replace(
        table,
        values=np.zeros_like(table.values),
        leave_one_video_out=np.zeros_like(table.leave_one_video_out),
    )
    return population_test(table, zero, higher_is_better=True, alpha=alpha)


def _number(value: float) -> float | None:
    return value if math.isfinite(value) else None
