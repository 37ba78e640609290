"""Collapsed runs, found on the validation split by a rule that is registered beforehand.

One method that collapses in a tenth of its runs breaks every test of means. So the collapse rate is
a result of its own, and verdicts are shown with all runs and without the collapsed ones.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from amb.evaluation.method_runs import MethodRuns, runs_by_method
from amb.evaluation.metrics import mae
from amb.statistics.claims import CollapseRule


def collapsed_seeds(predictions: pd.DataFrame, rule: CollapseRule) -> dict[str, list[int]]:
    """Find the collapsed runs of every method.

    Args:
        predictions: Frame of ``read_predictions``.
        rule: The registered rule.

    Returns:
        Method to its collapsed seeds, ascending.
    """
    return {
        method: [int(seed) for seed in runs.seeds[has_collapsed(runs, rule)]]
        for method, runs in runs_by_method(predictions, rule.split).items()
    }


def has_collapsed(runs: MethodRuns, rule: CollapseRule) -> NDArray[np.bool_]:
    """Return which runs of one method, on the rule's split, are no better than a constant.

    Args:
        runs: Aligned predictions on the rule's split.
        rule: The registered rule; its metric is MAE, whose best constant is the median label.

    Returns:
        (S,) true where MAE(run) > ``worse_than`` · MAE(median label).
    """
    constant = float(np.abs(runs.labels - np.median(runs.labels)).mean())
    return np.asarray(mae(runs.labels, runs.predictions) > rule.worse_than * constant)
