"""Stored predictions: the only input of every table, figure and verdict.

One Parquet file a run (method, seed), one row an utterance and split. What is written here is read
by ``reading``.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from amb.errors import InputError
from amb.files import atomic_path

PREDICTION_SCHEMA = pa.schema(
    {
        "method": pa.string(),
        "seed": pa.int64(),
        "split": pa.string(),
        "corruption": pa.string(),
        "utterance": pa.string(),
        "video": pa.string(),
        "label": pa.float32(),
        "prediction": pa.float32(),
    }
)
PREDICTION_COLUMNS: tuple[str, ...] = tuple(PREDICTION_SCHEMA.names)
SPLITS = ("train", "valid", "test")
CLEAN_FILE, CORRUPTED_FILE = "predictions.parquet", "corrupted.parquet"

ITEM_COLUMNS = ("split", "corruption", "utterance", "video", "label")

ORIGIN, CONTENT = b"amb", b"amb_content_sha256"  # keys of a file's metadata

RUN_KEY = ["method", "seed", "split", "corruption"]
RunKey = tuple[str, int, str, str]


def write_predictions(path: Path, frame: pd.DataFrame, origin: Mapping[str, str]) -> None:
    """Check a frame and write it as Parquet, atomically; numbers are stored as float32.

    What ``read_predictions`` would refuse in one file is refused here already.

    Args:
        path: The file to write.
        frame: Rows with ``PREDICTION_COLUMNS``.
        origin: What the predictions follow from (hashes, by name), kept in the file beside a hash
            of its values.
    """
    check_columns(path, list(frame.columns))
    ordered = frame[list(PREDICTION_COLUMNS)].astype(
        {"seed": "int64", "label": "float32", "prediction": "float32"}
    )
    check_rows(path, ordered)
    table = pa.Table.from_pandas(ordered, schema=PREDICTION_SCHEMA, preserve_index=False)
    metadata = {ORIGIN: json.dumps(dict(origin), sort_keys=True), CONTENT: content_digest(table)}
    with atomic_path(path) as temporary:
        pq.write_table(table.replace_schema_metadata(metadata), temporary)


def read_origin(path: Path) -> dict[str, str] | None:
    """Return what a file's predictions follow from; None where there is no such file.

    Args:
        path: A prediction file.

    Returns:
        The ``origin`` that it was written with, empty where it has none.
    """
    try:
        metadata = pq.read_schema(path).metadata or {}
    except (OSError, ValueError, pa.ArrowException):
        return None
    try:
        origin: dict[str, str] = json.loads(metadata.get(ORIGIN, b"{}"))
    except ValueError:  # damaged: of nothing that is known
        return {}
    return origin


def content_digest(table: pa.Table) -> str:
    """Return the SHA-256 of a table's values, whatever bytes they are stored in.

    Args:
        table: Rows with ``PREDICTION_COLUMNS``.

    Returns:
        64 hexadecimal digits.
    """
    return run_digest(items_digest(table), table)


def items_digest(table: pa.Table) -> str:
    """Return the SHA-256 of what is predicted: split, corruption, utterance, video, label."""
    digest = hashlib.sha256()
    for name in ITEM_COLUMNS:
        digest.update(_column_bytes(table.column(name)))
    return digest.hexdigest()


def run_digest(items: str, table: pa.Table) -> str:
    """Return the content digest of a table whose items are known by their digest.

    Args:
        items: ``items_digest`` of its items.
        table: At least method, seed and prediction.

    Returns:
        What ``content_digest`` returns.
    """
    digest = hashlib.sha256(items.encode())
    for name in ("method", "seed", "prediction"):
        column = table.column(name)
        one = column.slice(0, 1)
        same = bool(pc.all(pc.equal(column, column[0])).as_py()) and name != "prediction"
        digest.update(_column_bytes(one if same else column))
    return digest.hexdigest()


def _column_bytes(column: pa.ChunkedArray) -> bytes:
    """Return a column's values as bytes, texts as JSON and numbers as they are, little-endian."""
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        return json.dumps(column.to_pylist()).encode()
    values = column.to_numpy()
    return bytes(values.astype(values.dtype.newbyteorder("<")).tobytes())


def run_folder(runs: Path, method: str, seed: int) -> Path:
    """Return the folder of one run below a study's ``runs`` folder."""
    return runs / method / f"seed{seed}"


def check_columns(path: Path, names: Sequence[str]) -> None:
    """Refuse columns that are not those of a prediction file.

    Args:
        path: The file, for the error.
        names: The columns.

    Raises:
        InputError: One is missing or one too many.
    """
    for name in PREDICTION_COLUMNS:
        if name not in names:
            raise InputError(path, "columns", f"no {name}", f"column {name}")
    for name in names:
        if name not in PREDICTION_COLUMNS:
            raise InputError(path, "columns", f"{name}", f"only {', '.join(PREDICTION_COLUMNS)}")


def check_rows(path: Path, frame: pd.DataFrame) -> None:
    """Refuse rows that cannot stand in one prediction file.

    Args:
        path: The file, for the error.
        frame: Rows with ``PREDICTION_COLUMNS``.

    Raises:
        InputError: There is no row, a number is not finite, a split is unknown, or an utterance
            stands twice in a run.
    """
    if frame.empty:
        raise InputError(path, "rows", 0, "at least one row")
    for name in ("label", "prediction"):
        values = frame[name].to_numpy()
        wrong = np.flatnonzero(~np.isfinite(values))
        if wrong.size:
            where = f"column {name}, utterance {frame['utterance'].iloc[wrong[0]]}"
            raise InputError(path, where, float(values[wrong[0]]), "a finite number")
    unknown = sorted(set(frame["split"]) - set(SPLITS))
    if unknown:
        raise InputError(path, "column split", unknown[0], f"one of {', '.join(SPLITS)}")
    twice = frame.duplicated([*RUN_KEY, "utterance"])
    if twice.any():
        row = frame[twice].iloc[0]
        where = f"{describe_run(tuple(row[RUN_KEY]))}, utterance {row['utterance']}"
        raise InputError(path, where, "two rows", "one row")


def describe_run(key: RunKey) -> str:
    """Return the key of a run in words, for errors."""
    method, seed, split, corruption = key
    return f"{method}, seed {seed}, split {split}, corruption {corruption}"
