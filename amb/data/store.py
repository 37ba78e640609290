"""The store: one data set on disk, in the one layout that everything downstream reads.

``labels.test.parquet`` is written here and read in ``firewall`` only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from amb.data import fingerprint
from amb.data.dataset import MODALITIES, SPLITS, UTTERANCE_COLUMNS
from amb.data.normalisation import train_statistics
from amb.data.ragged import Ragged
from amb.data.tables import (
    CARD,
    FEATURES,
    LABEL_SCHEMA,
    LABELS,
    SCHEMA_VERSION,
    TEST_LABELS,
    UTTERANCE_SCHEMA,
    UTTERANCES,
    read_card,
    read_table,
    require_file,
    write_table,
)
from amb.errors import InputError
from amb.files import atomic_folder, write_json


@dataclass(frozen=True)
class Store:
    """An opened store. Features are read from disk when asked for.

    Attributes:
        path: Its folder.
        card: What is known about it: sources, counts, repairs, normalisation, hashes.
        utterances: id, video, clip, speaker, split, text, words; one row an utterance.
    """

    path: Path
    card: dict[str, Any]
    utterances: pd.DataFrame = field(repr=False)

    @classmethod
    def open(cls, path: str | Path) -> Store:
        """Open a store. Test labels are not read.

        A missing or damaged file, or two that contradict each other, raises ``InputError``.

        Args:
            path: The store's folder.

        Returns:
            The store.
        """
        path = Path(path)
        card = read_card(path)
        for name in (FEATURES, LABELS):  # training works without the test labels
            require_file(path / name)
        utterances = read_table(path / UTTERANCES, UTTERANCE_COLUMNS)
        utterances["words"] = utterances["words"].map(list)
        store = cls(path, card, utterances)
        store._check_counts()
        store._check_features()
        store.labels()
        return store

    @property
    def modalities(self) -> tuple[str, ...]:
        """The modalities beside text: audio, visual, both (in this order) or none."""
        return tuple(m for m in MODALITIES if m in self.card["dimensions"])

    @property
    def dimensions(self) -> dict[str, int]:
        """Features of a frame, by modality."""
        return {m: int(self.card["dimensions"][m]) for m in self.modalities}

    @property
    def word_aligned(self) -> dict[str, bool]:
        """Whether frame i belongs to word i, by modality."""
        return {m: bool(self.card["word_aligned"][m]) for m in self.modalities}

    @property
    def content_hash(self) -> str:
        """The SHA-256 of all values, test labels included; the same on every machine."""
        return str(self.card["content_hash"])

    def features(self, modality: str) -> Ragged:
        """Read the sequences of one modality, unscaled, in the order of ``utterances``."""
        if modality not in self.modalities:
            found = ", ".join(self.modalities) or "text only"
            raise InputError(self.path, "modalities", found, f"{modality} too")
        with safe_open(self.path / FEATURES, framework="np") as tensors:
            return Ragged(tensors.get_tensor(modality), tensors.get_tensor(f"{modality}_offsets"))

    def labels(self) -> pd.DataFrame:
        """Read id and label (float32) of the train and the valid split.

        Returns:
            The labels, in the order of ``utterances``.

        Raises:
            InputError: They are not those of the train and valid utterances.
        """
        labels = read_table(self.path / LABELS, ("id", "label"))
        expected = self.utterances["id"][self.utterances["split"] != "test"]
        if labels["id"].tolist() != expected.tolist():
            field_name = "id" if len(labels) == len(expected) else "rows"
            wanted = f"{len(expected)}, those of the train and valid utterances"
            raise InputError(self.path / LABELS, field_name, len(labels), wanted)
        return labels

    def verify(self) -> None:
        """Read everything but the test labels and compare it with the card's hashes.

        Raises:
            InputError: Something was changed since the store was written.
        """
        features = {modality: self.features(modality) for modality in self.modalities}
        digests = _open_digests(self.utterances, features, self.labels(), self.word_aligned)
        for name, digest in digests.items():
            recorded = self.card["content"].get(name)
            if digest != recorded:
                raise InputError(self.path, f"content of {name}", digest, f"SHA-256 {recorded}")

    def _check_counts(self) -> None:
        for split in SPLITS:
            rows = int((self.utterances["split"] == split).sum())
            expected = self.card["counts"][split]["utterances"]
            if rows != expected:
                raise InputError(
                    self.path / UTTERANCES, f"{split} rows", rows, f"{expected} (card)"
                )

    def _check_features(self) -> None:
        """Check names, types and shapes of the features without reading their values."""
        file = self.path / FEATURES
        words = self.utterances["words"].map(len).to_numpy()
        expected = sorted(name for m in self.modalities for name in (m, f"{m}_offsets"))
        try:
            with safe_open(file, framework="np") as tensors:
                names = sorted(tensors.keys())
                if names != expected:
                    raise InputError(file, "tensors", ", ".join(names), ", ".join(expected))
                for modality in self.modalities:
                    rows = _check_values(file, modality, tensors, self.dimensions[modality])
                    offsets = tensors.get_tensor(f"{modality}_offsets")
                    _check_offsets(file, modality, offsets, rows, len(words))
                    if self.word_aligned[modality]:
                        _check_alignment(file, modality, offsets, words)
        except SafetensorError as error:
            raise InputError(file, "content", str(error), "a safetensors file") from error


def write_store(
    path: str | Path,
    utterances: pd.DataFrame,
    features: Mapping[str, Ragged],
    labels: pd.DataFrame,
    card_facts: Mapping[str, Any],
) -> None:
    """Write a store, whole or not at all; an existing one is replaced.

    The data must keep the contract (``contract.checked``); this only splits and writes it.

    Args:
        path: The store's folder.
        utterances: The utterances of all splits.
        features: Sequences by modality, in the order of ``utterances``.
        labels: id and label of all splits, in the order of ``utterances``.
        card_facts: What the card shall say beside what follows from the data: ``reader``,
            ``word_aligned`` (required), ``sources``, ``repairs``, …
    """
    is_test = (utterances["split"] == "test").to_numpy()
    labels = labels.astype({"label": np.float32})
    card = _card(utterances, features, labels, is_test, card_facts)
    tensors = {
        name: tensor
        for modality, ragged in features.items()
        for name, tensor in (
            (modality, np.ascontiguousarray(ragged.values, dtype=np.float32)),
            (f"{modality}_offsets", np.ascontiguousarray(ragged.offsets, dtype=np.int64)),
        )
    }
    with atomic_folder(Path(path)) as folder:
        write_table(utterances, UTTERANCE_SCHEMA, folder / UTTERANCES)
        write_table(labels[~is_test], LABEL_SCHEMA, folder / LABELS)
        write_table(labels[is_test], LABEL_SCHEMA, folder / TEST_LABELS)
        save_file(tensors, folder / FEATURES)
        write_json(folder / CARD, card)


def _card(
    utterances: pd.DataFrame,
    features: Mapping[str, Ragged],
    labels: pd.DataFrame,
    is_test: npt.NDArray[np.bool_],
    facts: Mapping[str, Any],
) -> dict[str, Any]:
    is_train = (utterances["split"] == "train").to_numpy()
    content = {
        **_open_digests(utterances, features, labels[~is_test], facts["word_aligned"]),
        "labels_test": fingerprint.labels_digest(labels[is_test]),
    }
    open_labels = labels["label"][~is_test]
    return {
        "sources": [],
        "repairs": {},
        **facts,
        "schema": SCHEMA_VERSION,
        "counts": {split: _counts(utterances[utterances["split"] == split]) for split in SPLITS},
        "dimensions": {modality: ragged.dimension for modality, ragged in features.items()},
        "word_aligned": {modality: bool(facts["word_aligned"][modality]) for modality in features},
        # Of the train and valid splits: a card says nothing about test labels.
        "label_range": [float(open_labels.min()), float(open_labels.max())],
        "normalisation": {
            modality: train_statistics(ragged, is_train) for modality, ragged in features.items()
        },
        "content": content,
        "content_hash": fingerprint.combined(content),
    }


def _counts(utterances: pd.DataFrame) -> dict[str, int]:
    return {"utterances": len(utterances), "videos": int(utterances["video"].nunique())}


def _open_digests(
    utterances: pd.DataFrame,
    features: Mapping[str, Ragged],
    open_labels: pd.DataFrame,
    word_aligned: Mapping[str, bool],
) -> dict[str, str]:
    return {
        "utterances": fingerprint.utterances_digest(utterances),
        "labels": fingerprint.labels_digest(open_labels),
        **{m: fingerprint.features_digest(r, bool(word_aligned[m])) for m, r in features.items()},
    }


def _check_values(file: Path, modality: str, tensors: Any, dimension: int) -> int:
    """Check a modality's type and dimension; return its number of frames."""
    values = tensors.get_slice(modality)
    shape = tuple(values.get_shape())
    if values.get_dtype() != "F32" or len(shape) != 2 or shape[1] != dimension:
        expected = f"F32 (frames, {dimension}), as the card says"
        raise InputError(file, modality, f"{values.get_dtype()} {shape}", expected)
    return int(shape[0])


def _check_offsets(
    file: Path, modality: str, offsets: npt.NDArray[np.int64], rows: int, utterances: int
) -> None:
    key = f"{modality}_offsets"
    if offsets.dtype != np.int64 or offsets.shape != (utterances + 1,):
        found = f"{offsets.dtype} {offsets.shape}"
        raise InputError(file, key, found, f"int64 ({utterances + 1},), one more than utterances")
    if offsets[0] != 0 or offsets[-1] != rows:
        found = f"{offsets[0]} to {offsets[-1]}"
        raise InputError(file, key, found, f"0 to {rows}, all frames of {modality}")
    if (np.diff(offsets) < 1).any():
        row = int(np.argmax(np.diff(offsets) < 1)) + 1
        expected = f"more than the {offsets[row - 1]} before it"
        raise InputError(file, f"{key}[{row}]", int(offsets[row]), expected)


def _check_alignment(
    file: Path, modality: str, offsets: npt.NDArray[np.int64], words: npt.NDArray[np.int64]
) -> None:
    frames = np.diff(offsets)
    if (frames != words).any():
        row = int(np.argmax(frames != words))
        key = f"{modality} frames of utterance {row}"
        raise InputError(file, key, int(frames[row]), f"{words[row]}, one a word")
