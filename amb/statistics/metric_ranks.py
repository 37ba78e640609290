"""How the order of a table's rows moves with the definition of a metric.

Every method's mean over seeds under every variant of the field's metrics, its rank among the
methods, and the pairs of methods that one definition puts in one order and another in the other.
Ranks are of means alone: whether a difference is more than luck is the comparison's matter.

Notation: S runs (seeds).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd

from amb.evaluation.method_runs import MethodRuns
from amb.evaluation.metric_variants import VARIANTS, MetricFunction, MetricVariant, VariantMetric
from amb.evaluation.metrics import Floats

RANKED_FAMILIES = ("Acc-2", "F1", "Acc-7", "MAE", "Corr")
RANK_COLUMNS = [
    *("family", "definition", "variant", "version", "metric", "higher_is_better"),
    *("method", "label", "seeds", "mean", "rank"),
]
# Means that differ by less are equal but for the order in which they were summed.
EQUAL_MEANS_DECIMALS = 12


@dataclass(frozen=True)
class VariantRanks:
    """What ``rank_by_variant`` found.

    Attributes:
        table: ``RANK_COLUMNS``, a row a variant's metric and method.
        left_out: The variants that the labels do not suit, with the labels' largest absolute value.
        n_items: Number of utterances.
        n_zero_labels: How many of them have label exactly 0.
    """

    table: pd.DataFrame
    left_out: dict[str, float]
    n_items: int
    n_zero_labels: int


@dataclass(frozen=True)
class ChangingPair:
    """Two methods that change places.

    Attributes:
        first: The method that comes first in the table.
        second: The other.
        first_ahead: The definitions under which the first has the better mean.
        second_ahead: Those under which the second has.
    """

    first: str
    second: str
    first_ahead: tuple[str, ...]
    second_ahead: tuple[str, ...]


def rank_by_variant(runs: Mapping[str, MethodRuns], labels: Mapping[str, str]) -> VariantRanks:
    """Rank methods by their mean over seeds, under every variant of every metric.

    Args:
        runs: The methods' runs on one split, as ``runs_by_method`` gives them.
        labels: The methods to rank, in table order, with their labels.

    Returns:
        The ranks. ``definition`` names the first variant and metric with the same function: rows
        that share it have the same numbers. Equal means share the better rank. A mean is NaN, and
        has no rank, where the metric of one run is NaN.
    """
    truth = next(iter(runs.values())).labels
    variants = [variant for variant in VARIANTS.values() if variant.applies_to(truth)]
    used = list(_ranked_metrics(variants))
    functions = {metric.function for _, metric in used}
    values = {method: _values(runs[method], functions) for method in labels}
    names = _definitions(used)
    rows = []
    for variant, metric in used:
        means = np.array([values[method][metric.function].mean() for method in labels])
        ranks = _ranks(means, metric.higher_is_better)
        own = (metric.family, names[metric.function], variant.name, variant.version, metric.name)
        for (method, label), mean, rank in zip(labels.items(), means, ranks, strict=True):
            seeds = values[method][metric.function].size
            rows.append((*own, metric.higher_is_better, method, label, seeds, float(mean), rank))
    table = pd.DataFrame(rows, columns=RANK_COLUMNS).astype({"rank": "Int64"})
    largest = float(np.abs(truth).max())
    left_out = {name: largest for name, own in VARIANTS.items() if not own.applies_to(truth)}
    return VariantRanks(table, left_out, truth.size, int(np.count_nonzero(truth == 0)))


def changing_pairs(family: pd.DataFrame) -> list[ChangingPair]:
    """Return the pairs of methods that change places between definitions.

    Args:
        family: The rows of one family of ``VariantRanks.table``.

    Returns:
        The pairs, in table order. Equal means, and means that are undefined, put neither ahead.
    """
    ranks = ranks_by_definition(family)
    rows = dict(zip(ranks.index, ranks.to_numpy(), strict=True))
    pairs = []
    for a, b in combinations(rows, 2):
        first = tuple(ranks.columns[rows[a] < rows[b]])
        second = tuple(ranks.columns[rows[a] > rows[b]])
        if first and second:
            pairs.append(ChangingPair(str(a), str(b), first, second))
    return pairs


def ranks_by_definition(family: pd.DataFrame) -> pd.DataFrame:
    """Return one family's ranks as float64: methods by definitions, both in their order."""
    own = family.drop_duplicates(["definition", "method"])
    ranks = own.pivot(index="method", columns="definition", values="rank").astype("float64")
    return ranks.loc[list(own["method"].unique()), list(own["definition"].unique())]


def _ranked_metrics(variants: list[MetricVariant]) -> Iterator[tuple[MetricVariant, VariantMetric]]:
    for family in RANKED_FAMILIES:
        for variant in variants:
            for metric in variant.metrics.values():
                if metric.family == family:
                    yield variant, metric


def _definitions(used: list[tuple[MetricVariant, VariantMetric]]) -> dict[MetricFunction, str]:
    names: dict[MetricFunction, str] = {}
    for variant, metric in used:
        names.setdefault(metric.function, f"{metric.name} ({variant.name})")
    return names


def _values(runs: MethodRuns, functions: set[MetricFunction]) -> dict[MetricFunction, Floats]:
    """Return every definition's values, (S,): each is computed once, whoever shares it."""
    return {function: function(runs.labels, runs.predictions) for function in functions}


def _ranks(means: Floats, higher_is_better: bool) -> list[int | None]:
    """Return 1 for the best; NaN has no rank."""
    rounded = np.round(means if higher_is_better else -means, EQUAL_MEANS_DECIMALS)
    return [
        None if np.isnan(mean) else 1 + int(np.count_nonzero(rounded > mean)) for mean in rounded
    ]
