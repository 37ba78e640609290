"""All pairs of compared rows, in both scopes: which rows cannot be told apart.

A table of many rows invites comparisons that its tests against the reference do not answer. So
every pair is tested, by the tests that decide everywhere else (``fixed_set``, ``population``), and
Holm corrects within a metric and scope: the family is one column of the table.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations

import pandas as pd

from amb.statistics.effect import Effect
from amb.statistics.moments import MomentTable, metric_table
from amb.statistics.multiplicity import holm_correction
from amb.statistics.scopes import SCOPES, effect_in_scope
from amb.study import StatisticsSettings

PAIR_COLUMNS = [
    *("metric", "a", "b", "scope", "estimate", "se", "df", "ci_low", "ci_high"),
    *("p", "p_adjusted", "significant", "mde", "seeds_a", "seeds_b", "n_items", "n_videos"),
    *("test", "correction", "note"),
]
_NUMBERS = ("estimate", "se", "df", "ci_low", "ci_high", "p", "mde", "test", "note")
_SIZES = ("seeds_a", "seeds_b", "n_items", "n_videos")


def all_pairs(moments: Mapping[str, MomentTable], settings: StatisticsSettings) -> pd.DataFrame:
    """Test every pair of methods on the test split.

    Args:
        moments: Method to the moments of its runs.
        settings: Metrics and level; the reference plays no part.

    Returns:
        ``PAIR_COLUMNS``: a row a metric, pair and scope, in the order of the settings and of
        ``moments``. Contrasts are differences, positive where ``a`` is better. p-values are
        two-sided; Holm corrects over the pairs of one metric and scope. ``significant`` is that of
        the adjusted p-value, and false where nothing could be tested: ``note`` says why.
    """
    rows: list[dict[str, object]] = []
    for metric in settings.metrics:
        tables = {name: metric_table(table, metric) for name, table in moments.items()}
        for (a, own), (b, other) in combinations(tables.items(), 2):
            for scope in SCOPES:
                effect = effect_in_scope(scope, own, other, metric, "difference", settings.alpha)
                rows.append({"metric": metric, "a": a, "b": b, "scope": scope, **_values(effect)})
    return _with_holm(pd.DataFrame(rows, columns=PAIR_COLUMNS), settings.alpha)


def _values(effect: Effect) -> dict[str, object]:
    numbers = {name: getattr(effect, name) for name in _NUMBERS}
    return numbers | {name: getattr(effect.sizes, name) for name in _SIZES}


def _with_holm(table: pd.DataFrame, alpha: float) -> pd.DataFrame:
    """Fill in the adjusted p-values, each metric and scope a family of its own."""
    p = table["p"].astype(float)
    families = p.groupby([table["metric"], table["scope"]])
    tested = families.transform("count").astype(int).astype(str)
    adjusted = families.transform(holm_correction).astype(float)
    correction = "Holm, " + tested + " pairs"
    return table.assign(
        p=p,
        p_adjusted=adjusted,
        significant=adjusted < alpha,
        correction=correction.where(p.notna(), ""),
    )
