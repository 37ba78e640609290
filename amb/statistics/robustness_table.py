"""The robustness table: every row under every condition, and against the reference.

Exploratory: a grid has dozens of comparisons, and none is registered as a claim. p-values are
corrected by Benjamini and Hochberg (the false discovery rate) within each scope, conditions and
areas apart. A registered claim is judged by ``degradation_effect`` instead.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from amb.errors import InputError
from amb.evaluation.corruption.points import Condition
from amb.evaluation.metrics import METRICS
from amb.statistics.effect import Effect
from amb.statistics.moments import MetricTable
from amb.statistics.multiplicity import adjust
from amb.statistics.robustness import MethodUnderCorruption, retention
from amb.statistics.scopes import SCOPES, effect_in_scope
from amb.statistics.scores import mean_and_interval
from amb.study import StatisticsSettings

CONDITION, AREA = "condition", "area"
_KEY = ["quantity", "metric", "kind", "target", "level", "method", "reference"]
_SIZES = ["draws", "seeds", "seeds_reference", "n_items", "n_videos"]
_VALUES = ("noisy", "degradation", "retention")
_EFFECT = ("estimate", "se", "df", "ci_low", "ci_high", "p", "p_adjusted", "mde")
_TEXTS = ("test", "correction", "note")
ROBUSTNESS_COLUMNS = [
    *_KEY,
    *_SIZES,
    *[f"{value}{part}" for value in _VALUES for part in ("", "_ci_low", "_ci_high")],
    *[f"{scope}_{name}" for scope in SCOPES for name in (*_EFFECT, *_TEXTS)],
]
Row = dict[str, object]


def robustness_table(
    methods: Mapping[str, MethodUnderCorruption], settings: StatisticsSettings
) -> pd.DataFrame:
    """Measure every row under every condition and test it against the reference.

    Args:
        methods: What ``under_corruption`` returns.
        settings: Reference, metrics and level.

    Returns:
        ``ROBUSTNESS_COLUMNS``: a row for each quantity (``condition``, the clean input at level 0
        included, or ``area``), metric, kind, target, level and method. Areas have neither level
        nor noisy value; their degradation is the area. Intervals of values are t intervals over
        seeds. Contrasts are positive where the row loses less than the reference; a condition that
        is not applicable to one of the two has none.

    Raises:
        InputError: The reference has no predictions.
    """
    if settings.reference not in methods:
        raise InputError("predictions", "method", ", ".join(methods), settings.reference)
    rows: list[Row] = []
    for metric in settings.metrics:
        for kind, target in _curves(methods):
            for name, method in methods.items():
                own = [c for c in method.noisy if (c.kind, c.target) == (kind, target)]
                for condition in _with_zero(own):
                    rows.append(_condition_row(methods, name, condition, metric, settings))
                if any(condition.level > 0 for condition in own):
                    rows.append(_area_row(methods, name, kind, target, metric, settings))
    return _with_correction(pd.DataFrame(rows, columns=ROBUSTNESS_COLUMNS))


def _curves(methods: Mapping[str, MethodUnderCorruption]) -> list[tuple[str, str]]:
    """Return kind and target of every curve, once."""
    found = {(c.kind, c.target): None for method in methods.values() for c in method.noisy}
    return list(found)


def _with_zero(conditions: list[Condition]) -> list[Condition]:
    """Return the conditions of one curve with the clean input in front."""
    noisy = [condition for condition in conditions if condition.level > 0]
    return [conditions[0]._replace(level=0.0), *noisy] if conditions else []


def _condition_row(
    methods: Mapping[str, MethodUnderCorruption],
    name: str,
    condition: Condition,
    metric: str,
    settings: StatisticsSettings,
) -> Row:
    method, reference = methods[name], methods[settings.reference]
    clean = method.clean_metric(metric)
    higher = METRICS[metric].higher_is_better
    row: Row = {
        **_key(CONDITION, metric, condition.kind, condition.target, name, settings),
        "level": condition.level,
    }
    if condition.level == 0:
        ones = np.where(np.isfinite(clean.values), 1.0, np.nan)
        return row | _values(clean, None, ones, settings.alpha)
    noisy, lost = method.noisy_metric(condition, metric), method.degradation(condition, metric)
    kept = retention(noisy.values, clean.values, higher)
    row |= {"draws": len(method.noisy[condition])}
    row |= _values(noisy, lost, kept, settings.alpha)
    if name != settings.reference and condition in reference.noisy:
        row |= _contrasts(lost, reference.degradation(condition, metric), metric, settings.alpha)
    return row


def _area_row(
    methods: Mapping[str, MethodUnderCorruption],
    name: str,
    kind: str,
    target: str,
    metric: str,
    settings: StatisticsSettings,
) -> Row:
    area = methods[name].area(kind, target, metric)
    row = _key(AREA, metric, kind, target, name, settings) | _values(
        None, area, None, settings.alpha
    )
    reference = methods[settings.reference]
    own, others = (
        {c for c in m.noisy if (c.kind, c.target) == (kind, target)}
        for m in (methods[name], reference)
    )
    if name != settings.reference and own == others:
        row |= _contrasts(area, reference.area(kind, target, metric), metric, settings.alpha)
    return row


def _key(
    quantity: str, metric: str, kind: str, target: str, name: str, settings: StatisticsSettings
) -> Row:
    values = (quantity, metric, kind, target, np.nan, name, settings.reference)
    return dict(zip(_KEY, values, strict=True))


def _values(
    noisy: MetricTable | None,
    lost: MetricTable | None,
    kept: np.ndarray | None,
    alpha: float,
) -> Row:
    """Return the means over seeds with their intervals; nothing is lost where ``lost`` is None."""
    shape = noisy if noisy is not None else lost
    assert shape is not None
    nothing = np.zeros_like(shape.values)
    columns = {
        "noisy": noisy.values if noisy is not None else np.full_like(nothing, np.nan),
        "degradation": lost.values if lost is not None else nothing,
        "retention": kept if kept is not None else np.full_like(nothing, np.nan),
    }
    row: Row = {"seeds": nothing.size, "n_items": shape.n_items, "n_videos": shape.videos.size}
    for name, values in columns.items():
        mean, _, low, high = mean_and_interval(values, alpha)
        row |= {name: mean, f"{name}_ci_low": low, f"{name}_ci_high": high}
    return row


def _contrasts(lost: MetricTable, reference: MetricTable, metric: str, alpha: float) -> Row:
    row: Row = {"seeds_reference": reference.values.size}
    for scope in SCOPES:
        effect = effect_in_scope(scope, lost, reference, metric, "difference", alpha)
        row |= {f"{scope}_{name}": value for name, value in _numbers(effect).items()}
    return row


def _numbers(effect: Effect) -> dict[str, object]:
    names = ("estimate", "se", "df", "ci_low", "ci_high", "p", "mde", "test", "note")
    return {name: getattr(effect, name) for name in names}


def _with_correction(table: pd.DataFrame) -> pd.DataFrame:
    """Fill in the adjusted p-values: each scope and quantity is a family."""
    for scope in SCOPES:
        p = table[f"{scope}_p"].astype(float)
        families = p.groupby(table["quantity"])
        tested = families.transform("count").astype(int).astype(str)
        table[f"{scope}_p"] = p
        table[f"{scope}_p_adjusted"] = families.transform(lambda family: adjust(family, "bh"))
        label = "Benjamini-Hochberg, " + tested + " comparisons, exploratory"
        table[f"{scope}_correction"] = label.where(p.notna(), "")
        for name in ("test", "note"):
            table[f"{scope}_{name}"] = table[f"{scope}_{name}"].fillna("").astype(str)
    return table
