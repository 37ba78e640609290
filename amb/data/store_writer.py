"""Writing a store: whole or not at all, in one pass over the features.

Memory holds the tables and one sequence at a time, whatever the size of the features.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from amb.data import fingerprint
from amb.data.contract import check_finite
from amb.data.croissant import describe
from amb.data.dataset import MODALITIES, SPLITS, Dataset
from amb.data.feature_file import HashedFile, modality_tensors, write_header, write_values
from amb.data.feature_pass import Groups, PassResult, offsets_of, pass_over
from amb.data.tables import (
    CARD,
    FEATURES,
    LABEL_SCHEMA,
    LABELS,
    SCHEMA_VERSION,
    TEST_LABELS,
    UTTERANCE_SCHEMA,
    UTTERANCES,
    write_table,
)
from amb.files import atomic_folder, sha256_of, write_json

LARGEST_NONFINITE_SHARE = 0.05


def write_store(
    path: str | Path,
    dataset: Dataset,
    facts: Mapping[str, Any] | None = None,
    named: str | Path | None = None,
    largest_nonfinite_share: float = LARGEST_NONFINITE_SHARE,
    on_bytes: Callable[[int], None] | None = None,
) -> None:
    """Write a store, whole or not at all; an existing one is replaced.

    The data must keep the contract (``contract.checked``); what can only be known once all values
    have been read, the share that is not finite, is checked here.

    Args:
        path: The store's folder.
        dataset: The data set.
        facts: What the card shall say beside what follows from the data: ``reader``, ….
        named: What to name in messages: the study or the data's main file; ``path`` if left out.
        largest_nonfinite_share: Share of NaN and infinite values above which a modality is
            refused (``InputError``); up to it they become 0 and are counted on the card.
        on_bytes: Called with the number of bytes of features that were just written.
    """
    is_test = (dataset.utterances["split"] == "test").to_numpy()
    labels = dataset.labels.astype({"label": np.float32})
    with atomic_folder(Path(path)) as folder:
        write_table(dataset.utterances, UTTERANCE_SCHEMA, folder / UTTERANCES)
        write_table(labels[~is_test], LABEL_SCHEMA, folder / LABELS)
        write_table(labels[is_test], LABEL_SCHEMA, folder / TEST_LABELS)
        passed, features_sha256 = _write_features(folder / FEATURES, dataset, on_bytes)
        for modality, result in passed.items():
            check_finite(
                modality,
                dataset.utterances["id"].tolist(),
                result.nonfinite,
                result.values,
                largest_nonfinite_share,
                named or path,
            )
        card = _card(dataset, labels, is_test, passed, facts or {})
        hashes = {n: sha256_of(folder / n) for n in (UTTERANCES, LABELS)}
        card["croissant"] = describe(card, {**hashes, FEATURES: features_sha256})
        card["test_labels_sha256"] = sha256_of(folder / TEST_LABELS)
        write_json(folder / CARD, card)


def _write_features(
    file: Path, dataset: Dataset, on_bytes: Callable[[int], None] | None
) -> tuple[dict[str, PassResult], str]:
    """Write all modalities; return what was learnt of each, and the SHA-256 of the file."""
    groups = Groups.of(dataset.utterances)
    present = [m for m in MODALITIES if m in dataset.features]
    tensors = [
        tensor
        for m in present
        for tensor in modality_tensors(
            m,
            int(dataset.features[m].lengths.sum()),
            dataset.features[m].dimension,
            len(dataset.utterances),
            groups.videos,
        )
    ]
    passed = {}
    with file.open("wb") as opened:
        target = HashedFile(opened, on_bytes)
        write_header(target, tensors)
        for m in present:
            sequences = dataset.features[m]
            write_values(target, offsets_of(sequences), "I64")
            result = pass_over(
                sequences,
                dataset.word_aligned[m],
                groups,
                lambda frames: write_values(target, frames, "F32"),
            )
            write_values(target, result.video_mean, "F32")
            write_values(target, result.video_std, "F32")
            passed[m] = result
    return passed, target.sha256


def _card(
    dataset: Dataset,
    labels: pd.DataFrame,
    is_test: npt.NDArray[np.bool_],
    passed: Mapping[str, PassResult],
    facts: Mapping[str, Any],
) -> dict[str, Any]:
    utterances = dataset.utterances
    content = {
        "utterances": fingerprint.utterances_digest(utterances),
        "labels": fingerprint.labels_digest(labels[~is_test]),
        "labels_test": fingerprint.labels_digest(labels[is_test]),
        **{modality: result.digest for modality, result in passed.items()},
    }
    open_labels = labels["label"][~is_test]
    repairs = {
        f"{modality}_nonfinite_values_set_to_0": sum(result.nonfinite.values())
        for modality, result in passed.items()
    }
    return {
        **dataset.facts,
        **facts,
        "schema": SCHEMA_VERSION,
        "dataset": dataset.known_as,
        "sources": dataset.sources,
        "repairs": {**dataset.repairs, **repairs},
        "has_text": dataset.has_text,
        "counts": {split: _counts(utterances[utterances["split"] == split]) for split in SPLITS},
        "dimensions": {modality: dataset.features[modality].dimension for modality in passed},
        "frames": {modality: int(dataset.features[modality].lengths.sum()) for modality in passed},
        "word_aligned": {modality: bool(dataset.word_aligned[modality]) for modality in passed},
        # Of the train and valid splits: a card says nothing about test labels.
        "label_range": [float(open_labels.min()), float(open_labels.max())],
        "label_scale": list(dataset.label_scale),
        "normalisation": {modality: result.train for modality, result in passed.items()},
        "content": content,
        "content_hash": fingerprint.combined(content),
    }


def _counts(utterances: pd.DataFrame) -> dict[str, int]:
    return {"utterances": len(utterances), "videos": int(utterances["video"].nunique())}
