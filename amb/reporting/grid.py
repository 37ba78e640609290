"""A table as plain text cells, before any markup: what Markdown, LaTeX and terminal share."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Column:
    """One column.

    Attributes:
        header: Its heading, plain text.
        align: ``left`` or ``right``.
        width_cm: Width at which LaTeX wraps its text; None for a column that never wraps.
    """

    header: str
    align: str = "left"
    width_cm: float | None = None


@dataclass(frozen=True)
class Grid:
    """A table of plain text; renderers escape and draw it.

    Attributes:
        columns: The columns.
        rows: The cells, one tuple a row, as many as there are columns.
        block_starts: Indices of rows before which a reader needs a gap.
    """

    columns: tuple[Column, ...]
    rows: tuple[tuple[str, ...], ...]
    block_starts: frozenset[int] = frozenset()

    def __post_init__(self) -> None:
        for row in self.rows:
            if len(row) != len(self.columns):
                raise ValueError(f"{len(row)} cells for {len(self.columns)} columns: {row}")
