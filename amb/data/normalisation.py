"""Z-scores of features, with statistics of the train split only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from amb.data.ragged import Array, Ragged

Statistics = dict[str, list[float]]


def train_statistics(features: Ragged, is_train: npt.NDArray[np.bool_]) -> Statistics:
    """Return mean and standard deviation of each feature over all frames of train utterances.

    A constant feature has a standard deviation of exactly 0.

    Args:
        features: N sequences of d features.
        is_train: Which of the N utterances are of the train split (N,).

    Returns:
        ``{"mean": d numbers, "std": d numbers}``, computed in float64.
    """
    rows = features.rows_of(is_train)
    mean, std = [], []
    # One column at a time: a float64 copy of all features of CMU-MOSEI would take gigabytes.
    for feature in features.values.T:
        column = feature[rows].astype(np.float64)
        mean.append(float(column.mean()))
        std.append(0.0 if column.min() == column.max() else float(column.std()))
    return {"mean": mean, "std": std}


def apply_zscore(
    values: npt.NDArray[np.floating], statistics: Mapping[str, Sequence[float]]
) -> Array:
    """Return ``(values − mean) / std`` as float32; a std of 0 counts as 1.

    Args:
        values: Frames (…, d).
        statistics: ``mean`` and ``std``, d numbers each, as ``train_statistics`` returns them.

    Returns:
        The scaled frames (…, d), float32.
    """
    mean = np.asarray(statistics["mean"], dtype=np.float32)
    std = np.asarray(statistics["std"], dtype=np.float32)
    scaled = (values - mean) / np.where(std == 0, np.float32(1), std)
    return scaled.astype(np.float32, copy=False)
