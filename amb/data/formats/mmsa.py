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

from amb.data.dataset import LABEL_SCALES, SPLITS, UTTERANCE_COLUMNS, Dataset
from amb.data.formats.checks import numeric, require_key, texts
from amb.data.formats.identifiers import MMSA_FORM, split_identifier
from amb.data.formats.padding import joined, real_frames
from amb.data.ragged import PaddedSequences
from amb.data.sources import described
from amb.data.untrusted.pickles import load_pickle
from amb.errors import InputError

_KEYS = {"audio": "audio", "visual": "vision"}


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
        parts = [_padded(file, *split, _KEYS[modality]) for split in splits]
        features[modality] = joined(parts, [(file, f"{s}.{_KEYS[modality]}") for s in SPLITS])
        repairs[f"{modality}_lengths_inferred"] = sum(
            _inferred(part)
            for part, (_, split) in zip(parts, splits, strict=True)
            if f"{_KEYS[modality]}_lengths" not in split
        )
    return Dataset(
        utterances=utterances,
        features=features,
        labels=pd.DataFrame({"id": utterances["id"], "label": labels.astype(np.float32)}),
        word_aligned=dict.fromkeys(features, False),
        sources=described("mmsa", options, data_root),
        repairs=repairs,
        known_as=options["dataset"],
        label_scale=LABEL_SCALES[options["dataset"]],
    )


def _utterances(file: Path, name: str, split: Any) -> pd.DataFrame:
    identifiers = texts(file, f"{name}.id", require_key(file, name, split, "id"))
    raw = require_key(file, name, split, "raw_text")
    rows = []
    for identifier, text in zip(
        identifiers, texts(file, f"{name}.raw_text", raw, len(identifiers)), strict=True
    ):
        video, clip = split_identifier(file, f"{name}.id", identifier, MMSA_FORM)
        rows.append((identifier, video, clip, None, name, text, text.split()))
    return pd.DataFrame(rows, columns=list(UTTERANCE_COLUMNS))


def _labels(file: Path, name: str, split: Any) -> npt.NDArray[Any]:
    value = require_key(file, name, split, "regression_labels")
    rows = len(require_key(file, name, split, "id"))
    return numeric(file, f"{name}.regression_labels", value, 1, rows)


def _padded(file: Path, name: str, split: Any, key: str) -> PaddedSequences:
    """Return a split's sequences as they lie in the file, with where each ends."""
    rows = len(require_key(file, name, split, "id"))
    values = numeric(file, f"{name}.{key}", require_key(file, name, split, key), 3, rows)
    where = f"{name}.{key}_lengths"
    starts = np.zeros(rows, dtype=np.int64)
    if f"{key}_lengths" not in split:
        return PaddedSequences(values, starts, real_frames(values)[1])
    lengths = numeric(file, where, split[f"{key}_lengths"], 1, rows)
    outside = (lengths < 1) | (lengths > values.shape[1])
    if outside.any():
        row = int(np.argmax(outside))
        raise InputError(file, f"{where}[{row}]", lengths[row].item(), f"1 to {values.shape[1]}")
    _refuse_padding_in_front(file, f"{name}.{key}", values, lengths)
    return PaddedSequences(values, starts, lengths.astype(np.int64))


def _refuse_padding_in_front(
    file: Path, where: str, values: npt.NDArray[Any], lengths: npt.NDArray[Any]
) -> None:
    """MMSA-FET can pad at the start, and lengths alone would then take the padding."""
    shorter = np.flatnonzero(lengths < values.shape[1])
    first, last = values[shorter, 0], values[shorter, -1]
    turned = (first == 0).all(axis=1) & (last != 0).any(axis=1)
    if turned.any():
        row = int(shorter[np.argmax(turned)])
        raise InputError(file, f"{where}[{row}]", "zeros in front", "padding after the real frames")


def _inferred(part: PaddedSequences) -> int:
    """Return how many sequences are shorter than the block that holds them."""
    return int((part.lengths < part.values.shape[1]).sum())
