"""Cut a table into parts that fit a page of print.

LaTeX says how large a table is only when it is set, so sizes are estimated: a character is as wide
as a digit of the font, which most text stays below. A test sets tables and holds them to this.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence

from amb.reporting.markup.grid import Column, Grid

# At \footnotesize of the article class, 8 pt on 9.5 pt.
CHARACTER_PT = 4.25
SEPARATION_PT = 8.0  # between columns
CM_PT = 28.45
FILLED = 0.85  # of a wrapped line, on average

WIDEST_PT = 505.0  # the text of a two-column paper; on A4 and letter paper, margins of 1.6 cm
MOST_LINES = 43.0  # leaves room for caption, heading and note
GAP_LINES = 0.5  # before a block


def parts(grid: Grid) -> list[Grid]:
    """Cut a table between columns where it is too wide, and between blocks where it is too long.

    Args:
        grid: The table; its first columns, up to the first that may wrap or the last that says so,
            name the rows.

    Returns:
        The parts, at least one. Each has the columns that name the rows, and begins with a row
        whose first cell is filled.
    """
    return [part for columns in _cut_columns(grid) for part in _cut_rows(columns)]


def column_lines(header: str) -> list[str]:
    """Return the lines of a heading: what follows a comma stands below."""
    first, comma, rest = header.partition(", ")
    return [first + comma.rstrip(), rest] if rest else [header]


def _cut_columns(grid: Grid) -> list[Grid]:
    wraps = next((i for i, column in enumerate(grid.columns) if column.width_cm), 0)
    naming = 1 + max([wraps, *(i for i, column in enumerate(grid.columns) if column.names_rows)])
    widths = [_width_pt(grid, place) for place in range(len(grid.columns))]
    names = list(range(naming))
    free = WIDEST_PT + SEPARATION_PT - sum(widths[:naming])  # none stands outside the table
    chosen: list[list[int]] = [[]]
    for place in range(naming, len(widths)):
        if chosen[-1] and sum(widths[other] for other in [*chosen[-1], place]) > free:
            chosen.append([])
        chosen[-1].append(place)
    return [grid.select([*names, *own]) for own in chosen]


def _width_pt(grid: Grid, place: int) -> float:
    column = grid.columns[place]
    if column.width_cm:
        return column.width_cm * CM_PT + SEPARATION_PT
    texts = [*column_lines(column.header), *(row[place] for row in grid.rows)]
    return CHARACTER_PT * max(map(len, texts)) + SEPARATION_PT


def _cut_rows(grid: Grid) -> Iterator[Grid]:
    first, used = 0, 0.0
    for start, end in _blocks(grid):
        lines = sum(_lines(grid.columns, row) for row in grid.rows[start:end]) + GAP_LINES
        if start > first and used + lines > MOST_LINES:
            yield _rows(grid, first, start)
            first, used = start, 0.0
        used += lines
    yield _rows(grid, first, len(grid.rows))


def _blocks(grid: Grid) -> list[tuple[int, int]]:
    """Return where rows that stay together start and end; single rows where there are no blocks."""
    starts = sorted({0, *grid.block_starts}) if grid.block_starts else range(len(grid.rows))
    return list(itertools.pairwise([*starts, len(grid.rows)]))


def _lines(columns: Sequence[Column], row: Sequence[str]) -> int:
    """Return how many lines a row takes, by its longest wrapped cell."""
    return max(
        math.ceil(len(cell) * CHARACTER_PT / (FILLED * column.width_cm * CM_PT) + 1e-9)
        if column.width_cm and cell
        else 1
        for column, cell in zip(columns, row, strict=True)
    )


def _rows(grid: Grid, first: int, end: int) -> Grid:
    """Return some rows; the name of a group that began before them is repeated."""
    rows = list(grid.rows[first:end])
    if rows and not rows[0][0]:
        name = next((row[0] for row in grid.rows[first::-1] if row[0]), "")
        rows[0] = (name, *rows[0][1:])
    starts = frozenset(start - first for start in grid.block_starts if first < start < end)
    bold = frozenset((row - first, place) for row, place in grid.bold if first <= row < end)
    return Grid(grid.columns, tuple(rows), starts, bold)
