"""Rows beside the bounds of what they read, as people read them; for data of a known generator."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from amb.reporting.markup import latex, markdown
from amb.reporting.markup.grid import Column, Grid
from amb.reporting.rounding import MISSING
from amb.reporting.tables.table_files import write_table_files

COLUMNS = (
    Column("Method", width_cm=3.4),
    Column("Reads"),
    Column("Explained variance, %", "right"),
    Column("Interval", "right"),
    Column("Bound, %", "right"),
    Column("Share of bound, %", "right"),
    Column("MAE", "right"),
    Column("Least MAE", "right"),
    Column("Seeds", "right"),
    Column("Verdict", width_cm=2.6),
)
_LEGEND = (
    "The data are generated, so what can be known of a label from each set of modalities is known "
    "exactly: the bound. Explained variance is the squared correlation of predictions and labels "
    "on the test split, mean over seeds, with its interval over seeds and videos. No row can be "
    "above its bound but by luck; one that is so at one-sided p < .001 is a fault. Bounds hold for "
    "features read without error: noise on them keeps every row below."
)


def write_known_answer(folder: Path, found: Mapping[str, Any]) -> None:
    """Write ``known_answer.csv``, ``.md``, ``.html`` and ``.tex``.

    Args:
        folder: Where to; created if need be.
        found: The content of ``known_answer.json``.
    """
    text, tex = markdown_known_answer(found), latex_known_answer(found)
    frame = known_answer_frame(found)
    write_table_files(folder, "known_answer", "Known answer", frame, text, tex)


def known_answer_frame(found: Mapping[str, Any]) -> pd.DataFrame:
    """Return ``known_answer.csv``: one line a row, unrounded."""
    return pd.DataFrame([{**row, "reads": "+".join(row["reads"])} for row in found["rows"]])


def markdown_known_answer(found: Mapping[str, Any]) -> str:
    """Return the table as a Markdown page."""
    grid = markdown.render_table(known_answer_grid(found))
    return "\n".join(["# Known answer\n", grid, markdown.escape(caption(found)) + "\n"])


def latex_known_answer(found: Mapping[str, Any]) -> str:
    """Return the table as LaTeX floats."""
    grid, title = known_answer_grid(found), "Rows beside the bounds of what they read."
    return latex.HEADER + latex.render_tables(grid, title, "tab:known-answer", caption(found))


def known_answer_grid(found: Mapping[str, Any]) -> Grid:
    """Return every row with what it explained, its bound and its verdict."""
    return Grid(COLUMNS, tuple(_cells(row) for row in found["rows"]))


def caption(found: Mapping[str, Any]) -> str:
    """Return what a reader of the table must know."""
    return f"{_LEGEND} Intervals: {100 * (1 - found['alpha']):g} %."


def above_bound(found: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """Return the rows above their bounds: row and quantity, value found, range expected."""
    return [
        (
            f"{row['row']}, explained variance",
            f"{row['explained']:.4f} (p {row['p_above']:.2g})",
            f"at most {row['bound']:.4f}, the bound of {' and '.join(row['reads'])}",
        )
        for row in found["rows"]
        if not row["in_range"]
    ]


def _cells(row: Mapping[str, Any]) -> tuple[str, ...]:
    low, high = row["ci_low"], row["ci_high"]
    interval = MISSING if low is None else f"{100 * max(low, 0):.1f} to {100 * high:.1f}"
    verdict = "in range" if row["in_range"] else f"ABOVE ITS BOUND (p {row['p_above']:.2g})"
    return (
        row["label"],
        ", ".join(row["reads"]),
        MISSING if math.isnan(row["explained"]) else f"{100 * row['explained']:.1f}",
        interval,
        f"{100 * row['bound']:.1f}",
        MISSING if math.isnan(row["share"]) else f"{100 * row['share']:.0f}",
        f"{row['mae']:.3f}",
        f"{row['mae_bound']:.3f}",
        str(row["seeds"]),
        row["note"] or verdict,
    )
