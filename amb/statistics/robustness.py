"""How much a method loses under corrupted inputs, and whether it loses less than another.

With M(s, c, d) the metric of seed s under condition c in draw d of its random numbers::

    noisy        M̄(s, c) = mean over d of M(s, c, d)
    degradation  Δ(s, c) = M̄(s, c) − M(s, clean)
    retention    M̄(s, c) / M(s, clean); for an error M(s, clean) / M̄(s, c). 1: nothing is lost
    area         ∫ Δ dlevel by the trapezoid rule over a kind's levels, Δ = 0 at level 0

Draws are averaged within a seed, so that they do not pass for seeds. The contrast of two methods is
that of their degradations, (A_noisy − A_clean) − (B_noisy − B_clean), turned so that it is positive
where ``a`` loses less; at margin m, ``a`` is not inferior where the lower bound is above −m.
Degradation and area are linear in the metric, with all videos and with each left out, and so the
tests of both scopes apply to them as to the metric itself.

Source: statistics.md of this project ("Verdicts", robust to noise).

Notation: S runs (seeds), G videos.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase

import numpy as np
import pandas as pd

from amb.errors import InputError
from amb.evaluation.corruption.points import CLEAN, Condition, GridPoint
from amb.evaluation.method_runs import runs_by_method
from amb.evaluation.metrics import Floats
from amb.statistics.effect import Effect
from amb.statistics.moments import MetricTable, MomentTable, metric_table, moment_table
from amb.statistics.scopes import effect_in_scope


@dataclass(frozen=True)
class MethodUnderCorruption:
    """The moments of one method on the test split, clean and corrupted.

    Attributes:
        clean: Moments of the clean input.
        noisy: Those of every draw, by condition, in the order of kind, target and level.
    """

    clean: MomentTable
    noisy: dict[Condition, list[MomentTable]]

    def clean_metric(self, metric: str) -> MetricTable:
        """Return a metric of the clean input."""
        return metric_table(self.clean, metric)

    def noisy_metric(self, condition: Condition, metric: str) -> MetricTable:
        """Return a metric under a condition, draws averaged within a seed."""
        draws = [metric_table(table, metric) for table in self.noisy[condition]]
        return combined(draws, np.full(len(draws), 1 / len(draws)))

    def degradation(self, condition: Condition, metric: str) -> MetricTable:
        """Return noisy − clean of every run."""
        pair = [self.noisy_metric(condition, metric), self.clean_metric(metric)]
        return combined(pair, np.array([1.0, -1.0]))

    def area(self, kind: str, target: str, metric: str) -> MetricTable:
        """Return the area under a kind's degradation curve on one target, of every run."""
        chosen = [c for c in self.noisy if (c.kind, c.target) == (kind, target) and c.level > 0]
        weights = trapezoid_weights([condition.level for condition in chosen])
        return combined([self.degradation(c, metric) for c in chosen], weights)


def under_corruption(predictions: pd.DataFrame) -> dict[str, MethodUnderCorruption]:
    """Sum up the predictions of all methods under all corruptions.

    Args:
        predictions: Frame of ``read_robustness_predictions``, rows in any order.

    Returns:
        Method name, in alphabetical order, to its moments on the test split.

    Raises:
        InputError: A method has no clean predictions, or corrupted ones of other seeds.
    """
    test = predictions[predictions["split"] == "test"]
    tables: dict[str, dict[str, MomentTable]] = {}
    for name, rows in test.groupby("corruption"):
        for method, runs in runs_by_method(rows, "test", str(name)).items():
            tables.setdefault(method, {})[str(name)] = moment_table(runs)
    return {method: _arranged(method, tables[method]) for method in sorted(tables)}


def degradation_effect(
    predictions: pd.DataFrame,
    a: str,
    b: str,
    corruption_pattern: str,
    metric: str,
    scope: str,
    alpha: float,
) -> Effect:
    """Test whether one method loses less than another under some corruptions.

    Args:
        predictions: Frame of ``read_robustness_predictions``, rows in any order.
        a: The method in question.
        b: The method that it is compared with.
        corruption_pattern: Which conditions, ``<kind>:<target>:<level>`` with shell wildcards
            (``gaussian:audio+visual:1``, ``gaussian:*``). The degradation is the mean over all
            that match, each counted once; level 0, the clean input, does not count.
        metric: Name of the metric.
        scope: ``fixed_set`` or ``population``.
        alpha: Two-sided significance level.

    Returns:
        The contrast of degradations, in the metric's unit, positive where ``a`` loses less.

    Raises:
        InputError: A method has no predictions, or not under every condition that matches, or none
            matches.
    """
    own = predictions[predictions["method"].isin([a, b])]
    points = [GridPoint.parse(name) for name in own["corruption"].unique() if name != CLEAN]
    known = sorted({point.condition for point in points if point.condition.level > 0})
    chosen = [c for c in known if fnmatchcase(c.name, corruption_pattern)]
    if not chosen:
        found = ", ".join(condition.name for condition in known)
        raise InputError("predictions", "corruption", found, corruption_pattern)
    names = [CLEAN, *(point.name for point in points if point.condition in chosen)]
    methods = under_corruption(own[own["corruption"].isin(names)])
    for name in (a, b):
        if name not in methods:
            raise InputError("predictions", "method", ", ".join(methods), name)
        lacking = [condition.name for condition in chosen if condition not in methods[name].noisy]
        if lacking:
            raise InputError("predictions", f"method {name}", f"none under {lacking[0]}", "some")
    weights = np.full(len(chosen), 1 / len(chosen))
    lost_a, lost_b = (
        combined([methods[name].degradation(c, metric) for c in chosen], weights) for name in (a, b)
    )
    return effect_in_scope(scope, lost_a, lost_b, metric, "difference", alpha)


def combined(tables: Sequence[MetricTable], weights: Floats) -> MetricTable:
    """Return the weighted sum of metrics of the same runs.

    Args:
        tables: Metrics of the same S runs on the same G videos.
        weights: One a table.

    Returns:
        Σ weight · metric, with all videos and with each left out.
    """
    return replace(
        tables[0],
        values=_weighted([table.values for table in tables], weights),
        leave_one_video_out=_weighted([table.leave_one_video_out for table in tables], weights),
    )


def retention(noisy: Floats, clean: Floats, higher_is_better: bool) -> Floats:
    """Return the share of the clean performance that is left in every run.

    Args:
        noisy: (S,) metric under corruption.
        clean: (S,) metric of the clean input.
        higher_is_better: Direction of the metric.

    Returns:
        (S,) noisy/clean, of an error clean/noisy; NaN where what it is divided by is not positive.
    """
    part, whole = (noisy, clean) if higher_is_better else (clean, noisy)
    return np.asarray(part / np.where(whole > 0, whole, np.nan))


def trapezoid_weights(levels: Sequence[float]) -> Floats:
    """Return the weights that make a sum over levels the trapezoid rule from level 0.

    Args:
        levels: (K,) above 0, ascending; at level 0 the curve is 0.

    Returns:
        (K,) weights.
    """
    grid = np.array([0.0, *levels])
    steps = np.diff(grid)
    return np.asarray((steps + np.append(steps[1:], 0.0)) / 2)


def _weighted(values: Sequence[Floats], weights: Floats) -> Floats:
    return np.asarray(sum(weight * one for weight, one in zip(weights, values, strict=True)))


def _arranged(method: str, tables: dict[str, MomentTable]) -> MethodUnderCorruption:
    if CLEAN not in tables:
        raise InputError("predictions", f"method {method}", "none of clean inputs", "some")
    clean = tables.pop(CLEAN)
    for name, table in tables.items():
        if not np.array_equal(table.seeds, clean.seeds):
            where = f"method {method}, corruption {name}"
            raise InputError("predictions", where, table.seeds.tolist(), str(clean.seeds.tolist()))
    noisy: dict[Condition, list[MomentTable]] = {}
    for point in sorted(map(GridPoint.parse, tables)):
        noisy.setdefault(point.condition, []).append(tables[point.name])
    return MethodUnderCorruption(clean, noisy)
