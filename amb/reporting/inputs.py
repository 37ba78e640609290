"""The frames that reporting reads, with the columns that it relies on."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from amb.errors import InputError
from amb.files import read_json
from amb.study import Study

SCOPES = ("fixed_set", "population")


@dataclass(frozen=True)
class Layout:
    """The columns that a CSV file must have, by what they hold; more columns are ignored.

    ``optional`` columns hold numbers, and are read where the file has them.
    """

    text: tuple[str, ...]
    numbers: tuple[str, ...]
    flags: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()


SCORES = Layout(text=("method", "split", "metric"), numbers=("seed", "value"))
SUMMARY = Layout(
    text=("method", "metric"),
    numbers=("seeds", "mean", "std", "ci_low", "ci_high", "n_items", "n_videos"),
)
COMPARISON = Layout(
    text=("metric", "method", "reference", "scope", "form", "test", "correction"),
    numbers=("estimate", "se", "df", "ci_low", "ci_high", "p", "p_adjusted", "mde"),
    flags=("significant",),
)
PAIRS = Layout(
    text=("metric", "a", "b", "scope", "test", "correction", "note"),
    numbers=(
        *("estimate", "se", "df", "ci_low", "ci_high", "p", "p_adjusted", "mde"),
        *("seeds_a", "seeds_b", "n_items", "n_videos"),
    ),
    flags=("significant",),
)
CURVE = Layout(text=(), numbers=("epoch", "valid_mae"))


def read_table(file: Path, layout: Layout) -> pd.DataFrame:
    """Read a CSV file and check its columns.

    Text stays text: a method called "null" is not a missing value. Only empty and nan cells of
    number columns are missing.

    Args:
        file: The CSV file.
        layout: The columns that are read.

    Returns:
        The columns of ``layout``: text as str, numbers as float64, flags as bool; optional ones
        where the file has them.

    Raises:
        InputError: The file is missing, lacks a column, or holds something that is no number
            (no flag) where one belongs.
    """
    if not file.is_file():
        raise InputError(file, "file", "no such file", "a CSV file written by an earlier step")
    try:
        frame = pd.read_csv(file, dtype=str, keep_default_na=False)
    except (pd.errors.EmptyDataError, pd.errors.ParserError, UnicodeDecodeError) as error:
        raise InputError(file, "content", str(error), "a CSV file with a heading") from error
    wanted = [*layout.text, *layout.numbers, *layout.flags]
    missing = [column for column in wanted if column not in frame.columns]
    if missing:
        raise InputError(file, "columns", ", ".join(frame.columns), f"also {', '.join(missing)}")
    optional = [column for column in layout.optional if column in frame.columns]
    for column in (*layout.numbers, *optional):
        frame[column] = _numbers(file, frame[column])
    for column in layout.flags:
        frame[column] = _flags(file, frame[column])
    return frame[[*wanted, *optional]]


def modalities_read(methods: Path, study: Study) -> dict[str, list[str]]:
    """Return which modalities each row's model reads.

    Args:
        methods: ``methods.json`` of ``amb check``.
        study: The rows that are asked for.

    Returns:
        Names of modalities, by row.

    Raises:
        InputError: The file is missing, or lacks a row.
    """
    origin = "the file that amb check writes"
    return {name: read_object(methods, name, dict, origin)[name]["reads"] for name in study.methods}


def read_object(file: Path, key: str, kind: type, origin: str) -> dict[str, Any]:
    """Read a JSON object that must have ``key``.

    Args:
        file: The JSON file.
        key: The key that is needed.
        kind: The type of its value.
        origin: What the file is, for the error.

    Returns:
        The object.

    Raises:
        InputError: The file is missing, is not JSON, or has no such key.
    """
    if not file.is_file():
        raise InputError(file, "file", "no such file", origin)
    try:
        content = read_json(file)
    except ValueError as error:
        raise InputError(file, "JSON", str(error), origin) from error
    if not isinstance(content, dict) or not isinstance(content.get(key), kind):
        found = sorted(content) if isinstance(content, dict) else type(content).__name__
        raise InputError(file, "keys", found, f"{key}, as in {origin}")
    return content


def _numbers(file: Path, column: pd.Series) -> pd.Series:
    present = column.where(~column.str.strip().str.lower().isin(["", "nan"]))
    numbers = pd.to_numeric(present, errors="coerce").astype("float64")
    wrong = present[numbers.isna() & present.notna()]
    if len(wrong):
        raise InputError(
            file, f"{column.name}, row {wrong.index[0] + 2}", wrong.iloc[0], "a number"
        )
    return numbers


def _flags(file: Path, column: pd.Series) -> pd.Series:
    wrong = column[~column.isin(["True", "False"])]
    if len(wrong):
        where = f"{column.name}, row {wrong.index[0] + 2}"
        raise InputError(file, where, wrong.iloc[0], "True or False")
    return column == "True"
