"""MISA's pickles: a file a split, each a list of tuples with words and word-aligned frames.

See ``word_tuples`` for the tuples. A file of word vectors (``embedding_and_mapping.pt``) may come
with them; the tuples' word ids point into it. Where only one of the three files is at hand,
``folds`` assigns its videos to splits.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy.typing as npt

from amb.data.dataset import SPLITS, TEXT_STATES, Dataset
from amb.data.formats.checks import numeric
from amb.data.formats.word_tuples import WordTuple, parse_word_tuples, to_dataset
from amb.data.ragged import ListedSequences
from amb.data.sources import described
from amb.data.untrusted.pickles import load_pickle
from amb.data.untrusted.torch_legacy import load_torch_legacy
from amb.errors import InputError


def read_misa(options: dict[str, Any], data_root: Path) -> Dataset:
    """Read one to three pickles in MISA's layout.

    Args:
        options: The study's ``data.misa`` section: dataset, and either train, valid and test, or
            file and folds.
        data_root: The folder that the paths are relative to.

    Returns:
        The data set, word-aligned, split by split in the files' order. A file that is hostile,
        damaged or of another layout is refused.
    """
    if "file" in options:
        utterances = _by_folds(data_root / options["file"], options["folds"])
    else:
        utterances = [(split, own) for split in SPLITS for own in _read(data_root / options[split])]
    dataset = to_dataset(utterances, described("misa", options, data_root), options["dataset"])
    if "embeddings" not in options:
        return dataset
    return _with_text_states(dataset, utterances, data_root / options["embeddings"])


def _with_text_states(
    dataset: Dataset, utterances: Sequence[tuple[str, WordTuple]], file: Path
) -> Dataset:
    """Add the vector of every word, looked up by the ids that the pickles have for them."""
    vectors = _vectors(file)
    states = []
    for _, own in utterances:
        ids = own.word_ids
        if ids is None or not len(ids) or ids.min() < 0 or ids.max() >= len(vectors):
            found = "none" if ids is None or not len(ids) else f"{ids.min()} to {ids.max()}"
            raise InputError(file, f"word ids of {own.segment}", found, f"0 to {len(vectors) - 1}")
        states.append(vectors[ids])
    return dataclasses.replace(
        dataset,
        features={**dataset.features, TEXT_STATES: ListedSequences(states)},
        word_aligned={**dataset.word_aligned, TEXT_STATES: True},
    )


def _vectors(file: Path) -> npt.NDArray[Any]:
    """Read the word vectors (V, d) of ``(vectors, mapping)`` as MISA's code saves them."""
    content = load_torch_legacy(file)
    if not isinstance(content, tuple) or len(content) != 2:
        raise InputError(file, "content", type(content).__name__, "(vectors, mapping of words)")
    return numeric(file, "vectors", content[0], 2)


def _read(file: Path) -> list[WordTuple]:
    return parse_word_tuples(file, "list", load_pickle(file))


def _by_folds(file: Path, folds: dict[str, list[str]]) -> list[tuple[str, WordTuple]]:
    """Assign videos to splits; a video that no fold names is an error, and so is the reverse."""
    utterances = _read(file)
    split_of = {video: split for split in SPLITS for video in folds[split]}
    present = {own.video for own in utterances}
    for video in sorted(present ^ split_of.keys()):
        found = "in no fold" if video in present else "not in the file"
        raise InputError(file, f"folds: video {video}", found, "every video in one fold")
    return [(s, own) for s in SPLITS for own in utterances if split_of[own.video] == s]
