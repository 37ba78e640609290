"""The store: one data set on disk, in the one layout that everything downstream reads.

Written by ``store_writer``; its test labels are read in ``firewall`` only. Features stay on disk:
what is opened here is a view of the mapped file.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from amb.data import fingerprint
from amb.data.contract import check_labels, check_utterances
from amb.data.dataset import MODALITIES, SPLITS, UTTERANCE_COLUMNS
from amb.data.feature_file import check_features, map_tensor
from amb.data.ragged import Array, Ragged
from amb.data.tables import (
    FEATURES,
    LABELS,
    UTTERANCES,
    read_card,
    read_table,
    require_file,
)
from amb.errors import InputError


@dataclass(frozen=True)
class Store:
    """An opened store. Features are read from disk when their values are used.

    Attributes:
        path: Its folder.
        card: What is known about it: sources, counts, repairs, normalisation, hashes.
        utterances: id, video, clip, speaker, split, text, words; one row an utterance.
    """

    path: Path
    card: dict[str, Any]
    utterances: pd.DataFrame = field(repr=False)

    @classmethod
    def open(cls, path: str | Path, with_labels: bool = True) -> Store:
        """Open a store and check that it keeps the contract. Test labels are not read.

        A missing or damaged file, or two that contradict each other, raises ``InputError``.

        Args:
            path: The store's folder.
            with_labels: Whether the labels of train and valid must be there; prediction needs none.

        Returns:
            The store.
        """
        path = Path(path)
        card = read_card(path)
        for name in (FEATURES, *([LABELS] if with_labels else [])):  # never the test labels
            require_file(path / name)
        utterances = read_table(path / UTTERANCES, UTTERANCE_COLUMNS)
        utterances["words"] = utterances["words"].map(list)
        store = cls(path, card, utterances)
        store._check_counts()
        check_utterances(utterances, store.has_text, path / UTTERANCES)
        store._check_features()
        if with_labels:
            store.labels()
        return store

    @property
    def modalities(self) -> tuple[str, ...]:
        """What there is beside text: audio, visual, text_states, in this order."""
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
    def has_text(self) -> bool:
        """Whether the utterances have text."""
        return bool(self.card["has_text"])

    @property
    def content_hash(self) -> str:
        """The SHA-256 of all values, test labels included; the same on every machine."""
        return str(self.card["content_hash"])

    def features(self, modality: str) -> Ragged:
        """Return one modality, unscaled, in the order of ``utterances``: a view of the file."""
        self._require(modality)
        file = self.path / FEATURES
        return Ragged(map_tensor(file, modality), map_tensor(file, f"{modality}_offsets"))

    def video_statistics(self, modality: str) -> tuple[Array, Array]:
        """Return mean and standard deviation of each feature in each video, both (V, d)."""
        self._require(modality)
        file = self.path / FEATURES
        return map_tensor(file, f"{modality}_video_mean"), map_tensor(file, f"{modality}_video_std")

    def video_numbers(self) -> npt.NDArray[np.int64]:
        """Return the row of ``video_statistics`` that each utterance's video has (N,)."""
        return pd.factorize(self.utterances["video"])[0].astype(np.int64)

    def labels(self) -> pd.DataFrame:
        """Read id and label (float32) of the train and the valid split.

        Returns:
            The labels, in the order of ``utterances``.

        Raises:
            InputError: They are not those of the train and valid utterances, or out of range.
        """
        labels = read_table(self.path / LABELS, ("id", "label"))
        expected = self.utterances["id"][self.utterances["split"] != "test"]
        if labels["id"].tolist() != expected.tolist():
            field_name = "id" if len(labels) == len(expected) else "rows"
            wanted = f"{len(expected)}, those of the train and valid utterances"
            raise InputError(self.path / LABELS, field_name, len(labels), wanted)
        check_labels(labels, self.card["label_scale"], self.path / LABELS)
        return labels

    def verify(self) -> None:
        """Read everything but the test labels and compare it with the card's hashes.

        Raises:
            InputError: Something was changed since the store was written.
        """
        digests = {
            "utterances": fingerprint.utterances_digest(self.utterances),
            "labels": fingerprint.labels_digest(self.labels()),
            **{
                m: fingerprint.features_digest(self.features(m), self.word_aligned[m])
                for m in self.modalities
            },
        }
        for name, digest in digests.items():
            recorded = self.card["content"].get(name)
            if digest != recorded:
                raise InputError(self.path, f"content of {name}", digest, f"SHA-256 {recorded}")

    def _require(self, modality: str) -> None:
        if modality not in self.modalities:
            found = ", ".join(self.modalities) or "text only"
            raise InputError(self.path, "modalities", found, f"{modality} too")

    def _check_counts(self) -> None:
        for split in SPLITS:
            rows = int((self.utterances["split"] == split).sum())
            expected = self.card["counts"][split]["utterances"]
            if rows != expected:
                raise InputError(
                    self.path / UTTERANCES, f"{split} rows", rows, f"{expected} (card)"
                )

    def _check_features(self) -> None:
        words = self.utterances["words"].map(len).to_numpy()
        videos = int(self.utterances["video"].nunique())
        check_features(
            self.path / FEATURES,
            self.dimensions,
            {m: words if self.word_aligned[m] else None for m in self.modalities},
            len(words),
            videos,
        )
