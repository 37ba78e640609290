"""Predictions arranged for arithmetic: one matrix a method, runs by utterances."""

from __future__ import annotations

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
    chosen = predictions[
        (predictions["split"] == split) & (predictions["corruption"] == corruption)
    ]
    if chosen.empty:
        found = sorted(predictions["split"].unique())
        raise InputError("predictions", "split", found, f"{split} (corruption {corruption})")
    method_of_row, methods = pd.factorize(chosen["method"], sort=True)
    if np.any(np.diff(method_of_row) < 0):
        order = np.argsort(method_of_row, kind="stable")
        chosen, method_of_row = chosen.iloc[order], method_of_row[order]
    edges = np.searchsorted(method_of_row, np.arange(len(methods) + 1))
    return {
        str(name): _align(str(name), chosen.iloc[start:end])
        for name, start, end in zip(methods, edges[:-1], edges[1:], strict=True)
    }


def _align(method: str, rows: pd.DataFrame) -> MethodRuns:
    run_of_row, seeds = pd.factorize(rows["seed"].to_numpy(dtype=np.int64), sort=True)
    item_of_row, utterances = pd.factorize(rows["utterance"])
    # Items are numbered as they appear, so the largest number so far grows where one is new.
    first = np.flatnonzero(np.diff(np.maximum.accumulate(item_of_row), prepend=-1))
    items = pd.DataFrame(
        {
            "video": rows["video"].iloc[first].to_numpy(dtype=object),
            "utterance": utterances.to_numpy(dtype=object),
            "label": rows["label"].iloc[first].to_numpy(dtype=np.float64),
        }
    ).sort_values(["video", "utterance"])
    place = np.empty(len(items), dtype=np.int64)
    place[items.index.to_numpy()] = np.arange(len(items))
    matrix = np.full((seeds.size, len(items)), np.nan)
    matrix[run_of_row, place[item_of_row]] = rows["prediction"].to_numpy()
    if np.isnan(matrix).any():
        raise ValueError(f"{method}: its runs do not cover the same utterances")
    return MethodRuns(
        method=method,
        seeds=seeds,
        utterances=items["utterance"].to_numpy(dtype=object),
        videos=items["video"].to_numpy(dtype=object),
        labels=items["label"].to_numpy(),
        predictions=matrix,
    )
