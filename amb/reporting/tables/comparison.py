"""The comparison table: one tidy frame, unrounded, and its renderings.

``comparison.csv`` holds all that its Markdown, LaTeX and terminal forms show, so that any of them
can be made again from that file alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from amb.errors import InputError
from amb.reporting.inputs import SCOPES, Layout, read_table
from amb.reporting.markup import latex, markdown
from amb.reporting.tables import captions
from amb.reporting.tables.comparison_grids import (
    differences_by_metric,
    differences_grid,
    means_grid,
)
from amb.reporting.tables.table_files import write_table_files
from amb.statistics.parameters import ParameterCount
from amb.statistics.ties import find_ties
from amb.study import StatisticsSettings

_KEY = ["method", "metric"]
_MEANS = ["seeds", "mean", "std", "ci_low", "ci_high", "n_items", "n_videos"]
_NUMBERS = ("estimate", "se", "df", "ci_low", "ci_high", "p", "p_adjusted", "mde")
_TEXTS = ("form", "test", "correction")
_TIE_TEXTS, _TIE_FLAGS = ("letters", "pairs_correction"), ("tied_with_best", "untested")


def _scoped(names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(f"{scope}_{name}" for scope in SCOPES for name in names)


TIDY = Layout(
    text=("method", "label", "metric", "reference", *_scoped((*_TEXTS, *_TIE_TEXTS))),
    numbers=(
        *_MEANS,
        "trainable_parameters",
        "total_parameters",
        "alpha",
        *_scoped(_NUMBERS),
    ),
    flags=_scoped(("significant", *_TIE_FLAGS)),
    optional=("trials",),
)


def tidy_comparison(
    summary: pd.DataFrame,
    comparison: pd.DataFrame,
    pairs: pd.DataFrame,
    parameters: Mapping[str, ParameterCount],
    labels: Mapping[str, str],
    statistics: StatisticsSettings,
    trials: Mapping[str, int] | None = None,
) -> pd.DataFrame:
    """Join means, tests and parameter counts into one row a method and metric.

    Args:
        summary: Means and intervals over seeds, one row a method and metric.
        comparison: Tests against the reference, one row a metric, method and scope.
        pairs: Tests of all pairs of methods, one row a metric, pair and scope.
        parameters: Parameter counts of each method.
        labels: The methods in table order, with their labels.
        statistics: The study's metrics, reference and alpha.
        trials: How many recipes were tried for each method; None where nothing was tuned.

    Returns:
        One row a method and metric, in the study's order; the columns of ``TIDY``, with
        ``trials`` where rows were tuned. Tests of the reference with itself, and tests that were
        not made, are missing. A lone method ties with nobody.

    Raises:
        InputError: The frames were made for another study: a method and metric is missing from
            them, or the tests are against another reference.
    """
    _check_reference(comparison, statistics.reference)
    order = pd.MultiIndex.from_product([list(labels), list(statistics.metrics)], names=_KEY)
    means = summary.set_index(_KEY)
    missing = order[~order.isin(means.index)]
    if len(missing):
        raise InputError(
            "summary.csv", "rows", "no row", f"one for {', '.join(map(str, missing[0]))}"
        )
    table = means.loc[order, _MEANS]
    for scope in SCOPES:
        table = table.join(_tests(comparison, scope)).join(_ties(pairs, summary, scope))
    table = table.reset_index()
    table = table.assign(
        trainable_parameters=[parameters[name].trainable for name in table["method"]],
        total_parameters=[parameters[name].total for name in table["method"]],
        label=table["method"].map(dict(labels)),
        reference=statistics.reference,
        alpha=statistics.alpha,
    )
    if trials is not None:
        table = table.assign(trials=table["method"].map(dict(trials)))
    return _completed(table)


def write_comparison(folder: Path, table: pd.DataFrame) -> None:
    """Write ``comparison.csv``, ``.md``, ``.html`` and ``.tex``.

    Args:
        folder: Where to; created if need be.
        table: The tidy comparison.
    """
    text, tex = markdown_comparison(table), latex_comparison(table)
    write_table_files(folder, "comparison", "Comparison", table, text, tex)


def read_comparison(file: Path) -> pd.DataFrame:
    """Read the tidy comparison that ``write_comparison`` wrote.

    Args:
        file: ``comparison.csv`` of the tables folder.

    Returns:
        The tidy comparison.
    """
    return read_table(file, TIDY)


def markdown_comparison(table: pd.DataFrame) -> str:
    """Return the tables of means and of differences as a Markdown page."""
    parts = [
        "# Comparison\n",
        markdown.render_table(means_grid(table)),
        markdown.escape(captions.means_caption(table)) + "\n",
    ]
    differences = differences_by_metric(table)
    if differences:
        parts.append("## Differences to the reference\n")
        parts.append(markdown.escape(captions.differences_caption(table)) + "\n")
    for metric, grid in differences:
        parts += [f"### {markdown.escape(metric.label)}\n", markdown.render_table(grid)]
    return "\n".join(parts)


def latex_comparison(table: pd.DataFrame) -> str:
    """Return the tables of means and of differences as LaTeX floats."""
    means = latex.render_tables(
        means_grid(table), captions.MEANS_TITLE, "tab:comparison", captions.means_caption(table)
    )
    differences = differences_grid(table)
    if differences is None:
        return latex.HEADER + means
    note = captions.differences_caption(table)
    title, label = captions.DIFFERENCES_TITLE, "tab:differences"
    return f"{latex.HEADER}{means}\n{latex.render_tables(differences, title, label, note)}"


def _check_reference(comparison: pd.DataFrame, reference: str) -> None:
    others = sorted(set(comparison["reference"]) - {reference})
    if others:
        raise InputError(
            "comparison.csv", "reference", others[0], f"{reference}, the study's reference"
        )


def _tests(comparison: pd.DataFrame, scope: str) -> pd.DataFrame:
    """Return one scope's tests by method and metric, the scope's name before each column."""
    own = comparison[comparison["scope"] == scope].set_index(_KEY)
    return own[[*_TEXTS, *_NUMBERS, "significant"]].add_prefix(f"{scope}_")


def _ties(pairs: pd.DataFrame, summary: pd.DataFrame, scope: str) -> pd.DataFrame:
    """Return one scope's ties by method and metric, the scope's name before each column."""
    tested = pairs[pairs["scope"] == scope]
    own = find_ties(tested, summary).set_index(_KEY)
    corrections = tested[tested["correction"] != ""].groupby("metric")["correction"].first()
    own["pairs_correction"] = own.index.get_level_values("metric").map(dict(corrections))
    return own[[*_TIE_TEXTS, *_TIE_FLAGS]].add_prefix(f"{scope}_")


def _completed(table: pd.DataFrame) -> pd.DataFrame:
    """Return the columns of ``TIDY``, with "" and False where no test was made."""
    for column in TIDY.text:
        table[column] = table[column].astype("object").fillna("").astype(str)
    for column in TIDY.flags:
        table[column] = table[column].eq(True)  # a test that was not made is not significant
    optional = [column for column in TIDY.optional if column in table.columns]
    return table[[*TIDY.text, *TIDY.numbers, *TIDY.flags, *optional]]
