"""Arrays of HDF5, one file a split and modality: the layout of ICT-MMMO in the MFN release.

    audio_train.h5, video_train.h5, text_train_emb.h5 (N, T, d), y_train.h5 (N,), and valid and test

Each file holds one array. Frames of a row are aligned to T words and padded with zeros; frames
that are zero in all modalities at either end are padding.

What the layout cannot say: the words (``text_states`` are vectors of words, which may be taken in
their place by methods that ask for them, so there is no text), who speaks, and which video a row
is cut from: every row counts as a video of its own, named after its split and place.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import numpy.typing as npt
import pandas as pd

from amb.data.dataset import MODALITIES, SPLITS, UTTERANCE_COLUMNS, Dataset
from amb.data.formats.padding import joined, padded_together
from amb.data.ragged import PaddedSequences
from amb.data.sources import described
from amb.data.untrusted.hdf5 import child_names, open_hdf5, own_child, read_numbers
from amb.errors import InputError

LARGEST_VALUES = 2_000_000_000


def read_h5(options: dict[str, Any], data_root: Path) -> Dataset:
    """Read arrays of HDF5.

    Args:
        options: The study's ``data.h5`` section: dataset, label_offset, and the files
            ``<split>_labels`` and ``<split>_<modality>`` for each split.
        data_root: The folder that the paths are relative to.

    Returns:
        The data set without text: train, valid, test, in the files' order. A modality that one
        split has and another lacks is refused, and so are damaged or hostile files.
    """
    modalities = _modalities(options, data_root)
    offset = float(options.get("label_offset", 0))
    splits = [_read_split(options, data_root, split, modalities) for split in SPLITS]
    features = {
        m: joined(
            [blocks[place] for _, blocks in splits],
            [(data_root / options[f"{s}_{m}"], s) for s in SPLITS],
        )
        for place, m in enumerate(modalities)
    }
    rows: list[tuple[Any, ...]] = [
        (f"{split}[{k}]", f"{split}_{k}", "0", None, split, "", [])
        for split, (labels, _) in zip(SPLITS, splits, strict=True)
        for k in range(len(labels))
    ]
    utterances = pd.DataFrame(rows, columns=list(UTTERANCE_COLUMNS))
    values = (np.concatenate([labels for labels, _ in splits]) + offset).astype(np.float32)
    return Dataset(
        utterances=utterances,
        features=features,
        labels=pd.DataFrame({"id": utterances["id"], "label": values}),
        word_aligned=dict.fromkeys(features, False),
        sources=described("h5", options, data_root),
        known_as=options["dataset"],
        facts={"label_offset": offset},
        has_text=False,
    )


def read_array(file: Path, ndim: int) -> npt.NDArray[Any]:
    """Read the one array of a file.

    Args:
        file: The HDF5 file.
        ndim: How many axes the array must have.

    Returns:
        The array. A file that is no HDF5, hostile or damaged, or holds another number of arrays,
        is refused.
    """
    with _one_array(file) as dataset:
        values: npt.NDArray[Any] = read_numbers(file, dataset, ndim, LARGEST_VALUES)
    return values


def read_any_array(file: Path) -> npt.NDArray[Any]:
    """Read the one array of a file like ``read_array``, whatever axes it has."""
    with _one_array(file) as dataset:
        values: npt.NDArray[Any] = read_numbers(file, dataset, dataset.ndim, LARGEST_VALUES)
    return values


@contextmanager
def _one_array(file: Path) -> Iterator[h5py.Dataset]:
    with open_hdf5(file) as opened:
        names = child_names(file, opened)
        if len(names) != 1:
            raise InputError(file, "arrays", ", ".join(names[:5]) or "none", "exactly one")
        yield own_child(file, opened, names[0], h5py.Dataset)


def _read_split(
    options: dict[str, Any], data_root: Path, split: str, modalities: list[str]
) -> tuple[npt.NDArray[Any], list[PaddedSequences]]:
    """Read labels (N,) and the sequences of each modality of a split."""
    labels = read_array(data_root / options[f"{split}_labels"], 1)
    files = [data_root / options[f"{split}_{m}"] for m in modalities]
    blocks = [read_array(file, 3) for file in files]
    for file, block in zip(files, blocks, strict=True):
        if len(block) != len(labels):
            raise InputError(file, "rows", len(block), f"{len(labels)}, one a label")
    return labels, padded_together(data_root, split, blocks) if blocks else []


def _modalities(options: dict[str, Any], data_root: Path) -> list[str]:
    """Return the modalities that all splits have; one that some lack is an error."""
    found = []
    for modality in MODALITIES:
        missing = [split for split in SPLITS if f"{split}_{modality}" not in options]
        if len(missing) == len(SPLITS):
            continue
        if missing:
            raise InputError(
                data_root,
                f"{missing[0]}_{modality}",
                "no such file",
                f"{modality} of every split, or of none",
                "What a method never sees in training it cannot use in a test",
            )
        found.append(modality)
    return found
