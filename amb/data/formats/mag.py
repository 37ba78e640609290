"""MAG-BERT's pickles (``mosi.pkl``, ``mosei.pkl``): a dict of splits, each a list of tuples.

    {train, dev, test} → [((words, visual (L,d_v), acoustic (L,d_a)), label (1,1), segment), …]

See ``word_tuples`` for the tuples.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from amb.data.dataset import Dataset
from amb.data.formats.checks import require_key
from amb.data.formats.word_tuples import parse_word_tuples, to_dataset
from amb.data.sources import described
from amb.data.untrusted.pickles import load_pickle

_SPLIT_KEYS = {"train": "train", "valid": "dev", "test": "test"}


def read_mag(options: dict[str, Any], data_root: Path) -> Dataset:
    """Read a pickle in MAG-BERT's layout.

    Args:
        options: The study's ``data.mag`` section: dataset and file.
        data_root: The folder that the path is relative to.

    Returns:
        The data set, word-aligned, split by split in the file's order. A file that is hostile,
        damaged or of another layout is refused.
    """
    file = data_root / options["file"]
    content = load_pickle(file)
    utterances = [
        (split, own)
        for split, key in _SPLIT_KEYS.items()
        for own in parse_word_tuples(file, key, require_key(file, "content", content, key))
    ]
    return to_dataset(utterances, described("mag", options, data_root), options["dataset"])
