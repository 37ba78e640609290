"""Ties: which rows share the best place, and letters for all that cannot be told apart.

The compact letter display: two rows share a letter exactly where their difference is not
significant. By insertion and absorption: begin with one group of all rows; for each pair that
differs, split every group that holds both into one without the first and one without the second,
and drop groups that another contains.

"Not significant" is not "equal": a letter in common says that the data cannot tell two rows apart.

Source: H.-P. Piepho, Journal of Computational and Graphical Statistics 13 (2004) 456.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from string import ascii_letters

import pandas as pd

from amb.evaluation.metrics import METRICS

TIE_COLUMNS = ["metric", "scope", "method", "mean", "letters", "tied_with_best", "untested"]
Pair = frozenset[str]


def compact_letters(names: Sequence[str], different: Collection[Pair]) -> dict[str, str]:
    """Give letters such that two rows share one exactly where they do not differ.

    Args:
        names: The rows, best first: ``a`` stands at the best.
        different: The pairs of them that differ.

    Returns:
        Row to its letters, in alphabetical order; a letter may carry primes where the alphabet is
        used up. Any order of ``different`` gives the same.
    """
    places = {name: place for place, name in enumerate(names)}
    groups = [frozenset(names)] if names else []
    for pair in sorted(different, key=lambda pair: sorted(places[name] for name in pair)):
        groups = _absorbed(_split(groups, pair))
    groups.sort(key=lambda group: sorted(places[name] for name in group))
    return {
        name: "".join(_letter(i) for i, group in enumerate(groups) if name in group)
        for name in names
    }


def tied_with_best(names: Sequence[str], different: Collection[Pair]) -> list[str]:
    """Return the rows that do not differ from the best, the best among them.

    Args:
        names: The rows, best first.
        different: The pairs of them that differ.

    Returns:
        The rows, best first.
    """
    return [name for name in names if frozenset((names[0], name)) not in different]


def find_ties(pairs: pd.DataFrame, summary: pd.DataFrame) -> pd.DataFrame:
    """Find the ties of every metric and scope.

    Args:
        pairs: Tests of all pairs: ``metric``, ``scope``, ``a``, ``b``, ``p``, ``significant``.
        summary: Mean of every method and metric: ``method``, ``metric``, ``mean``. Methods that are
            in no pair, such as control rows, are left out.

    Returns:
        ``TIE_COLUMNS``, best first within a metric and scope. A method whose mean is undefined has
        no letters and is not tied; ``untested`` marks one that could not be tested against some
        other that has a mean. What could not be tested counts as not different.
    """
    rows = []
    for (metric, scope), own in pairs.groupby(["metric", "scope"], sort=False):
        tested = summary["method"].isin({*own["a"], *own["b"]})  # controls are not
        means = _best_first(summary[tested & (summary["metric"] == metric)], str(metric))
        names = [name for name, mean in means.items() if mean == mean]
        different = _pairs_of(own[own["significant"]])
        letters = compact_letters(names, {pair for pair in different if pair <= set(names)})
        tied = set(tied_with_best(names, different)) if names else set()
        untested = set().union(*(p for p in _pairs_of(own[own["p"].isna()]) if p <= set(names)))
        rows += [
            (metric, scope, name, mean, letters.get(name, ""), name in tied, name in untested)
            for name, mean in means.items()
        ]
    return pd.DataFrame(rows, columns=TIE_COLUMNS)


def _split(groups: Sequence[Pair], pair: Pair) -> list[Pair]:
    """Split each group that holds both of a pair."""
    parts: list[Pair] = []
    for group in groups:
        parts += [group - {name} for name in sorted(pair)] if pair <= group else [group]
    return parts


def _absorbed(groups: Sequence[Pair]) -> list[Pair]:
    """Return the groups that no other contains, each once."""
    distinct = set(groups)
    return [group for group in distinct if not any(group < other for other in distinct)]


def _letter(place: int) -> str:
    primes, place = divmod(place, len(ascii_letters))
    return ascii_letters[place] + "′" * primes


def _best_first(own: pd.DataFrame, metric: str) -> Mapping[str, float]:
    ascending = not METRICS[metric].higher_is_better
    ordered = own.sort_values("mean", ascending=ascending, kind="stable", na_position="last")
    return dict(zip(ordered["method"], ordered["mean"], strict=True))


def _pairs_of(own: pd.DataFrame) -> set[Pair]:
    return {frozenset(pair) for pair in zip(own["a"], own["b"], strict=True)}
