"""What must hold before a data set may become a store.

Public releases of the same corpus differ silently: in split sizes, in labels beyond ±3, in −inf
among COVAREP features. Each rule here refuses with its name, the utterance, what was found and
what was expected; only non-finite features are mended, to 0, and counted.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pandas as pd

from amb.data.dataset import MODALITIES, SPLITS, Dataset
from amb.data.ragged import Ragged
from amb.errors import InputError

LARGEST_LABEL = 3.0
LABEL_TOLERANCE = 1e-6
LARGEST_NONFINITE_SHARE = 0.05

# Utterances of train, valid and test in the releases that are in use, and what these are called.
KNOWN_RELEASES = {
    "mosi": {(1284, 229, 686): "standard, 2,199 utterances"},
    "mosei": {
        (16326, 1871, 4659): "standard, 22,856 utterances",
        (16274, 1861, 4653): "label.csv, 22,788 utterances: 68 fewer than standard",
    },
}


def checked(dataset: Dataset, file: str | Path) -> Dataset:
    """Return the data set with non-finite features set to 0, if it keeps the contract.

    Args:
        dataset: What a reader handed over.
        file: What to name in messages: the study or the data's main file.

    Returns:
        The data set, with a count of replaced values by modality among its repairs.

    Raises:
        InputError: A rule is broken.
    """
    utterances = dataset.utterances
    _check_identifiers(utterances, file)
    release = _check_splits(utterances, dataset.known_as, file)
    _check_text(utterances, file)
    _check_labels(dataset.labels, utterances["id"], file)
    unknown = sorted(set(dataset.features) - set(MODALITIES))
    if unknown:
        raise InputError(file, "modalities", unknown[0], f"one of {', '.join(MODALITIES)}")
    features, repairs = {}, dict(dataset.repairs)
    for modality, ragged in dataset.features.items():
        _check_shape(modality, ragged, utterances, dataset.word_aligned[modality], file)
        features[modality], count = _finite(modality, ragged, utterances, file)
        repairs[f"{modality}_nonfinite_values_set_to_0"] = count
    facts = {**dataset.facts, **({"release": release} if release else {})}
    return dataclasses.replace(dataset, features=features, repairs=repairs, facts=facts)


def _check_identifiers(utterances: pd.DataFrame, file: str | Path) -> None:
    if not len(utterances):
        raise InputError(file, "utterances", 0, "at least one utterance in each split")
    repeated = utterances["id"][utterances["id"].duplicated()]
    if len(repeated):
        identifier = repeated.iloc[0]
        count = int((utterances["id"] == identifier).sum())
        raise InputError(file, f"unique ids: {identifier}", f"{count} utterances", "one")


def _check_splits(utterances: pd.DataFrame, known_as: str | None, file: str | Path) -> str | None:
    """Check splits; return the name of the release whose sizes these are, if it has one."""
    unknown = utterances[~utterances["split"].isin(SPLITS)]
    if len(unknown):
        first = unknown.iloc[0]
        raise InputError(file, f"splits: {first['id']}", first["split"], f"one of {SPLITS}")
    for column in ("video", "speaker"):
        _check_disjoint(utterances, column, file)
    sizes = tuple(int((utterances["split"] == split).sum()) for split in SPLITS)
    for split, size in zip(SPLITS, sizes, strict=True):
        if not size:
            raise InputError(file, f"non-empty splits: {split}", 0, "at least one utterance")
    if known_as not in KNOWN_RELEASES:
        return None
    if sizes not in KNOWN_RELEASES[known_as]:
        known = KNOWN_RELEASES[known_as]
        raise InputError(
            file,
            f"known split sizes: {known_as} ({'/'.join(SPLITS)})",
            "/".join(map(str, sizes)),
            " or ".join(f"{'/'.join(map(str, each))} ({name})" for each, name in known.items()),
            "Another release of the corpus? Set the dataset to other if that is meant",
        )
    return KNOWN_RELEASES[known_as][sizes]


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


def _check_labels(labels: pd.DataFrame, identifiers: pd.Series[str], file: str | Path) -> None:
    counts = labels["id"].value_counts()
    for identifier in identifiers:
        if counts.get(identifier, 0) != 1:
            found = f"{counts.get(identifier, 0)} labels"
            raise InputError(file, f"one label an utterance: {identifier}", found, "one")
    if not np.array_equal(labels["id"].to_numpy(), identifiers.to_numpy()):
        raise InputError(file, "labels", "another order or other ids", "the order of utterances")
    values = labels["label"].to_numpy(np.float64)
    broken = ~np.isfinite(values) | (np.abs(values) > LARGEST_LABEL + LABEL_TOLERANCE)
    if broken.any():
        first = int(np.argmax(broken))
        field = f"label range: {identifiers.iloc[first]}"
        raise InputError(file, field, float(values[first]), "a finite number in [-3, 3]")


def _check_shape(
    modality: str, ragged: Ragged, utterances: pd.DataFrame, word_aligned: bool, file: str | Path
) -> None:
    if ragged.values.ndim != 2 or ragged.dimension < 1:
        shape = ragged.values.shape
        raise InputError(file, f"{modality} dimensions", shape, "frames of one feature or more")
    if len(ragged) != len(utterances):
        raise InputError(
            file, f"{modality} sequences", len(ragged), f"{len(utterances)}, one an utterance"
        )
    words = utterances["words"].map(len).to_numpy()
    broken = ragged.lengths != words if word_aligned else ragged.lengths < 1
    if broken.any():
        first = int(np.argmax(broken))
        expected = f"{words[first]}, one a word" if word_aligned else "at least one"
        field = f"{modality} frames: {utterances['id'].iloc[first]}"
        raise InputError(file, field, int(ragged.lengths[first]), expected)


def _finite(
    modality: str, ragged: Ragged, utterances: pd.DataFrame, file: str | Path
) -> tuple[Ragged, int]:
    """Return the features with NaN and ±inf set to 0, and how many there were."""
    finite = np.isfinite(ragged.values)
    count = int(finite.size - finite.sum())
    if count > LARGEST_NONFINITE_SHARE * finite.size:
        frame = int(np.argmin(finite.all(axis=1)))
        sequence = int(np.searchsorted(ragged.offsets, frame, side="right")) - 1
        raise InputError(
            file,
            f"finite {modality} features: {utterances['id'].iloc[sequence]} and others",
            f"{count / finite.size:.1%} NaN or infinite",
            f"{LARGEST_NONFINITE_SHARE:.0%} at most",
        )
    if not count:
        return ragged, 0
    return Ragged(np.where(finite, ragged.values, np.float32(0)), ragged.offsets), count
