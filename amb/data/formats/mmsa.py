"""MMSA's pickles (``aligned_50.pkl``, ``unaligned_50.pkl``): one dict a split, arrays of all rows.

    {train, valid, test} → {raw_text, audio (N,T_a,d_a), vision (N,T_v,d_v), id, regression_labels}

with ``audio_lengths`` and ``vision_lengths`` where sequences are unaligned. Ids are
``video$_$clip``. Other keys (``text``, ``text_bert``, ``annotations``, …) are not read.

What the layout cannot say: which frame belongs to which word of ``raw_text`` (aligned files align
to their own tokens, whose words they do not keep), so that its features count as not word-aligned;
and who speaks. Where no lengths are given, frames after the last that is not zero are padding: a
real last frame of zeros is lost, and the count of sequences so cut is on the store's card.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from amb.data.dataset import SPLITS, UTTERANCE_COLUMNS, Dataset
from amb.data.formats.checks import numeric, require_key, texts
from amb.data.ragged import Ragged
from amb.data.sources import described
from amb.data.untrusted.pickles import load_pickle
from amb.errors import InputError

_KEYS = {"audio": "audio", "visual": "vision"}
_SEPARATOR = "$_$"


def read_mmsa(options: dict[str, Any], data_root: Path) -> Dataset:
    """Read a pickle in MMSA's layout.

    Args:
        options: The study's ``data.mmsa`` section: dataset, file, modalities.
        data_root: The folder that the path is relative to.

    Returns:
        The data set: train, valid, test, in the file's order. A file that is hostile, damaged or
        of another layout is refused.
    """
    file = data_root / options["file"]
    content = load_pickle(file)
    splits = [(split, require_key(file, "content", content, split)) for split in SPLITS]
    utterances = pd.concat([_utterances(file, *split) for split in splits], ignore_index=True)
    labels = np.concatenate([_labels(file, *split) for split in splits])
    features, repairs = {}, {}
    for modality in options["modalities"]:
        sequences: list[npt.NDArray[Any]] = []
        repairs[f"{modality}_lengths_inferred"] = 0
        for name, split in splits:
            own, inferred = _sequences(file, name, split, _KEYS[modality])
            sequences += own
            repairs[f"{modality}_lengths_inferred"] += inferred
        features[modality] = Ragged.from_sequences(sequences)
    return Dataset(
        utterances=utterances,
        features=features,
        labels=pd.DataFrame({"id": utterances["id"], "label": labels.astype(np.float32)}),
        word_aligned=dict.fromkeys(features, False),
        sources=described("mmsa", options, data_root),
        repairs=repairs,
        known_as=options["dataset"],
    )


def _utterances(file: Path, name: str, split: Any) -> pd.DataFrame:
    identifiers = texts(file, f"{name}.id", require_key(file, name, split, "id"))
    raw = require_key(file, name, split, "raw_text")
    rows = []
    for identifier, text in zip(
        identifiers, texts(file, f"{name}.raw_text", raw, len(identifiers)), strict=True
    ):
        video, separator, clip = identifier.rpartition(_SEPARATOR)
        if not separator or not video:
            raise InputError(file, f"{name}.id", identifier, f"video{_SEPARATOR}clip")
        rows.append((identifier, video, clip, None, name, text, text.split()))
    return pd.DataFrame(rows, columns=list(UTTERANCE_COLUMNS))


def _labels(file: Path, name: str, split: Any) -> npt.NDArray[Any]:
    value = require_key(file, name, split, "regression_labels")
    rows = len(require_key(file, name, split, "id"))
    return numeric(file, f"{name}.regression_labels", value, 1, rows)


def _sequences(file: Path, name: str, split: Any, key: str) -> tuple[list[npt.NDArray[Any]], int]:
    """Return each row without its padding, and how many lengths had to be inferred."""
    rows = len(require_key(file, name, split, "id"))
    values = numeric(file, f"{name}.{key}", require_key(file, name, split, key), 3, rows)
    where = f"{name}.{key}_lengths"
    if f"{key}_lengths" not in split:
        lengths = [_last_frame(row) for row in values]
        inferred = sum(length < values.shape[1] for length in lengths)
        return [row[:length] for row, length in zip(values, lengths, strict=True)], inferred
    lengths = numeric(file, where, split[f"{key}_lengths"], 1, rows).tolist()
    for row, length in enumerate(lengths):
        if not 1 <= length <= values.shape[1]:
            raise InputError(file, f"{where}[{row}]", length, f"1 to {values.shape[1]}")
    return [row[: int(length)] for row, length in zip(values, lengths, strict=True)], 0


def _last_frame(row: npt.NDArray[Any]) -> int:
    """Return the number of frames up to the last that is not all zeros, 1 at least."""
    real = np.flatnonzero(np.any(row != 0, axis=1))
    return int(real[-1]) + 1 if len(real) else 1
