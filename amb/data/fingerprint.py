"""A hash of what a store says, not of how its files are encoded.

Parquet bytes change with the version of the library that writes them; the values do not.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping

import numpy as np
import pandas as pd

from amb.data.dataset import UTTERANCE_COLUMNS
from amb.data.ragged import Ragged


def utterances_digest(utterances: pd.DataFrame) -> str:
    """Return the SHA-256 of the utterances, one line of canonical JSON each."""
    total = hashlib.sha256()
    for row in utterances[list(UTTERANCE_COLUMNS)].itertuples(index=False):
        values = [list(v) if isinstance(v, list | np.ndarray) else _plain(v) for v in row]
        total.update(json.dumps(values, separators=(",", ":")).encode() + b"\n")
    return total.hexdigest()


def _plain(value: object) -> str | None:
    return value if isinstance(value, str) else None


def features_digest(features: Ragged, word_aligned: bool) -> str:
    """Return the SHA-256 of alignment, shape, offsets and values (little-endian)."""
    total = hashlib.sha256(features_header(word_aligned, features.values.shape))
    total.update(np.ascontiguousarray(features.offsets, dtype="<i8").data)
    total.update(np.ascontiguousarray(features.values, dtype="<f4").data)
    return total.hexdigest()


def features_header(word_aligned: bool, shape: tuple[int, ...]) -> bytes:
    """Return what a features digest begins with: alignment and the shape of all values."""
    return json.dumps([word_aligned, *shape]).encode()


def labels_digest(labels: pd.DataFrame) -> str:
    """Return the SHA-256 of ids and labels (float32, little-endian)."""
    total = hashlib.sha256(json.dumps(labels["id"].tolist()).encode())
    total.update(labels["label"].to_numpy("<f4").tobytes())
    return total.hexdigest()


def combined(digests: Mapping[str, str]) -> str:
    """Return the SHA-256 of named digests."""
    return hashlib.sha256(json.dumps(dict(digests), sort_keys=True).encode()).hexdigest()
