"""The table of tests under calibration. A test is one line of ``PROCEDURES``.

A test that exists as a function of two tables and ``(metric, form, alpha)`` needs no array code:
``one_by_one`` calls it for one replicate after another, and ``replicates`` limits for how many. It
may return any object with ``estimate``, ``ci_low``, ``ci_high`` and ``p``; NaN where it has none.
"""

from __future__ import annotations

from dataclasses import dataclass

from amb.statistics.calibration.cells import FORMS
from amb.statistics.calibration.closed_forms import fixed_set_outcomes, population_outcomes
from amb.statistics.calibration.one_by_one import Outcome, one_by_one
from amb.statistics.calibration.resampling import (
    NAMINGS,
    RESAMPLES,
    basic_outcomes,
    percentile_outcomes,
    permutation,
)
from amb.statistics.contrast import Form
from amb.statistics.crossed_bootstrap import RESAMPLES as RESAMPLES_OF_A_STUDY
from amb.statistics.fixed_set import TEST as WELCH
from amb.statistics.label_permutation import SAMPLED_NAMINGS
from amb.statistics.population import TEST as JACKKNIFE


@dataclass(frozen=True)
class Procedure:
    """A test and what the suite promises of it.

    Attributes:
        name: Key in files.
        label: Name in tables and figures.
        outcomes: The test on all replicates at once. Where it has no p-value, it rejects if its
            interval does not hold 0.
        scope: The scope whose question it answers.
        promise: What is promised there: ``band``, ``level`` (both in ``summary``) or "", nothing.
            At the other scope it is shown as a warning or for information, never judged.
        forms: Forms of contrast that it tells apart; one of them where it does not.
        replicates: Replicates of a cell, rounded up to whole blocks; None for all.
        note: What is done otherwise here than in a study.
    """

    name: str
    label: str
    outcomes: Outcome
    scope: str
    promise: str
    forms: tuple[Form, ...] = FORMS
    replicates: int | None = None
    note: str = ""


_FEWER_NAMINGS = (
    f"{NAMINGS} namings are drawn where there are too many to try all (20 seeds), not "
    f"{SAMPLED_NAMINGS:,}; one p-value serves both forms of contrast"
)
_FEWER_RESAMPLES = f"{RESAMPLES} resamples, not {RESAMPLES_OF_A_STUDY:,}"

PROCEDURES = (
    Procedure("population", JACKKNIFE, population_outcomes, "population", "band"),
    Procedure("fixed_set", WELCH, fixed_set_outcomes, "fixed_set", "level"),
    Procedure(
        *("label_permutation", "label permutation", one_by_one(permutation), "fixed_set", "level"),
        forms=("difference",),
        replicates=1000,
        note=_FEWER_NAMINGS,
    ),
    Procedure(
        *("bootstrap_percentile", "crossed bootstrap, percentile", percentile_outcomes),
        *("population", ""),
        replicates=300,
        note=_FEWER_RESAMPLES,
    ),
    Procedure(
        *("bootstrap_basic", "crossed bootstrap, basic", basic_outcomes, "population", ""),
        replicates=300,
        note=_FEWER_RESAMPLES,
    ),
)
