"""The suite's own functions on many replicates, one call a replicate; they need no array code."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Protocol

import numpy as np

from amb.statistics.calibration.closed_forms import Outcomes
from amb.statistics.calibration.replicates import MetricReplicates
from amb.statistics.contrast import Form
from amb.statistics.moments import MetricTable, MomentTable

Outcome = Callable[[MetricReplicates, MetricReplicates, str, Form, float], Outcomes]
TestOfMetrics = Callable[[MetricTable, MetricTable, str, Form, float], "Said"]


class Said(Protocol):
    """What a library test says of one replicate."""

    @property
    def estimate(self) -> float:
        """The contrast."""

    @property
    def ci_low(self) -> float:
        """Lower bound."""

    @property
    def ci_high(self) -> float:
        """Upper bound."""

    @property
    def p(self) -> float:
        """Two-sided p-value."""


def one_by_one(test: TestOfMetrics) -> Outcome:
    """Return a test of two metric tables as a test of all replicates, one call a replicate."""

    def outcomes(
        a: MetricReplicates, b: MetricReplicates, metric: str, form: Form, alpha: float
    ) -> Outcomes:
        replicates = range(len(a.values))
        return _stacked(
            test(_metric_table(a, r), _metric_table(b, r), metric, form, alpha) for r in replicates
        )

    return outcomes


def moment_table(method: MetricReplicates, replicate: int, name: str) -> MomentTable:
    """Return the moments of one method in one replicate.

    Args:
        method: The method in all replicates.
        replicate: Which one.
        name: What the method is called in the table.

    Returns:
        The table; seeds and videos are numbered.
    """
    values = method.moments[replicate]  # (S, G, K)
    videos = np.arange(values.shape[1]).astype(object)
    return MomentTable(name, np.arange(len(values)), videos, values)


def _metric_table(method: MetricReplicates, replicate: int) -> MetricTable:
    moments = moment_table(method, replicate, "")
    items = int(moments.values[0, :, 0].sum())
    rest = method.leave_one_video_out[replicate]
    return MetricTable(method.values[replicate], rest, moments.videos, items)


def _stacked(effects: Iterable[Said]) -> Outcomes:
    rows = [(e.estimate, e.ci_low, e.ci_high, e.p) for e in effects]
    return Outcomes(*np.array(rows, dtype=np.float64).reshape(-1, 4).T)
