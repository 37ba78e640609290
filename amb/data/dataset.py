"""What a reader hands over: utterances, features and labels in one order, before any check."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from amb.data.ragged import Ragged

SPLITS = ("train", "valid", "test")
MODALITIES = ("audio", "visual")
UTTERANCE_COLUMNS = ("id", "video", "clip", "speaker", "split", "text", "words")


@dataclass(frozen=True)
class Dataset:
    """A data set in memory, with the labels of all splits.

    Attributes:
        utterances: One row an utterance: id, video, clip, speaker (None where unknown), split
            (train, valid, test), text, words (list of str).
        features: Sequences by modality (audio, visual), in the order of ``utterances``.
        labels: id and label (float32), in the order of ``utterances``.
        word_aligned: By modality, whether frame i belongs to word i.
        sources: What was read: key in the study, relative name, SHA-256, bytes.
        repairs: What a reader or the contract had to mend, and how often.
        facts: Further facts for the store's card.
        known_as: Name of a published data set whose split sizes are known, or None.
    """

    utterances: pd.DataFrame
    features: dict[str, Ragged]
    labels: pd.DataFrame
    word_aligned: dict[str, bool]
    sources: list[dict[str, Any]] = field(default_factory=list)
    repairs: dict[str, int] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)
    known_as: str | None = None
