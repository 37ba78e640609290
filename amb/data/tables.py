"""The files of a store: their names, their columns, and reading them with clear errors."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from amb.data.fingerprint import combined
from amb.errors import InputError
from amb.files import read_json, sha256_of

SCHEMA_VERSION = 2
DAMAGED = "The store is damaged: delete its folder, and it is made again"

CARD = "card.json"
UTTERANCES = "utterances.parquet"
FEATURES = "features.safetensors"
LABELS = "labels.parquet"
TEST_LABELS = "labels.test.parquet"

UTTERANCE_SCHEMA = pa.schema(
    [
        ("id", pa.string()),
        ("video", pa.string()),
        ("clip", pa.string()),
        ("speaker", pa.string()),
        ("split", pa.string()),
        ("text", pa.string()),
        ("words", pa.list_(pa.string())),
    ]
)
LABEL_SCHEMA = pa.schema([("id", pa.string()), ("label", pa.float32())])

CARD_KEYS = (
    "schema",
    "has_text",
    "counts",
    "dimensions",
    "word_aligned",
    "label_scale",
    "content",
    "content_hash",
)


def write_table(table: pd.DataFrame, schema: pa.Schema, target: Path) -> None:
    """Write a data frame as Parquet under a fixed schema."""
    columns = {name: table[name].tolist() for name in schema.names}
    pq.write_table(pa.Table.from_pydict(columns, schema=schema), target)


def read_table(file: Path, columns: tuple[str, ...]) -> pd.DataFrame:
    """Read columns of a Parquet file.

    Args:
        file: The Parquet file.
        columns: The columns that it must have.

    Returns:
        These columns, in this order.

    Raises:
        InputError: The file is missing, is not Parquet or lacks a column.
    """
    require_file(file)
    try:
        present = pq.read_schema(file).names
        missing = [column for column in columns if column not in present]
        if missing:
            raise InputError(file, "columns", ", ".join(present), f"column {missing[0]} too")
        frame: pd.DataFrame = pq.read_table(file, columns=list(columns)).to_pandas()
    except (pa.ArrowException, OSError) as error:
        raise InputError(file, "content", str(error).splitlines()[0], "a Parquet file") from error
    return frame


def read_card(path: Path) -> dict[str, Any]:
    """Read the card of a store.

    Args:
        path: The store's folder.

    Returns:
        The card.

    Raises:
        InputError: There is no such store, or its card is damaged or of another schema.
    """
    file = path / CARD
    require_file(file)
    try:
        card = read_json(file)
    except ValueError as error:
        raise InputError(file, "JSON", str(error), "a store's card") from error
    version = card.get("schema") if isinstance(card, dict) else None
    if version != SCHEMA_VERSION:
        raise InputError(file, "schema", version, str(SCHEMA_VERSION), "Prepare the store again")
    for key in CARD_KEYS:
        if key not in card:
            raise InputError(file, "keys", ", ".join(card), f"key {key} too")
    checked: dict[str, Any] = card
    return checked


def check_file_hashes(path: Path) -> None:
    """Compare a store's files with the hashes that its card has of them; not the test labels.

    The card of a store keeps them for its description in Croissant. Test labels are checked where
    they are read.

    Args:
        path: The store's folder.

    Raises:
        InputError: A file has changed since the store was written.
    """
    card = read_card(path)
    recorded = combined(card["content"])
    if card["content_hash"] != recorded:
        expected = f"{recorded}, that of its content"
        raise InputError(path / CARD, "content_hash", card["content_hash"], expected, DAMAGED)
    for entry in card.get("croissant", {}).get("distribution", []):
        file = path / {UTTERANCES: UTTERANCES, LABELS: LABELS, FEATURES: FEATURES}[entry["name"]]
        check_file_hash(file, entry["sha256"])


def check_file_hash(file: Path, expected: str) -> None:
    """Compare a file of a store with the SHA-256 that the card has of its bytes."""
    require_file(file)
    found = sha256_of(file)
    if found != expected:
        raise InputError(file, "SHA-256", found, f"{expected} of the card", DAMAGED)


def require_file(file: Path) -> None:
    """Refuse a file of a store that is not there."""
    if not file.is_file():
        hint = "Make the store with: amb data prepare"
        raise InputError(file, "file", "no such file", "a file of a complete store", hint)
