"""The ties table: letters for all rows that cannot be told apart, at both scopes."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from amb.reporting.inputs import SCOPES
from amb.reporting.markup import latex, markdown
from amb.reporting.markup.grid import Column, Grid
from amb.reporting.rounding import MISSING
from amb.reporting.tables import captions
from amb.reporting.tables.comparison_grids import LABEL, SCOPE_LABELS, metrics_of
from amb.reporting.tables.table_files import write_table_files

KEYS = ["method", "label", "metric", "mean", "seeds"]
COLUMNS = ("letters", "tied_with_best", "untested", "pairs_correction")


def write_ties(folder: Path, table: pd.DataFrame) -> None:
    """Write ``ties.csv``, ``.md``, ``.html`` and ``.tex``.

    Args:
        folder: Where to; created if need be.
        table: The tidy comparison.
    """
    text, tex = markdown_ties(table), latex_ties(table)
    write_table_files(folder, "ties", "Ties", tidy_ties(table), text, tex)


def tidy_ties(table: pd.DataFrame) -> pd.DataFrame:
    """Return one row a method, metric and scope: mean, letters, whether tied with the best."""
    parts = []
    for scope in SCOPES:
        names = {f"{scope}_{name}": name for name in COLUMNS}
        own = table[[*KEYS, *names]].rename(columns=names)
        parts.append(own.assign(scope=scope))
    return pd.concat(parts, ignore_index=True)


def ties_grid(table: pd.DataFrame) -> Grid:
    """Return the letters of every method and metric, a block a scope.

    Args:
        table: The tidy comparison.

    Returns:
        Columns scope, method and the metrics; in bold what shares the best place.
    """
    shown = metrics_of(table)
    rows: list[tuple[str, ...]] = []
    bold: set[tuple[int, int]] = set()
    starts: list[int] = []
    for scope in SCOPES:
        starts.append(len(rows))
        for _, own in table.groupby("method", sort=False):
            first = SCOPE_LABELS[scope].capitalize() if len(rows) == starts[-1] else ""
            tied = own[f"{scope}_tied_with_best"]
            bold |= {(len(rows), 2 + place) for place, best in enumerate(tied) if best}
            letters = [letter or MISSING for letter in own[f"{scope}_letters"]]
            rows.append((first, own["label"].iloc[0], *letters))
    headings = (Column(f"{metric.label} {metric.heading[-1]}") for metric in shown)
    columns = (Column("Scope"), LABEL, *headings)
    return Grid(columns, tuple(rows), frozenset(starts[1:]), frozenset(bold))


def markdown_ties(table: pd.DataFrame) -> str:
    """Return the letters as a Markdown page."""
    caption = markdown.escape(captions.ties_caption(table))
    return "\n".join(["# Ties\n", markdown.render_table(ties_grid(table)), caption + "\n"])


def latex_ties(table: pd.DataFrame) -> str:
    """Return the letters as a LaTeX float."""
    note = captions.ties_caption(table)
    return latex.HEADER + latex.render_tables(
        ties_grid(table), captions.TIES_TITLE, "tab:ties", note
    )
