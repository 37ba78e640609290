"""The power plan as people read it. Numbers are rounded here, and only here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from amb.evaluation.metrics import METRICS
from amb.reporting.markup.grid import Column, Grid
from amb.reporting.rounding import MISSING

SCOPE_LABELS = {"fixed_set": "test set", "population": "population"}
COLUMNS = (
    Column("Claim"),
    Column("Metric"),
    Column("Scope"),
    Column("Effect", "right"),
    Column("Level", "right"),
    Column("Seeds", "right"),
    Column("Cautious", "right"),
    Column("Power now", "right"),
    Column("MDE, ∞ seeds", "right"),
    Column("Note"),
)
CAPTION = """\
Seeds of each method for 80 % power at the smallest effect of interest and at twice that, from pilot
runs; cautious: with the pilot's spread over seeds at its upper 80 % bound. Power now: with as many
seeds as the pilot. MDE, ∞ seeds: what the videos alone leave undetectable at scope population.
"""


def power_grid(plan: Sequence[dict[str, Any]]) -> Grid:
    """Return the rows of ``power_plan`` as a grid of text."""
    return Grid(COLUMNS, tuple(_cells(row) for row in plan))


def _cells(row: dict[str, Any]) -> tuple[str, ...]:
    if row["metric"] is None:
        return (row["claim"], *[MISSING] * 8, row["note"])
    population = row["scope"] == "population"
    return (
        row["claim"],
        METRICS[row["metric"]].label,
        SCOPE_LABELS[row["scope"]],
        f"{row['effect']:.3g}",
        f"{row['level']:.3g}",
        _whole(row["seeds"]),
        _whole(row["seeds_cautious"]),
        _rounded(row["power_at_pilot_seeds"], ".2f"),
        _rounded(row["mde_at_limit"], ".2g") if population else MISSING,
        row["note"],
    )


def _whole(value: int | None) -> str:
    return MISSING if value is None else str(value)


def _rounded(value: float | None, form: str) -> str:
    return MISSING if value is None else format(value, form)
