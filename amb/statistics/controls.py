"""Control rows must land where they are known to land; anything else is a fault of the suite.

What is known, from stored predictions alone, and why:

``label_oracle``: MAE 0 in every split and accuracies 1 on the test split, exactly. It predicts the
    label that it is shown, in the precision of the prediction files; any error means that labels
    and predictions are mixed up between the store, the files and the metrics.
``mean_predictor``, ``majority_class``: one number everywhere, which is the mean (the most frequent
    class) of the train labels, and its MAE in every split, up to 1e-6 for storing float32. A row of
    known result shows that training splits, labels and metrics are what they are said to be.
``permuted_labels``: the test MAE of every run is at least 0.95 of that of the best constant, the
    median of the train labels. There is nothing to learn, so a run can at best learn the constant;
    predictions that correlate with the labels by chance, r, gain about r²/2 of it, which is a
    quarter of a per cent for the r = .07 of 200 items. What is clearly better has found the
    labels elsewhere: in the features, or through the code.
``shuffled_audio``, ``shuffled_visual``: not better than the intact row (Welch's t over seeds on
    the test split's MAE, one-sided p of "not better" at least .001). Features of another utterance
    say nothing of this one; that the row is *worse* is no duty, since many methods gain nothing
    from audio or visual features to begin with. How much is lost is a result, and is reported
    with its interval in both scopes. The level is strict because every study repeats the check.
``shuffled_text``: the same, and where the intact row is clearly better than the best constant (a
    mean MAE below 0.95 of it) the row must lose to it (one-sided p of "not worse" at most the
    study's α). Words carry most of what these data say; who loses nothing without them did not
    read them, or reads the labels elsewhere. It may stay better than a constant: audio and
    visual features are its own.

The intact row is the one with the same builder, options and training, and no control. A shuffled
row without one is compared with nothing; this is said, and is no failure. The same goes where no
test is possible: one seed, or runs that do not differ.

Source: paper.md of this project ("What goes wrong in this field", 6).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from amb.evaluation.method_runs import MethodRuns, runs_by_method
from amb.evaluation.predictions import SPLITS
from amb.statistics.control_ranges import (
    RangeCheck,
    constant_checks,
    leak_checks,
    mae_of_constant,
    majority_class,
    oracle_checks,
    shuffled_checks,
    text_checks,
)
from amb.statistics.effect import Effect
from amb.statistics.moments import MetricTable, metric_table, moment_table
from amb.statistics.scopes import SCOPES, effect_in_scope
from amb.study import MethodSettings, Study

METRIC = "mae"
EFFECT_NUMBERS = ("estimate", "ci_low", "ci_high", "p", "mde")
NO_INTACT = "no intact row: no other row has its builder, options and training, and no control"

RunsBySplit = dict[str, MethodRuns]


def check_controls(predictions: pd.DataFrame, study: Study) -> dict[str, Any]:
    """Check every control row of a study against its known range.

    Args:
        predictions: Frame of ``read_predictions``, with all splits.
        study: Which rows are controls, and what they control.

    Returns:
        JSON-able values: ``alpha`` (of the intervals) and ``controls``, one a control row in table
        order: ``row``, ``label``, ``control``, ``intact`` (name of the intact row or None),
        ``intact_label``, ``note``, ``in_range``, ``checks`` (``quantity``, ``found`` by seed,
        ``low``, ``high``, ``outside``: the seeds out of range) and ``lost``, by scope the MAE that
        the row loses to the intact one. A number that is undefined is None.
    """
    by_split = {split: runs_by_method(predictions, split) for split in SPLITS}
    runs = {name: {split: by_split[split][name] for split in SPLITS} for name in study.methods}
    return {
        "schema": 1,
        "alpha": study.statistics.alpha,
        "controls": [_result(row, runs, study) for row in study.control_rows()],
    }


def intact_row(row: MethodSettings, study: Study) -> MethodSettings | None:
    """Return the row that differs from a control row by the control only, None without one."""
    for other in study.methods.values():
        same = (other.builder, other.options, other.training)
        if other.control is None and same == (row.builder, row.options, row.training):
            return other
    return None


def _result(row: MethodSettings, runs: Mapping[str, RunsBySplit], study: Study) -> dict[str, Any]:
    own = runs[row.name]
    intact, lost, note = None, {}, ""
    if row.control and row.control.startswith("shuffled_"):
        intact = intact_row(row, study)
        note = NO_INTACT
    if intact is not None:
        lost = _lost(own["test"], runs[intact.name]["test"], study.statistics.alpha)
        note = lost["fixed_set"].note
        checks = _compared(row, own, runs[intact.name]["test"], lost["fixed_set"])
    else:
        checks = _known(row, own)
    described = [_describe(check) for check in checks]
    return {
        "row": row.name,
        "label": row.label,
        "control": row.known_as,
        "intact": intact.name if intact else None,
        "intact_label": intact.label if intact else None,
        "note": note,
        "in_range": not any(check["outside"] for check in described),
        "checks": described,
        "lost": {scope: _numbers(effect) for scope, effect in lost.items()},
    }


def _known(row: MethodSettings, own: RunsBySplit) -> list[RangeCheck]:
    """Return the checks of a row whose range does not depend on another row."""
    train = own["train"].labels
    if row.known_as == "label_oracle":
        return oracle_checks(own)
    if row.known_as == "mean_predictor":
        return constant_checks(own, float(train.mean()))
    if row.known_as == "majority_class":
        return constant_checks(own, majority_class(train))
    if row.known_as == "permuted_labels":
        return leak_checks(own["test"], float(np.median(train)))
    return []


def _compared(
    row: MethodSettings, own: RunsBySplit, intact: MethodRuns, lost: Effect
) -> list[RangeCheck]:
    """Return the checks of a shuffled row against its intact one."""
    checks = shuffled_checks(lost)
    if row.control == "shuffled_text":
        median = float(np.median(own["train"].labels))
        constant_mae = mae_of_constant(own["test"].labels, median)
        intact_mae = float(np.abs(intact.predictions - intact.labels).mean())
        checks += text_checks(lost, intact_mae, constant_mae, lost.alpha)
    return checks


def _lost(own: MethodRuns, intact: MethodRuns, alpha: float) -> dict[str, Effect]:
    """Return the MAE that a row loses to the intact one, by scope; positive where it is worse."""
    a, b = _mae_table(intact), _mae_table(own)
    return {scope: effect_in_scope(scope, a, b, METRIC, "difference", alpha) for scope in SCOPES}


def _mae_table(runs: MethodRuns) -> MetricTable:
    return metric_table(moment_table(runs), METRIC)


def _describe(check: RangeCheck) -> dict[str, Any]:
    return {
        "quantity": check.quantity,
        "found": {seed: _json_number(value) for seed, value in check.found.items()},
        "low": check.low,
        "high": check.high,
        "outside": list(check.outside()),
    }


def _numbers(effect: Effect) -> dict[str, Any]:
    numbers = {name: _json_number(getattr(effect, name)) for name in EFFECT_NUMBERS}
    return {**numbers, "note": effect.note}


def _json_number(value: float) -> float | None:
    """Return the number, or None where it is undefined: JSON has no NaN."""
    return float(value) if math.isfinite(value) else None
