"""A table as plain text cells, before any markup: what Markdown, LaTeX and terminal share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Column:
    """One column.

    Attributes:
        header: Its heading, plain text.
        align: ``left`` or ``right``.
        width_cm: Width at which LaTeX wraps its text; None for a column that never wraps.
        names_rows: Whether it names rows, and so stands in every part of a table that is cut.
    """

    header: str
    align: str = "left"
    width_cm: float | None = None
    names_rows: bool = False


@dataclass(frozen=True)
class Grid:
    """A table of plain text; renderers escape and draw it.

    Attributes:
        columns: The columns.
        rows: The cells, one tuple a row, as many as there are columns.
        block_starts: Indices of rows before which a reader needs a gap.
        bold: (row, column) of cells that are set in bold.
    """

    columns: tuple[Column, ...]
    rows: tuple[tuple[str, ...], ...]
    block_starts: frozenset[int] = frozenset()
    bold: frozenset[tuple[int, int]] = frozenset()

    def __post_init__(self) -> None:
        for row in self.rows:
            if len(row) != len(self.columns):
                raise ValueError(f"{len(row)} cells for {len(self.columns)} columns: {row}")

    def select(self, places: Sequence[int]) -> Grid:
        """Return the table with some of its columns, in the order given."""
        columns = tuple(self.columns[place] for place in places)
        rows = tuple(tuple(row[place] for place in places) for row in self.rows)
        new_places = {place: new for new, place in enumerate(places)}
        bold = {(row, new_places[place]) for row, place in self.bold if place in new_places}
        return Grid(columns, rows, self.block_starts, frozenset(bold))
