"""Moments and metrics of many replicates at once.

The sums are those of ``moments.moment_table``, which works on one method at a time, but taken about
zero: simulated predictions vary enough. A test proves that both give the same metrics. Sums that no
metric of the study needs stay zero.

Notation: ``R`` replicates, ``S`` seeds, ``N`` utterances, ``G`` videos, ``K`` sums.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from amb.evaluation.metrics import Floats, bin_hits
from amb.statistics.moments import MOMENTS, metric_from_moments


@dataclass(frozen=True, eq=False)
class MetricReplicates:
    """One metric of one method in every replicate, and what tests need of it, computed once.

    Attributes:
        values: (R, S) the metric of every run.
        leave_one_video_out: (R, S, G) the metric of every run without that video.
        moments: (R, S, G, K) the sums behind it, for tests that resample videos.
    """

    values: Floats
    leave_one_video_out: Floats
    moments: Floats

    def first(self, seeds: int) -> MetricReplicates:
        """Return the same of the first ``seeds`` runs."""
        return MetricReplicates(
            self.values[:, :seeds], self.leave_one_video_out[:, :seeds], self.moments[:, :seeds]
        )

    @cached_property
    def mean(self) -> Floats:
        """Return the mean over seeds, (R,)."""
        return np.asarray(self.values.mean(axis=1))

    @cached_property
    def seed_variance(self) -> Floats:
        """Return the variance over seeds, (R,)."""
        return np.asarray(self.values.var(axis=1, ddof=1))

    @cached_property
    def deleted_mean(self) -> Floats:
        """Return the mean over seeds without each video, (R, G)."""
        return np.asarray(self.leave_one_video_out.mean(axis=1))

    @cached_property
    def cell_sum_of_squares(self) -> Floats:
        """Return the sum of squares of the doubly centred leave-one-video-out values, (R,)."""
        centred = self.leave_one_video_out - self.deleted_mean[:, None, :]
        centred -= centred.mean(axis=2, keepdims=True)
        return np.asarray(np.einsum("rsg,rsg->r", centred, centred))


def replicate_moments(labels: Floats, predictions: Floats, starts: NDArray[np.int64]) -> Floats:
    """Sum over the utterances of every video.

    Args:
        labels: (R, N).
        predictions: (R, S, N); utterances of a video stand together.
        starts: (G,) place of every video's first utterance.

    Returns:
        (R, S, G, K) sums in the order of ``MOMENTS``.
    """
    R, S, _ = predictions.shape
    moments = np.zeros((len(MOMENTS), R, S, starts.size))
    y = labels[:, None, :]  # (R, 1, N)
    sums = {
        "n": np.ones_like(y),
        "y": y,
        "yy": y**2,
        "p": predictions,
        "pp": predictions**2,
        "py": predictions * y,
        "abs_error": np.abs(predictions - y),
        "hits7": bin_hits(y, predictions, 3.0),
        **_decisions_non0(y, predictions),
    }
    for name, terms in sums.items():
        moments[MOMENTS.index(name)] = np.add.reduceat(terms, starts, axis=2, dtype=np.float64)
    return np.moveaxis(moments, 0, -1)


def metric_replicates(moments: Floats, metric: str) -> MetricReplicates:
    """Compute a metric of every run, with all videos and with each left out.

    Args:
        moments: (R, S, G, K) sums.
        metric: Name of the metric.

    Returns:
        The metric's replicates.
    """
    totals = moments.sum(axis=2)
    return MetricReplicates(
        values=metric_from_moments(totals, metric),
        leave_one_video_out=metric_from_moments(totals[:, :, None, :] - moments, metric),
        moments=moments,
    )


def _decisions_non0(y: Floats, p: Floats) -> dict[str, NDArray[np.bool_]]:
    kept, positive, called = y != 0, y > 0, p > 0
    return {
        "tp_non0": positive & called,
        "fp_non0": (kept & ~positive) & called,
        "fn_non0": positive & ~called,
        "tn_non0": (kept & ~positive) & ~called,
    }
