"""Predictions arranged for arithmetic: one matrix a method, runs by utterances."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from amb.errors import InputError
from amb.evaluation.metrics import Floats


@dataclass(frozen=True)
class MethodRuns:
    """All runs of one method on one split, as aligned arrays in a canonical order.

    Attributes:
        method: Name of the method.
        seeds: (S,) int64, ascending.
        utterances: (N,) ids, ordered by video, then id.
        videos: (N,) video of every utterance.
        labels: (N,) float64.
        predictions: (S, N) float64.
    """

    method: str
    seeds: NDArray[np.int64]
    utterances: NDArray[np.object_]
    videos: NDArray[np.object_]
    labels: Floats
    predictions: Floats


def runs_by_method(
    predictions: pd.DataFrame, split: str = "test", corruption: str = "none"
) -> dict[str, MethodRuns]:
    """Arrange the predictions of one split as one matrix a method.

    Args:
        predictions: Frame of ``read_predictions``, rows in any order.
        split: Which split.
        corruption: Which corruption of the inputs.

    Returns:
        Method name, in alphabetical order, to its runs.

    Raises:
        InputError: There is no row of that split and corruption.
    """
    wanted = (predictions["split"] == split) & (predictions["corruption"] == corruption)
    rows = np.flatnonzero(wanted)
    if not rows.size:
        found = sorted(predictions["split"].unique())
        raise InputError("predictions", "split", found, f"{split} (corruption {corruption})")
    method, utterance = (_alphabetical(predictions[k].iloc[rows]) for k in ("method", "utterance"))
    keys = [method.codes, predictions["seed"].to_numpy(np.int64)[rows], utterance.codes]
    if not _ascending(keys):
        order = np.lexsort(keys[::-1])
        rows, keys = rows[order], [key[order] for key in keys]
    every = np.arange(len(method.categories) + 1, dtype=keys[0].dtype)
    edges = np.searchsorted(keys[0], every)
    return {
        str(name): _align(str(name), predictions, rows[own], keys[1][own], keys[2][own])
        for name, own in zip(method.categories, map(slice, edges[:-1], edges[1:]), strict=True)
        if own.stop > own.start
    }


def _alphabetical(column: pd.Series) -> pd.Categorical:
    """Return texts as categories whose codes are in the order of the texts."""
    texts = pd.Categorical(column)
    if texts.categories.is_monotonic_increasing:
        return texts
    return texts.reorder_categories(sorted(texts.categories))


def _ascending(keys: Sequence[NDArray[np.integer]]) -> bool:
    """Return whether rows are ordered by the first key, equal ones by the next, and so on."""
    above = np.zeros(keys[0].size - 1, dtype=bool)
    equal = ~above
    for key in keys:
        above |= equal & (key[1:] > key[:-1])
        equal &= key[1:] == key[:-1]
    return bool((above | equal).all())


def _align(
    method: str,
    predictions: pd.DataFrame,
    rows: NDArray[np.intp],
    seed_of_row: NDArray[np.int64],
    utterance_of_row: NDArray[np.integer],
) -> MethodRuns:
    """Arrange the predictions of one method, which stand in ``rows`` by seed and utterance."""
    seeds = seed_of_row[np.flatnonzero(np.diff(seed_of_row, prepend=seed_of_row[0] - 1))]
    runs = (seeds.size, rows.size // seeds.size)
    if rows.size % seeds.size or np.ptp(utterance_of_row.reshape(runs), axis=0).any():
        raise ValueError(f"{method}: its runs do not cover the same utterances")
    first = predictions.iloc[rows[: runs[1]]]
    videos = _alphabetical(first["video"])
    order = np.lexsort([utterance_of_row[: runs[1]], videos.codes])
    values = predictions["prediction"].to_numpy()[rows].reshape(runs)
    return MethodRuns(
        method=method,
        seeds=seeds,
        utterances=first["utterance"].to_numpy(dtype=object)[order],
        videos=first["video"].to_numpy(dtype=object)[order],
        labels=first["label"].to_numpy(dtype=np.float64)[order],
        predictions=values.take(order, axis=1).astype(np.float64),
    )
