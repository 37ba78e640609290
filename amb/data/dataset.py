"""What a reader hands over: utterances, features and labels in one order, before any check."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from amb.data.ragged import Sequences

SPLITS = ("train", "valid", "test")
FRAME_MODALITIES = ("audio", "visual")
# What a store may hold beside text. ``text_states`` are token states that somebody computed
# beforehand (GloVe vectors, say): stored and checked like the others, and given only to methods
# that ask for them.
TEXT_STATES = "text_states"
MODALITIES = (*FRAME_MODALITIES, TEXT_STATES)
# Smallest and largest label of the data sets that studies can name.
LABEL_SCALES = {
    "mosi": (-3.0, 3.0),
    "mosei": (-3.0, 3.0),
    "sims": (-1.0, 1.0),
    "other": (-3.0, 3.0),
}
UTTERANCE_COLUMNS = ("id", "video", "clip", "speaker", "split", "text", "words")


@dataclass(frozen=True)
class Dataset:
    """A data set with the labels of all splits; features may still lie in the user's file.

    Attributes:
        utterances: One row an utterance: id, video, clip, speaker (None where unknown), split
            (train, valid, test), text, words (list of str).
        features: Sequences by modality (audio, visual, text_states), in the order of
            ``utterances``; read once, in order.
        labels: id and label (float32), in the order of ``utterances``.
        word_aligned: By modality, whether frame i belongs to word i.
        sources: What was read: key in the study, relative name, SHA-256, bytes.
        repairs: What a reader or the contract had to mend, and how often.
        facts: Further facts for the store's card.
        known_as: Name of a published data set whose split sizes are known, or None.
        has_text: Whether the utterances have text; else ``text`` and ``words`` are empty.
        label_scale: Smallest and largest label of the data set's scale.
    """

    utterances: pd.DataFrame
    features: Mapping[str, Sequences]
    labels: pd.DataFrame
    word_aligned: dict[str, bool]
    sources: list[dict[str, Any]] = field(default_factory=list)
    repairs: dict[str, int] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)
    known_as: str | None = None
    has_text: bool = True
    label_scale: tuple[float, float] = (-3.0, 3.0)
