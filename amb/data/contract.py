"""What must hold before a data set may become a store, and again before it is trained on.

Public releases of the same corpus differ silently: in split sizes, in labels beyond ±3, in −inf
among COVAREP features. Each rule here refuses with its name, the utterance, what was found and
what was expected; only non-finite features are mended, to 0, and counted.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from amb.data.dataset import MODALITIES, SPLITS, Dataset
from amb.data.ragged import Sequences
from amb.data.release_sizes import KNOWN_SIZES
from amb.errors import InputError

LABEL_TOLERANCE = 1e-6

# Totals of other releases that circulate; what they leave out or add differs by who made them.
KNOWN_DIALECTS = {
    "mosi": {2183: "the release of 2,183 utterances, 16 fewer than standard"},
    "mosei": {
        22860: "the segment lists of 22,860, 4 more than standard",
        23453: "the release of 23,453 segments, 597 more than standard",
    },
}


def checked(dataset: Dataset, file: str | Path) -> Dataset:
    """Return the data set with the name of its release, if it keeps the contract.

    That values are finite can only be said once all have been read: see ``check_finite``.

    Args:
        dataset: What a reader handed over.
        file: What to name in messages: the study or the data's main file.

    Returns:
        The data set.

    Raises:
        InputError: A rule is broken.
    """
    utterances = dataset.utterances
    check_utterances(utterances, dataset.has_text, file)
    release = _release(utterances, dataset.known_as, file)
    _check_one_label_each(dataset.labels, utterances["id"], file)
    check_labels(dataset.labels, dataset.label_scale, file)
    unknown = sorted(set(dataset.features) - set(MODALITIES))
    if unknown:
        raise InputError(file, "modalities", unknown[0], f"one of {', '.join(MODALITIES)}")
    for modality, sequences in dataset.features.items():
        _check_shape(modality, sequences, utterances, dataset.word_aligned[modality], file)
    facts = {**dataset.facts, **({"release": release} if release else {})}
    return dataclasses.replace(dataset, facts=facts)


def check_utterances(utterances: pd.DataFrame, has_text: bool, file: str | Path) -> None:
    """Check ids, splits and texts.

    Args:
        utterances: One row an utterance.
        has_text: Whether each must have text.
        file: What to name in messages.

    Raises:
        InputError: An id occurs twice; a split is empty or unknown; a video or a speaker is in two
            splits; an utterance has no word.
    """
    _check_identifiers(utterances, file)
    _check_splits(utterances, file)
    if has_text:
        _check_text(utterances, file)


def check_labels(labels: pd.DataFrame, scale: Sequence[float], file: str | Path) -> None:
    """Check that labels are finite and on their scale.

    Args:
        labels: id and label.
        scale: Smallest and largest label.
        file: What to name in messages.

    Raises:
        InputError: A label is not.
    """
    values = labels["label"].to_numpy(np.float64)
    low, high = scale[0] - LABEL_TOLERANCE, scale[1] + LABEL_TOLERANCE
    broken = ~((values >= low) & (values <= high))  # NaN too
    if broken.any():
        first = int(np.argmax(broken))
        field = f"label range: {labels['id'].iloc[first]}"
        expected = f"a finite number in [{scale[0]:g}, {scale[1]:g}]"
        raise InputError(file, field, float(values[first]), expected)


def check_finite(
    modality: str,
    identifiers: Sequence[str],
    nonfinite: Mapping[int, int],
    values: int,
    largest_share: float,
    file: str | Path,
) -> None:
    """Refuse a modality with too many values that are NaN or infinite.

    Args:
        modality: Its name.
        identifiers: Ids of the N utterances.
        nonfinite: Number of such values, by row of the utterance.
        values: Number of all values.
        largest_share: The largest share that is mended.
        file: What to name in messages.

    Raises:
        InputError: There are more.
    """
    count = sum(nonfinite.values())
    if count > largest_share * values:
        raise InputError(
            file,
            f"finite {modality} features: {identifiers[min(nonfinite)]} and others",
            f"{count / values:.1%} NaN or infinite",
            f"{largest_share:.0%} at most",
        )


def _check_identifiers(utterances: pd.DataFrame, file: str | Path) -> None:
    if not len(utterances):
        raise InputError(file, "utterances", 0, "at least one utterance in each split")
    repeated = utterances["id"][utterances["id"].duplicated()]
    if len(repeated):
        identifier = repeated.iloc[0]
        count = int((utterances["id"] == identifier).sum())
        raise InputError(file, f"unique ids: {identifier}", f"{count} utterances", "one")


def _check_splits(utterances: pd.DataFrame, file: str | Path) -> None:
    unknown = utterances[~utterances["split"].isin(SPLITS)]
    if len(unknown):
        first = unknown.iloc[0]
        raise InputError(file, f"splits: {first['id']}", first["split"], f"one of {SPLITS}")
    for column in ("video", "speaker"):
        _check_disjoint(utterances, column, file)
    for split, size in zip(SPLITS, _sizes(utterances), strict=True):
        if not size:
            raise InputError(file, f"non-empty splits: {split}", 0, "at least one utterance")


def _sizes(utterances: pd.DataFrame) -> tuple[int, ...]:
    return tuple(int((utterances["split"] == split).sum()) for split in SPLITS)


def _release(utterances: pd.DataFrame, known_as: str | None, file: str | Path) -> str | None:
    """Return the name of the release whose sizes these are, None for an unknown data set."""
    if known_as not in KNOWN_SIZES:
        return None
    sizes, known = _sizes(utterances), KNOWN_SIZES[known_as]
    if sizes in known:
        return known[sizes]
    dialect = KNOWN_DIALECTS.get(known_as, {}).get(sum(sizes))
    raise InputError(
        file,
        f"known split sizes: {known_as} ({'/'.join(SPLITS)})",
        "/".join(map(str, sizes)) + (f" ({dialect})" if dialect else ""),
        " or ".join(f"{'/'.join(map(str, each))} ({name})" for each, name in known.items()),
        "Another release of the corpus? Set the dataset to other if that is meant",
    )


def _check_disjoint(utterances: pd.DataFrame, column: str, file: str | Path) -> None:
    """Refuse a video or a known speaker that two splits share."""
    splits = utterances.dropna(subset=[column]).groupby(column, sort=True)["split"].unique()
    spread = splits[splits.map(len) > 1]
    if len(spread):
        where = " and ".join(sorted(spread.iloc[0]))
        expected = f"each {column} in one split only"
        raise InputError(file, f"disjoint splits: {column} {spread.index[0]}", where, expected)


def _check_text(utterances: pd.DataFrame, file: str | Path) -> None:
    for identifier, text, words in zip(
        utterances["id"], utterances["text"], utterances["words"], strict=True
    ):
        if not text.strip() or not len(words) or not all(word.strip() for word in words):
            raise InputError(file, f"text: {identifier}", text, "text with at least one word")


def _check_one_label_each(
    labels: pd.DataFrame, identifiers: pd.Series[str], file: str | Path
) -> None:
    counts = labels["id"].value_counts().to_dict()
    for identifier in identifiers:
        if counts.get(identifier, 0) != 1:
            found = f"{counts.get(identifier, 0)} labels"
            raise InputError(file, f"one label an utterance: {identifier}", found, "one")
    if not np.array_equal(labels["id"].to_numpy(), identifiers.to_numpy()):
        raise InputError(file, "labels", "another order or other ids", "the order of utterances")


def _check_shape(
    modality: str,
    sequences: Sequences,
    utterances: pd.DataFrame,
    word_aligned: bool,
    file: str | Path,
) -> None:
    if sequences.dimension < 1:
        found = f"{sequences.dimension} features"
        raise InputError(file, f"{modality} dimensions", found, "frames of one feature or more")
    if len(sequences) != len(utterances):
        raise InputError(
            file, f"{modality} sequences", len(sequences), f"{len(utterances)}, one an utterance"
        )
    lengths: Any = sequences.lengths
    words = utterances["words"].map(len).to_numpy()
    broken = lengths != words if word_aligned else lengths < 1
    if broken.any():
        first = int(np.argmax(broken))
        expected = f"{words[first]}, one a word" if word_aligned else "at least one"
        field = f"{modality} frames: {utterances['id'].iloc[first]}"
        raise InputError(file, field, int(lengths[first]), expected)
