"""The table of tests under calibration. A test is one line of ``PROCEDURES``.

A test that exists as a function of two tables and ``(metric, form, alpha)`` needs no array code:
``one_by_one`` or ``one_by_one_on_moments`` call it for one replicate after another, and
``replicates`` limits for how many. It may return any object with ``estimate``, ``ci_low``,
``ci_high`` and ``p``; NaN where it has none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from amb.statistics.calibration.closed_forms import (
    Outcomes,
    fixed_set_outcomes,
    population_outcomes,
)
from amb.statistics.calibration.replicates import MetricReplicates
from amb.statistics.contrast import Form
from amb.statistics.fixed_set import TEST as WELCH
from amb.statistics.moments import MetricTable, MomentTable
from amb.statistics.population import TEST as JACKKNIFE

Outcome = Callable[[MetricReplicates, MetricReplicates, str, Form, float], Outcomes]
TestOfMetrics = Callable[[MetricTable, MetricTable, str, Form, float], "Said"]
TestOfMoments = Callable[[MomentTable, MomentTable, str, Form, float], "Said"]


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


@dataclass(frozen=True)
class Procedure:
    """A test and what the suite promises of it.

    Attributes:
        name: Key in files.
        label: Name in tables and figures.
        outcomes: The test on all replicates at once.
        scope: The scope whose question it answers.
        promise: What is promised there: ``band``, ``level`` (both in ``summary``) or "", nothing.
            At the other scope it is shown as a warning or for information, never judged.
        replicates: Replicates of a cell, rounded up to whole blocks; None for all.
    """

    name: str
    label: str
    outcomes: Outcome
    scope: str
    promise: str
    replicates: int | None = None


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


def one_by_one_on_moments(test: TestOfMoments) -> Outcome:
    """Return a test of two moment tables as a test of all replicates, one call a replicate."""

    def outcomes(
        a: MetricReplicates, b: MetricReplicates, metric: str, form: Form, alpha: float
    ) -> Outcomes:
        replicates = range(len(a.values))
        return _stacked(
            test(_moment_table(a, r), _moment_table(b, r), metric, form, alpha) for r in replicates
        )

    return outcomes


def _stacked(effects: Iterable[Said]) -> Outcomes:
    rows = [(e.estimate, e.ci_low, e.ci_high, e.p) for e in effects]
    return Outcomes(*np.array(rows, dtype=np.float64).reshape(-1, 4).T)


def _metric_table(method: MetricReplicates, replicate: int) -> MetricTable:
    moments = _moment_table(method, replicate)
    items = int(moments.values[0, :, 0].sum())
    rest = method.leave_one_video_out[replicate]
    return MetricTable(method.values[replicate], rest, moments.videos, items)


def _moment_table(method: MetricReplicates, replicate: int) -> MomentTable:
    values = method.moments[replicate]  # (S, G, K)
    videos = np.arange(values.shape[1]).astype(object)
    return MomentTable("", np.arange(len(values)), videos, values)


PROCEDURES = (
    Procedure("population", JACKKNIFE, population_outcomes, "population", "band"),
    Procedure("fixed_set", WELCH, fixed_set_outcomes, "fixed_set", "level"),
)
