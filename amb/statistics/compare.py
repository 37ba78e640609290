"""The comparison table: every method against the reference, in both scopes."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from amb.errors import InputError
from amb.evaluation.method_runs import runs_by_method
from amb.evaluation.metrics import METRICS
from amb.statistics.effect import Effect
from amb.statistics.moments import MomentTable, metric_table, moment_table
from amb.statistics.multiplicity import holm_correction
from amb.statistics.scopes import SCOPES, effect_in_scope
from amb.study import StatisticsSettings

COMPARISON_COLUMNS = [
    *("metric", "method", "reference", "scope", "form", "higher_is_better"),
    *("estimate", "se", "df", "ci_low", "ci_high", "p", "p_adjusted", "significant", "mde"),
    *("seeds", "seeds_reference", "n_items", "n_videos", "test", "correction"),
]


def compare(predictions: pd.DataFrame, settings: StatisticsSettings) -> pd.DataFrame:
    """Test every method against the reference on the test split.

    Args:
        predictions: Frame of ``read_predictions``, rows in any order.
        settings: Reference, metrics and level.

    Returns:
        ``COMPARISON_COLUMNS``: rows by metric in the order of the settings, method alphabetical,
        scope. Contrasts are differences, positive where the method is better than the reference.
        p-values are two-sided; Holm corrects over all methods and metrics of the table, each scope
        apart, because the scopes answer different questions. ``significant`` is that of the
        adjusted p-value, in either direction, and false where nothing could be tested.

    Raises:
        InputError: The reference has no predictions.
    """
    return compare_moments(moments_by_method(predictions), settings)


def moments_by_method(predictions: pd.DataFrame) -> dict[str, MomentTable]:
    """Return the moments of every method's runs on the test split, in alphabetical order."""
    return {name: moment_table(runs) for name, runs in runs_by_method(predictions).items()}


def compare_moments(
    moments: Mapping[str, MomentTable], settings: StatisticsSettings
) -> pd.DataFrame:
    """Return what ``compare`` does, from moments that were computed before.

    Args:
        moments: What ``moments_by_method`` returns.
        settings: Reference, metrics and level.

    Returns:
        ``COMPARISON_COLUMNS``.

    Raises:
        InputError: The reference has no predictions.
    """
    if settings.reference not in moments:
        raise InputError("predictions", "method", ", ".join(moments), settings.reference)
    others = [name for name in moments if name != settings.reference]
    rows: list[dict[str, object]] = []
    for metric in settings.metrics:
        tables = {name: metric_table(table, metric) for name, table in moments.items()}
        for method in others:
            a, b = tables[method], tables[settings.reference]
            for scope in SCOPES:
                effect = effect_in_scope(scope, a, b, metric, "difference", settings.alpha)
                rows.append(_row(metric, method, settings.reference, scope, effect))
    return _with_holm(pd.DataFrame(rows, columns=COMPARISON_COLUMNS), settings.alpha)


def _row(metric: str, method: str, reference: str, scope: str, effect: Effect) -> dict[str, object]:
    return {
        "metric": metric,
        "method": method,
        "reference": reference,
        "scope": scope,
        "form": "difference",
        "higher_is_better": METRICS[metric].higher_is_better,
        "estimate": effect.estimate,
        "se": effect.se,
        "df": effect.df,
        "ci_low": effect.ci_low,
        "ci_high": effect.ci_high,
        "p": effect.p,
        "mde": effect.mde,
        "seeds": effect.sizes.seeds_a,
        "seeds_reference": effect.sizes.seeds_b,
        "n_items": effect.sizes.n_items,
        "n_videos": effect.sizes.n_videos,
        "test": effect.test,
    }


def _with_holm(table: pd.DataFrame, alpha: float) -> pd.DataFrame:
    """Fill in the adjusted p-values, each scope a family of its own."""
    p = table["p"].astype(float)
    families = p.groupby(table["scope"])
    tested = families.transform("count").astype(int).astype(str)
    adjusted = families.transform(holm_correction)
    return table.assign(
        p=p,
        p_adjusted=adjusted,
        significant=adjusted < alpha,
        correction="Holm, " + tested + " comparisons",
    )
