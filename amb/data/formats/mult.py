"""MulT's pickles (``mosei_senti_data.pkl``): one dict a split, arrays of all rows, no raw text.

    {train, valid, test} → {vision (N,T,d_v), audio (N,T,d_a), text (N,T,300), labels (N,1,1), id}

``id`` is ``video$_$clip`` or ``video[k]``, or the three texts video, start and end (seconds). The
words come from a companion table with columns ``video_id`` and ``text`` and either ``clip_id`` or,
for ids with times, ``start``. ``text`` holds GloVe vectors; they may be taken as ``text_states``.

What the layout cannot say: which frame belongs to which word of the companion's text, so that its
features count as not word-aligned; lengths, so that frames of zeros at either end are padding; and
who speaks.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from amb.data.dataset import LABEL_SCALES, SPLITS, UTTERANCE_COLUMNS, Dataset
from amb.data.formats.checks import decoded_texts, numeric, require_key
from amb.data.formats.identifiers import BRACKET_FORM, MMSA_FORM, split_identifier
from amb.data.formats.padding import joined, padded_together
from amb.data.formats.segments import SAME_TIME_S
from amb.data.formats.text_table import read_text_table
from amb.data.ragged import JoinedSequences
from amb.data.sources import described
from amb.data.untrusted.pickles import load_pickle
from amb.errors import InputError

KEYS = {"audio": "audio", "visual": "vision", "text_states": "text"}


@dataclass(frozen=True)
class Name:
    """What an id says: the utterance's id in the store, its video, its clip or its start."""

    identifier: str
    video: str
    clip: str
    start: float | None = None


def read_mult(options: dict[str, Any], data_root: Path) -> Dataset:
    """Read a pickle in MulT's layout and the table that has its words.

    Args:
        options: The study's ``data.mult`` section: dataset, file, text, modalities.
        data_root: The folder that the paths are relative to.

    Returns:
        The data set: train, valid, test, in the file's order. A file that is hostile, damaged or
        of another layout is refused, and so is an utterance that the table does not have.
    """
    file = data_root / options["file"]
    content = load_pickle(file)
    splits = [(split, require_key(file, "content", content, split)) for split in SPLITS]
    names = {split: read_names(file, split, own) for split, own in splits}
    texts = _texts(data_root / options["text"], [n for own in names.values() for n in own])
    labels = [_labels(file, split, own, len(names[split])) for split, own in splits]
    features = _features(file, splits, options["modalities"])
    rows = [
        (name.identifier, name.video, name.clip, None, split, text, text.split())
        for (split, name), text in zip(
            ((split, name) for split in SPLITS for name in names[split]), texts, strict=True
        )
    ]
    utterances = pd.DataFrame(rows, columns=list(UTTERANCE_COLUMNS))
    values = np.concatenate(labels).astype(np.float32)
    return Dataset(
        utterances=utterances,
        features=features,
        labels=pd.DataFrame({"id": utterances["id"], "label": values}),
        word_aligned=dict.fromkeys(features, False),
        sources=described("mult", options, data_root),
        known_as=options["dataset"],
        label_scale=LABEL_SCALES[options["dataset"]],
    )


def _features(
    file: Path, splits: Sequence[tuple[str, Any]], modalities: Sequence[str]
) -> dict[str, JoinedSequences]:
    """Take padding off all modalities of a split together, and join the splits."""
    sequences = []
    for split, own in splits:
        rows = len(require_key(file, split, own, "id"))
        blocks = [
            numeric(file, f"{split}.{KEYS[m]}", require_key(file, split, own, KEYS[m]), 3, rows)
            for m in modalities
        ]
        sequences.append(padded_together(file, split, blocks) if blocks else [])
    return {
        m: joined([own[place] for own in sequences], [(file, f"{s}.{KEYS[m]}") for s, _ in splits])
        for place, m in enumerate(modalities)
    }


def read_names(file: Path, split: str, content: Any) -> list[Name]:
    """Read the ids of a split, in any of the forms in which they occur.

    Args:
        file: For messages.
        split: The split's name.
        content: The split's dict.

    Returns:
        What each id says.

    Raises:
        InputError: The ids have another form.
    """
    where = f"{split}.id"
    value = require_key(file, split, content, "id")
    if isinstance(value, np.ndarray) and value.ndim > 1:
        value = value.reshape(len(value), -1)
        if value.shape[1] == 3:
            return [_timed(file, where, decoded_texts(file, where, row)) for row in value]
        if value.shape[1] != 1:
            raise InputError(file, where, f"shape {value.shape}", "one or three texts a row")
        value = value[:, 0]
    return [
        Name(identifier, *split_identifier(file, where, identifier, MMSA_FORM, BRACKET_FORM))
        for identifier in decoded_texts(file, where, value)
    ]


def _timed(file: Path, where: str, parts: Sequence[str]) -> Name:
    video, start, end = parts
    try:
        return Name(f"{video}[{float(start):.3f}-{float(end):.3f}]", video, start, float(start))
    except ValueError:
        raise InputError(file, where, f"{start}, {end}", "start and end in seconds") from None


def _labels(file: Path, split: str, content: Any, rows: int) -> npt.NDArray[Any]:
    value = require_key(file, split, content, "labels")
    flat = value.reshape(-1) if isinstance(value, np.ndarray) and value.size == rows else value
    return numeric(file, f"{split}.labels", flat, 1, rows)


def _texts(file: Path, names: Sequence[Name]) -> list[str]:
    """Look up the words of every utterance in the companion table."""
    timed = any(name.start is not None for name in names)
    table = read_text_table(file, ("video_id", "text", "start" if timed else "clip_id"))
    find = _by_start(file, table) if timed else _by_clip(file, table)
    return [find(name) for name in names]


def _by_clip(file: Path, table: pd.DataFrame) -> Callable[[Name], str]:
    texts = dict(
        zip(zip(table["video_id"], table["clip_id"], strict=True), table["text"], strict=True)
    )

    def find(name: Name) -> str:
        if (name.video, name.clip) not in texts:
            where = f"text of {name.identifier}"
            raise InputError(file, where, "no row", f"video_id {name.video}, clip_id {name.clip}")
        return str(texts[name.video, name.clip])

    return find


def _by_start(file: Path, table: pd.DataFrame) -> Callable[[Name], str]:
    starts = pd.to_numeric(table["start"], errors="coerce")
    videos = {video: rows.index.to_numpy() for video, rows in table.groupby("video_id")}

    def find(name: Name) -> str:
        rows = videos.get(name.video, np.empty(0, dtype=np.int64))
        near = [row for row in rows if abs(starts[row] - (name.start or 0.0)) <= SAME_TIME_S]
        if len(near) != 1:
            expected = f"one of {name.video} that starts at {name.start} s"
            raise InputError(file, f"text of {name.identifier}", f"{len(near)} rows", expected)
        return str(table["text"][near[0]])

    return find
