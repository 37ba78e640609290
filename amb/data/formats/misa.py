"""MISA's pickles: a file a split, each a list of tuples with words and word-aligned frames.

See ``word_tuples`` for the tuples. Where only one of the three files is at hand, ``folds`` assigns
its videos to splits.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from amb.data.dataset import SPLITS, Dataset
from amb.data.formats.word_tuples import WordTuple, parse_word_tuples, to_dataset
from amb.data.sources import described
from amb.data.untrusted.pickles import load_pickle
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
    return to_dataset(utterances, described("misa", options, data_root), options["dataset"])


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
