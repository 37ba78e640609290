"""What other codes of the field compute under the names of MMSA's metrics.

Every function takes labels ``(N,)`` and predictions ``(S, N)`` and returns ``(S,)`` in float64, as
those of ``metrics`` do, and keeps their rules: what is undefined is NaN and warns. Which code is
meant by which function stands in ``metric_variants``.

Notation: ``S`` runs (seeds), ``N`` utterances, ``y`` label, ``p`` prediction.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from amb.evaluation import metrics
from amb.evaluation.metrics import Floats, checked, f1_of_decisions, mean_over_items

Bins = NDArray[np.int64]

SIMS_2 = (0.0,)
SIMS_3 = (-0.1, 0.1)
SIMS_5 = (-0.7, -0.1, 0.1, 0.7)


def f1_has0_swapped(labels: ArrayLike, predictions: ArrayLike) -> Floats:
    """F1 of (p ≥ 0) against (y ≥ 0), all items, truth and prediction swapped; -> (S,)."""
    y, p = checked(labels, predictions)
    return f1_of_decisions(y >= 0, p >= 0, swapped=True)


def f1_non0_swapped(labels: ArrayLike, predictions: ArrayLike) -> Floats:
    """F1 of (p > 0) against (y > 0), items with y ≠ 0, truth and prediction swapped; -> (S,)."""
    y, p = _without_zero_labels(labels, predictions)
    return f1_of_decisions(y > 0, p > 0, swapped=True)


def f1_neg0_swapped(labels: ArrayLike, predictions: ArrayLike) -> Floats:
    """F1 of (p > 0) against (y > 0), all items, truth and prediction swapped; -> (S,)."""
    y, p = checked(labels, predictions)
    return f1_of_decisions(y > 0, p > 0, swapped=True)


def acc2_neg0(labels: ArrayLike, predictions: ArrayLike) -> Floats:
    """Share of items with (p > 0) = (y > 0), all items: zeros are negative; -> (S,)."""
    y, p = checked(labels, predictions)
    return mean_over_items((y > 0) == (p > 0))


def mae_non0(labels: ArrayLike, predictions: ArrayLike) -> Floats:
    """Mean absolute error over items with y ≠ 0; -> (S,)."""
    return metrics.mae(*_without_zero_labels(labels, predictions))


def corr_non0(labels: ArrayLike, predictions: ArrayLike) -> Floats:
    """Pearson correlation over items with y ≠ 0; -> (S,); NaN and a warning where undefined."""
    return metrics.corr(*_without_zero_labels(labels, predictions))


def acc2_non0_from_zero(labels: ArrayLike, predictions: ArrayLike) -> Floats:
    """Share of items with (p ≥ 0) = (y ≥ 0) among items with y ≠ 0; -> (S,)."""
    return metrics.acc2_has0(*_without_zero_labels(labels, predictions))


def f1_non0_from_zero(labels: ArrayLike, predictions: ArrayLike) -> Floats:
    """Support-weighted F1 of the decisions of ``acc2_non0_from_zero``; -> (S,)."""
    return metrics.f1_has0(*_without_zero_labels(labels, predictions))


def acc7_outward(labels: ArrayLike, predictions: ArrayLike) -> Floats:
    """Share of items in the right one of seven bins, values rounded away from zero; -> (S,)."""
    y, p = checked(labels, predictions)
    return mean_over_items(outward_bins(y) == outward_bins(p))


def outward_bins(values: Floats) -> Floats:
    """Return 0 for 0, 1 for (0, 1], 2 for (1, 2], 3 for what is above, and mirrored below 0."""
    return np.asarray(np.copysign(np.ceil(np.minimum(np.abs(values), 3.0)), values))


def mae_clipped1(labels: ArrayLike, predictions: ArrayLike) -> Floats:
    """Mean absolute error, both sides clipped at ±1; -> (S,)."""
    return metrics.mae(*_clipped1(labels, predictions))


def corr_clipped1(labels: ArrayLike, predictions: ArrayLike) -> Floats:
    """Pearson correlation, both sides clipped at ±1; -> (S,); NaN and a warning if undefined."""
    return metrics.corr(*_clipped1(labels, predictions))


def acc2_sims(labels: ArrayLike, predictions: ArrayLike) -> Floats:
    """Share of items in the right one of [−1, 0], (0, 1], both sides clipped; -> (S,)."""
    return _sims_accuracy(labels, predictions, SIMS_2)


def acc3_sims(labels: ArrayLike, predictions: ArrayLike) -> Floats:
    """Share of items in the right one of three bins, cut at ±0.1, both sides clipped; -> (S,)."""
    return _sims_accuracy(labels, predictions, SIMS_3)


def acc5_sims(labels: ArrayLike, predictions: ArrayLike) -> Floats:
    """Share of items in the right one of five bins, cut at ±0.1 and ±0.7; -> (S,)."""
    return _sims_accuracy(labels, predictions, SIMS_5)


def f1_sims(labels: ArrayLike, predictions: ArrayLike) -> Floats:
    """Support-weighted F1 of the bins of ``acc2_sims``; -> (S,)."""
    y, p = checked(labels, predictions)
    return f1_of_decisions(y > 0, p > 0)


def bins_cut_at(values: Floats, cuts: Sequence[float]) -> Bins:
    """Return the bin of every value; a value on a cut lies in the lower bin.

    Labels and predictions are stored as float32, and CH-SIMS has labels on the cuts: a stored 0.1
    is above the 0.1 of float64. So both sides are compared in float32, as the original does.

    Args:
        values: Any shape.
        cuts: Where the bins meet, ascending.

    Returns:
        Bins from 0, of the same shape.
    """
    stored = values.astype(np.float32)
    return np.searchsorted(np.asarray(cuts, dtype=np.float32), stored, side="left")


def _sims_accuracy(labels: ArrayLike, predictions: ArrayLike, cuts: Sequence[float]) -> Floats:
    y, p = checked(labels, predictions)  # no cut lies beyond ±1: clipping moves nothing across one
    return mean_over_items(bins_cut_at(y, cuts) == bins_cut_at(p, cuts))


def _clipped1(labels: ArrayLike, predictions: ArrayLike) -> tuple[Floats, Floats]:
    y, p = checked(labels, predictions)
    return np.clip(y, -1.0, 1.0), np.clip(p, -1.0, 1.0)


def _without_zero_labels(labels: ArrayLike, predictions: ArrayLike) -> tuple[Floats, Floats]:
    y, p = checked(labels, predictions)
    kept = y != 0
    return y[kept], p[:, kept]
