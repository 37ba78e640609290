"""The four files of a table: CSV (unrounded), Markdown, a page, and LaTeX."""

from __future__ import annotations

import io
from pathlib import Path

import pandas as pd

from amb.files import write_text
from amb.reporting.markup.page import html_page

KINDS = ("csv", "md", "html", "tex")


def write_table_files(
    folder: Path, name: str, title: str, frame: pd.DataFrame, markdown: str, latex: str
) -> None:
    """Write ``<name>.csv``, ``.md``, ``.html`` and ``.tex``.

    Args:
        folder: Where to; created if need be.
        name: Name of the table, without a suffix.
        title: Title of the page.
        frame: What the table shows, unrounded.
        markdown: The table as a Markdown page.
        latex: The table as LaTeX floats.
    """
    buffer = io.StringIO()
    frame.to_csv(buffer, index=False)
    contents = {
        "csv": buffer.getvalue(),
        "md": markdown,
        "html": html_page(title, markdown),
        "tex": latex,
    }
    for kind in KINDS:
        write_text(folder / f"{name}.{kind}", contents[kind])
