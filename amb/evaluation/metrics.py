"""The eight metrics of the field, in MMSA's definition, over many runs at once.

Every metric takes labels ``(N,)`` and predictions ``(S, N)``, one row a run, and returns ``(S,)``
in float64. Rounding is half-to-even. A value that is undefined is NaN and warns; it is never 0.

Source: paper.md of this project ("Metrics, exactly"); MMSA ``utils/metricsTop.py`` at a94e65d.

Notation: ``S`` runs (seeds), ``N`` utterances, ``y`` label, ``p`` prediction.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Metric:
    """One metric and what a table needs to know about it.

    Attributes:
        name: Key in files and studies.
        label: Name in tables and figures.
        function: ``(labels (N,), predictions (S, N)) -> (S,)``.
        higher_is_better: Direction of a gain.
        skips_zero_labels: Whether items with label exactly 0 are left out.
    """

    name: str
    label: str
    function: Callable[[ArrayLike, ArrayLike], Floats]
    higher_is_better: bool
    skips_zero_labels: bool = False

    def __call__(self, labels: ArrayLike, predictions: ArrayLike) -> Floats:
        """Return the metric of every run, (S,)."""
        return self.function(labels, predictions)

    def count_items(self, labels: ArrayLike) -> int:
        """Return on how many of the items the metric is computed."""
        y = np.asarray(labels)
        return int(np.count_nonzero(y)) if self.skips_zero_labels else int(y.size)


def mae(labels: ArrayLike, predictions: ArrayLike) -> Floats:
    """Mean absolute error, unclipped; (N,), (S, N) -> (S,)."""
    y, p = checked(labels, predictions)
    return mean_over_items(np.abs(p - y))


def corr(labels: ArrayLike, predictions: ArrayLike) -> Floats:
    """Pearson correlation, unclipped; (N,), (S, N) -> (S,); NaN and a warning where undefined."""
    y, p = checked(labels, predictions)
    varies = _varies(y) & _varies(p)
    if not np.all(varies):
        rows = np.flatnonzero(~varies).tolist()
        _warn(f"Corr of run rows {rows} of {len(p)} is NaN: constant labels or predictions")
    if not np.any(varies):
        return np.full(len(p), np.nan)
    y = y - y.mean()
    p = p - p.mean(axis=1, keepdims=True)
    # A row is scaled by its own largest value first: its squares can then not underflow.
    y = y / (np.abs(y).max() or 1.0)
    p = p / np.where(varies, np.abs(p).max(axis=1), 1.0)[:, None]
    # Sums, not matrix products: a BLAS may round the same numbers differently in another run.
    scale = np.sqrt((y * y).sum() * (p * p).sum(axis=1))
    value = (p * y).sum(axis=1) / np.where(varies, scale, 1.0)
    return np.where(varies, np.clip(value, -1.0, 1.0), np.nan)


def acc7(labels: ArrayLike, predictions: ArrayLike) -> Floats:
    """Share of items in the right one of seven bins, both sides clipped at ±3; -> (S,)."""
    y, p = checked(labels, predictions)
    return mean_over_items(bin_hits(y, p, 3.0))


def acc5(labels: ArrayLike, predictions: ArrayLike) -> Floats:
    """Share of items in the right one of five bins, both sides clipped at ±2; -> (S,)."""
    y, p = checked(labels, predictions)
    return mean_over_items(bin_hits(y, p, 2.0))


def acc2_has0(labels: ArrayLike, predictions: ArrayLike) -> Floats:
    """Share of items with (p ≥ 0) = (y ≥ 0), all items; -> (S,)."""
    truth, decision = _has0(*checked(labels, predictions))
    return mean_over_items(truth == decision)


def acc2_non0(labels: ArrayLike, predictions: ArrayLike) -> Floats:
    """Share of items with (p > 0) = (y > 0) among items with y ≠ 0; -> (S,)."""
    truth, decision = _non0(*checked(labels, predictions))
    return mean_over_items(truth == decision)


def f1_has0(labels: ArrayLike, predictions: ArrayLike) -> Floats:
    """Support-weighted F1 of the decisions of ``acc2_has0``; -> (S,)."""
    return f1_of_decisions(*_has0(*checked(labels, predictions)))


def f1_non0(labels: ArrayLike, predictions: ArrayLike) -> Floats:
    """Support-weighted F1 of the decisions of ``acc2_non0``; -> (S,)."""
    return f1_of_decisions(*_non0(*checked(labels, predictions)))


def checked(labels: ArrayLike, predictions: ArrayLike) -> tuple[Floats, Floats]:
    """Return both in float64; refuse shapes that broadcast by accident, and what is not finite.

    Args:
        labels: (N,).
        predictions: (S, N).

    Returns:
        Labels (N,) and predictions (S, N).

    Raises:
        ValueError: Other shapes, or a number that is not finite.
    """
    y = np.asarray(labels, dtype=np.float64)
    p = np.asarray(predictions, dtype=np.float64)
    if y.ndim != 1 or p.ndim != 2 or p.shape[1] != y.size:
        raise ValueError(f"labels {y.shape} and predictions {p.shape}: need (N,) and (S, N)")
    if not (np.isfinite(y).all() and np.isfinite(p).all()):
        raise ValueError("labels and predictions must be finite")
    return y, p


def mean_over_items(values: Floats | Bools) -> Floats:
    """Return the mean of every run, (S, N) -> (S,); NaN and a warning where N is 0."""
    if values.shape[1] == 0:
        return _nothing_to_average(len(values))
    return np.asarray(values.mean(axis=1, dtype=np.float64))


def f1_of_decisions(truth: Bools, decision: Bools, swapped: bool = False) -> Floats:
    """Return the support-weighted F1 of every run's decisions.

    Args:
        truth: (N,), whether an item is positive.
        decision: (S, N), whether it is called positive.
        swapped: Take the share of a class among the decisions as its weight, as
            ``f1_score(decision, truth, average="weighted")`` does, which takes them for the truth.

    Returns:
        F1, (S,); NaN and a warning where N is 0.
    """
    if truth.size == 0:
        return _nothing_to_average(len(decision))
    missed = np.sum(~decision & truth, axis=1, dtype=np.float64)
    false_alarms = np.sum(decision & ~truth, axis=1, dtype=np.float64)
    if swapped:
        missed, false_alarms = false_alarms, missed
    return weighted_f1(
        tp=np.sum(decision & truth, axis=1, dtype=np.float64),
        fp=np.asarray(false_alarms),
        fn=np.asarray(missed),
        tn=np.sum(~decision & ~truth, axis=1, dtype=np.float64),
    )


def bin_hits(labels: Floats, predictions: Floats, limit: float) -> Bools:
    """Return which predictions round, half to even, to the label's bin within ±``limit``."""
    return np.asarray(
        np.rint(np.clip(predictions, -limit, limit)) == np.rint(np.clip(labels, -limit, limit))
    )


def weighted_f1(tp: Floats, fp: Floats, fn: Floats, tn: Floats) -> Floats:
    """Return the support-weighted F1 of two classes from their confusion counts.

    Args:
        tp: Positives called positive, any shape.
        fp: Negatives called positive.
        fn: Positives called negative.
        tn: Negatives called negative.

    Returns:
        F1 of the same shape; NaN where there is no item. A class without a true and without a
        called item adds 0, as ``sklearn.metrics.f1_score(average="weighted")`` has it.
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        wrong = fp + fn
        positive = np.where(2 * tp + wrong > 0, 2 * tp / (2 * tp + wrong), 0.0)
        negative = np.where(2 * tn + wrong > 0, 2 * tn / (2 * tn + wrong), 0.0)
        value = (positive * (tp + fn) + negative * (tn + fp)) / (tp + fp + fn + tn)
    return np.asarray(value, dtype=np.float64)


METRICS: dict[str, Metric] = {
    metric.name: metric
    for metric in (
        Metric("mae", "MAE", mae, higher_is_better=False),
        Metric("corr", "Corr", corr, higher_is_better=True),
        Metric("acc7", "Acc-7", acc7, higher_is_better=True),
        Metric("acc5", "Acc-5", acc5, higher_is_better=True),
        Metric("acc2_has0", "Acc-2 (has0)", acc2_has0, higher_is_better=True),
        Metric("acc2_non0", "Acc-2 (non0)", acc2_non0, True, skips_zero_labels=True),
        Metric("f1_has0", "F1 (has0)", f1_has0, higher_is_better=True),
        Metric("f1_non0", "F1 (non0)", f1_non0, True, skips_zero_labels=True),
    )
}


def _has0(y: Floats, p: Floats) -> tuple[Bools, Bools]:
    return y >= 0, p >= 0


def _non0(y: Floats, p: Floats) -> tuple[Bools, Bools]:
    kept = y != 0
    return y[kept] > 0, p[:, kept] > 0


def _nothing_to_average(runs: int) -> Floats:
    _warn("a metric is NaN: no item to compute it on")
    return np.full(runs, np.nan)


def _varies(values: Floats) -> Bools:
    """Return whether a row has two different values; exact, where a variance would be rounded."""
    if values.shape[-1] == 0:
        return np.zeros(values.shape[:-1], dtype=np.bool_)
    return np.asarray(values.max(axis=-1) > values.min(axis=-1))


def _warn(message: str) -> None:
    warnings.warn(message, RuntimeWarning, stacklevel=4)
