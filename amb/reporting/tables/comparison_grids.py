"""The comparison as grids of text: means with marks, and differences to the reference."""

from __future__ import annotations

from typing import Any

import pandas as pd

from amb.reporting.inputs import SCOPES
from amb.reporting.markup.grid import Column, Grid
from amb.reporting.metric_display import METRICS, EffectUnit, MetricDisplay, effect_unit
from amb.reporting.rounding import (
    MISSING,
    decimals_of_interval,
    format_count,
    format_interval,
    format_mean,
    format_number,
    format_p,
)

MARKS = {"fixed_set": "*", "population": "†"}
TIES_SCOPE = "population"  # whose ties are bold; the letters of both scopes are in the ties table
SCOPE_LABELS = {"fixed_set": "this test set", "population": "other videos"}

LABEL = Column("Method", width_cm=3.4)


def metrics_of(table: pd.DataFrame) -> list[MetricDisplay]:
    """Return the metrics of a tidy comparison, in its order."""
    return [METRICS[name] for name in table["metric"].unique()]


def means_grid(table: pd.DataFrame) -> Grid:
    """Return mean ± half-width of every method and metric, with marks, seeds and parameters.

    Args:
        table: The tidy comparison.

    Returns:
        One row a method; columns method, the metrics, trials where rows were tuned, seeds,
        trainable and total parameters. Bold: not distinguishable from the best of its column.
    """
    shown = metrics_of(table)
    tuned = (Column("Trials", "right"),) if "trials" in table.columns else ()
    columns = (
        LABEL,
        *(Column(metric.heading, "right") for metric in shown),
        *tuned,
        Column("Seeds", "right"),
        Column("Trainable", "right"),
        Column("Parameters", "right"),
    )
    methods = [own for _, own in table.groupby("method", sort=False)]
    rows = tuple(_means_row(own, shown) for own in methods)
    bold = {
        (index, 1 + place)
        for index, own in enumerate(methods)
        for place, tied in enumerate(own[f"{TIES_SCOPE}_tied_with_best"])
        if tied
    }
    return Grid(columns, rows, bold=frozenset(bold))


def differences_by_metric(table: pd.DataFrame) -> list[tuple[MetricDisplay, Grid]]:
    """Return one grid of differences a metric; empty where the reference is the only row.

    Args:
        table: The tidy comparison.

    Returns:
        Metric and grid; columns method, scope, gain, interval, adjusted p, MDE.
    """
    columns = (LABEL, *_difference_columns(table["alpha"].iloc[0]))
    grids = []
    for name, own in _tested(table).groupby("metric", sort=False):
        rows, starts = _difference_rows(own)
        grids.append((METRICS[str(name)], Grid(columns, tuple(rows), frozenset(starts))))
    return grids


def differences_grid(table: pd.DataFrame) -> Grid | None:
    """Return the differences in all metrics in one grid.

    Args:
        table: The tidy comparison.

    Returns:
        Grid with the metric as the first column, before the first row of each; None where the
        reference is the only row.
    """
    rows: list[tuple[str, ...]] = []
    starts: set[int] = set()
    grids = differences_by_metric(table)
    for metric, grid in grids:
        starts |= {len(rows) + start for start in {0, *grid.block_starts}}
        rows += [(metric.label if index == 0 else "", *row) for index, row in enumerate(grid.rows)]
    if not grids:
        return None
    columns = (Column("Metric"), *grids[0][1].columns)
    return Grid(columns, tuple(rows), frozenset(starts - {0}))


def _means_row(own: pd.DataFrame, metrics: list[MetricDisplay]) -> tuple[str, ...]:
    cells = {row.metric: row for row in _records(own)}
    first = next(iter(cells.values()))
    seeds = own["seeds"].max()
    return (
        first.label,
        *(_marked_mean(cells[metric.name], metric, seeds) for metric in metrics),
        *((f"{first.trials:.0f}",) if "trials" in own.columns else ()),
        f"{seeds:.0f}",
        format_count(first.trainable_parameters),
        format_count(first.total_parameters),
    )


def _records(own: pd.DataFrame) -> list[Any]:
    return list(own.itertuples())


def mean_cell(row: Any, metric: MetricDisplay) -> str:
    """Return mean ± half-width of a row with ``mean``, ``ci_low`` and ``ci_high``, unmarked."""
    half_width = (row.ci_high - row.ci_low) / 2 * metric.scale
    return format_mean(row.mean * metric.scale, half_width, metric.decimals)


def _marked_mean(row: Any, metric: MetricDisplay, seeds: float) -> str:
    text = mean_cell(row, metric)
    marks = "".join(mark for scope, mark in MARKS.items() if getattr(row, f"{scope}_significant"))
    fewer = f" ({row.seeds:.0f} seeds)" if row.seeds < seeds else ""
    return text + (f" {marks}" if marks else "") + fewer


def _difference_columns(alpha: float) -> tuple[Column, ...]:
    return (
        Column("Scope"),
        Column("Gain", "right"),
        Column(f"{100 * (1 - alpha):g} % interval", "right"),
        Column("p (adj.)", "right"),
        Column("MDE", "right"),
    )


def _tested(table: pd.DataFrame) -> pd.DataFrame:
    return table[table["method"] != table["reference"]]


def _difference_rows(own: pd.DataFrame) -> tuple[list[tuple[str, ...]], list[int]]:
    """Return one row a method and scope, and where each method after the first starts."""
    rows: list[tuple[str, ...]] = []
    starts = []
    for row in _records(own):
        if rows:
            starts.append(len(rows))
        for scope in SCOPES:
            label = row.label if scope == SCOPES[0] else ""
            rows.append((label, SCOPE_LABELS[scope], *_difference_cells(row, scope)))
    return rows, starts


def _difference_cells(row: Any, scope: str) -> tuple[str, ...]:
    form = getattr(row, f"{scope}_form")
    effect = {
        name: getattr(row, f"{scope}_{name}")
        for name in ("estimate", "ci_low", "ci_high", "p_adjusted", "mde", "significant")
    }
    unit = effect_unit(METRICS[row.metric], form)
    gain, interval = gain_and_interval(effect, unit)
    mark = f" {MARKS[scope]}" if effect["significant"] else ""
    mde = MISSING if effect["significant"] else mde_text(effect, unit)
    return gain, interval, format_p(effect["p_adjusted"], row.alpha) + mark, mde


def gain_and_interval(effect: dict[str, float], unit: EffectUnit) -> tuple[str, str]:
    """Return an effect and its interval as text, rounded by the interval's width.

    Args:
        effect: ``estimate``, ``ci_low`` and ``ci_high`` in the frames' units; NaN is missing.
        unit: What they are printed in.

    Returns:
        The effect with its unit, and the interval.
    """
    low, high = effect["ci_low"] * unit.scale, effect["ci_high"] * unit.scale
    decimals = decimals_of_interval(low, high, unit.decimals)
    gain = format_number(effect["estimate"] * unit.scale, decimals, signed=True)
    suffix = unit.suffix if gain[-1].isdigit() else ""
    return gain + suffix, format_interval(low, high, decimals)


def mde_text(effect: dict[str, float], unit: EffectUnit) -> str:
    """Return the minimum detectable effect with its unit, in the effect's own decimals."""
    if effect["mde"] != effect["mde"]:
        return MISSING
    low, high = effect["ci_low"] * unit.scale, effect["ci_high"] * unit.scale
    decimals = decimals_of_interval(low, high, unit.decimals)
    return format_number(effect["mde"] * unit.scale, decimals) + unit.suffix
