"""The labels of the test split, apart from all else. Only evaluation and peeking may import this.

What trains, tunes or selects a model never sees them; a test holds the import rule.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from amb.data.fingerprint import labels_digest
from amb.data.tables import TEST_LABELS, UTTERANCES, check_file_hash, read_card, read_table
from amb.errors import InputError


def read_test_labels(path: Path) -> pd.DataFrame:
    """Read the test labels of a store.

    Args:
        path: The store's folder.

    Returns:
        id and label (float32) of the test utterances, in the order of the utterances.

    Raises:
        InputError: The file is missing, or is not the one that the store was written with.
    """
    path = Path(path)
    card = read_card(path)
    if "test_labels_sha256" in card:  # stores of before had a hash of the values alone
        check_file_hash(path / TEST_LABELS, card["test_labels_sha256"])
    labels = read_table(path / TEST_LABELS, ("id", "label"))
    utterances = read_table(path / UTTERANCES, ("id", "split"))
    expected = utterances["id"][utterances["split"] == "test"].tolist()
    if labels["id"].tolist() != expected:
        raise InputError(path / TEST_LABELS, "id", "other ids", "those of the test utterances")
    recorded = card["content"].get("labels_test")
    if labels_digest(labels) != recorded:
        raise InputError(
            path / TEST_LABELS, "content", labels_digest(labels), f"SHA-256 {recorded} of the card"
        )
    return labels
