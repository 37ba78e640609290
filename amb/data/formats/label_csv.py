"""``label.csv``: text and labels only, a row an utterance.

    video_id, clip_id, text, label, mode (train, valid, test)

What the layout cannot say: anything heard or seen. Ids become ``video$_$clip``, as in MMSA's
pickles, which come with such a file.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from amb.data.dataset import LABEL_SCALES, SPLITS, UTTERANCE_COLUMNS, Dataset
from amb.data.formats.text_table import read_text_table
from amb.data.sources import described
from amb.errors import InputError

COLUMNS = ("video_id", "clip_id", "text", "label", "mode")


def read_label_csv(options: dict[str, Any], data_root: Path) -> Dataset:
    """Read a table of texts and labels.

    Args:
        options: The study's ``data.label_csv`` section: dataset and file.
        data_root: The folder that the path is relative to.

    Returns:
        The data set without audio and visual features: train, valid, test, in the table's order.
        A table that lacks a column, or has a label that is no number, is refused.
    """
    file = data_root / options["file"]
    table = read_labelled_table(file)
    order = table["mode"].map({split: place for place, split in enumerate(SPLITS)})
    if order.isna().any():
        row = int(np.argmax(order.isna()))
        raise InputError(file, f"mode, row {row + 2}", table["mode"].iloc[row], f"one of {SPLITS}")
    table = table.iloc[np.argsort(order.to_numpy(), kind="stable")]
    identifiers = (table["video_id"] + "$_$" + table["clip_id"]).tolist()
    utterances = pd.DataFrame(
        {
            "id": identifiers,
            "video": table["video_id"].tolist(),
            "clip": table["clip_id"].tolist(),
            "speaker": None,
            "split": table["mode"].tolist(),
            "text": table["text"].tolist(),
            "words": [text.split() for text in table["text"]],
        },
        columns=list(UTTERANCE_COLUMNS),
    )
    labels = table["label"].to_numpy(np.float32)
    return Dataset(
        utterances=utterances,
        features={},
        labels=pd.DataFrame({"id": identifiers, "label": labels}),
        word_aligned={},
        sources=described("label_csv", options, data_root),
        known_as=options["dataset"],
        label_scale=LABEL_SCALES[options["dataset"]],
    )


def read_labelled_table(file: Path) -> pd.DataFrame:
    """Read the table: text in all columns but ``label``, which holds numbers.

    Args:
        file: The table.

    Returns:
        The table.

    Raises:
        InputError: It lacks a column, or a label is no number.
    """
    table = read_text_table(file, COLUMNS)
    numbers = pd.to_numeric(table["label"], errors="coerce")
    if numbers.isna().any():
        row = int(np.argmax(numbers.isna()))
        raise InputError(file, f"label, row {row + 2}", table["label"].iloc[row], "a number")
    return table.assign(label=numbers)
