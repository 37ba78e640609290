"""What claims are judged by: predictions above all, and what stands beside them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import pandas as pd

from amb.evaluation.method_runs import MethodRuns, runs_by_method
from amb.statistics.claim_kinds import Claim, rows_of
from amb.statistics.moments import MetricTable, MomentTable, metric_table, moment_table
from amb.statistics.parameters import ParameterCount
from amb.statistics.published import PublishedNumbers
from amb.statistics.speed import Timing


@dataclass(frozen=True)
class Background:
    """What some kinds of claims need beside predictions and parameter counts.

    Attributes:
        dataset: The study's data set; None where it is no known one.
        published: Quoted numbers.
        timings: Rows (a, b) to their timing.
        identities: Row and seed to the identity hash of the run.
        corrupted: Clean and corrupted predictions of the rows of claims on robustness; None where
            inputs were never corrupted.
    """

    dataset: str | None = None
    published: PublishedNumbers = field(default_factory=PublishedNumbers)
    timings: Mapping[tuple[str, str], Timing] = field(default_factory=dict)
    identities: Mapping[tuple[str, int], str] = field(default_factory=dict)
    corrupted: pd.DataFrame | None = None

    def without(self, left_out: Sequence[tuple[str, int]]) -> Background:
        """Return the same without the corrupted predictions of some (row, seed)."""
        if self.corrupted is None:
            return self
        keys = pd.MultiIndex.from_frame(self.corrupted[["method", "seed"]])
        return replace(self, corrupted=self.corrupted[~keys.isin(left_out)])


@dataclass(frozen=True)
class Evidence:
    """All that a study has to say on claims.

    Attributes:
        runs: Row to its runs on the clean test split.
        moments: Row to the moments of these runs; only rows with runs.
        parameters: Row to its parameter counts.
        labels: Row to what people call it.
        background: The rest.
    """

    runs: Mapping[str, MethodRuns]
    moments: Mapping[str, MomentTable]
    parameters: Mapping[str, ParameterCount]
    labels: Mapping[str, str]
    background: Background

    @classmethod
    def of(
        cls,
        predictions: pd.DataFrame,
        parameters: Mapping[str, ParameterCount],
        labels: Mapping[str, str],
        background: Background,
    ) -> Evidence:
        """Arrange what was read."""
        runs = runs_by_method(predictions)
        moments = {name: moment_table(method) for name, method in runs.items()}
        return cls(runs, moments, parameters, labels, background)

    def without(self, seeds: Mapping[str, Sequence[int]]) -> Evidence:
        """Return the evidence without some runs; a row that has no others has no moments."""
        runs = {name: _without(method, seeds[name]) for name, method in self.runs.items()}
        left_out = [(name, seed) for name, own in seeds.items() for seed in own]
        return replace(
            self,
            runs=runs,
            moments={name: moment_table(own) for name, own in runs.items() if own.seeds.size},
            background=self.background.without(left_out),
        )

    def table(self, row: str, metric: str) -> MetricTable:
        """Return a metric of one row's runs."""
        return metric_table(self.moments[row], metric)

    def names(self, claim: Claim) -> dict[str, str]:
        """Return what people call the rows of a claim, by a and b."""
        return {side: self.labels.get(row, row) for side, row in rows_of(claim).items()}


def _without(runs: MethodRuns, seeds: Sequence[int]) -> MethodRuns:
    kept = ~pd.Index(runs.seeds).isin(seeds)
    return replace(runs, seeds=runs.seeds[kept], predictions=runs.predictions[kept])
