"""Tables of utterances in CSV: every cell is text, and nothing is taken for a missing value."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from amb.errors import InputError


def read_text_table(file: Path, columns: Sequence[str]) -> pd.DataFrame:
    """Read a table.

    Args:
        file: CSV in UTF-8.
        columns: The columns that it must have.

    Returns:
        All its columns, as text: an utterance may read "NA" or "null".

    Raises:
        InputError: It is no CSV, or lacks a column.
    """
    try:
        table: pd.DataFrame = pd.read_csv(file, dtype=str, keep_default_na=False, encoding="utf-8")
    except (ValueError, OSError) as error:
        raise InputError(file, "CSV", str(error), "a table in UTF-8") from error
    for column in columns:
        if column not in table:
            raise InputError(file, "columns", ", ".join(table.columns), f"column {column} too")
    return table
