"""Markdown (CommonMark with tables): escaping and tables."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from amb.printable import printable
from amb.reporting.markup.grid import Grid

_SPECIAL = re.compile(r"([\\`*_\[\]<>|#~$&])")
_RULES = {"left": ":---", "right": "---:"}


def escape(text: str) -> str:
    """Return ``text`` on one line such that Markdown prints it as it stands."""
    return _SPECIAL.sub(r"\\\1", " ".join(printable(text).split()))


def render_table(grid: Grid) -> str:
    """Return ``grid`` as a Markdown table, ending in a newline."""
    lines = [
        _row(escape(column.header) for column in grid.columns),
        "| " + " | ".join(_RULES[column.align] for column in grid.columns) + " |",
        *(_row(_cells(grid, index)) for index in range(len(grid.rows))),
    ]
    return "\n".join(lines) + "\n"


def _cells(grid: Grid, index: int) -> Iterator[str]:
    for place, cell in enumerate(grid.rows[index]):
        yield f"**{escape(cell)}**" if cell and (index, place) in grid.bold else escape(cell)


def _row(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cells) + " |"
