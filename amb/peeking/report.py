"""The inflation of one method as a page that says, in words, that it holds no results."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from amb.peeking.inflation import Inflation
from amb.reporting.markup.grid import Column, Grid
from amb.reporting.markup.markdown import escape, render_table
from amb.reporting.metric_display import METRICS, effect_unit
from amb.reporting.rounding import format_number
from amb.reporting.tables.comparison_grids import gain_and_interval

WARNING = (
    "**The peeked numbers are not results.** Their epochs were chosen with the test labels in view,"
    " which is what this page measures: how much that flatters. No table, figure or claim of the"
    " study reads them. The honest numbers stand beside them for comparison; report those of the"
    " comparison table."
)


def inflation_page(label: str, seeds: int, alpha: float, found: Sequence[Inflation]) -> str:
    """Return the page, as Markdown.

    Args:
        label: The method in print.
        seeds: Number of runs.
        alpha: Intervals are at 1 − α.
        found: The inflation of each metric.

    Returns:
        The page.
    """
    columns = (
        Column("Metric"),
        Column("Honest (validation chose the epoch)", "right"),
        Column("Peeked (best test epoch)", "right"),
        Column("Inflation", "right"),
        Column(f"{100 * (1 - alpha):g} % interval", "right"),
    )
    grid = Grid(columns, tuple(_row(one) for one in found))
    notes = [f"{METRICS[one.metric].label}: {one.gain.note}." for one in found if one.gain.note]
    caption = (
        f"Means over {seeds} seeds. Inflation is the peeked metric against the honest one of the"
        " same run, positive where peeking flatters; it cannot be negative, so the interval (t over"
        " seeds) says how large it is. The peeked epoch is each metric's own."
    )
    parts = [f"# What peeking adds: {escape(label)}\n", WARNING + "\n", render_table(grid)]
    parts.append(" ".join([escape(caption), *(escape(note) for note in notes)]) + "\n")
    return "\n".join(parts)


def describe_inflation(method: str, seeds: Sequence[int], found: Sequence[Inflation]) -> Any:
    """Return the inflation as JSON-able values, None where a number is undefined."""
    return {
        "schema": 1,
        "not_results": WARNING.replace("*", ""),
        "method": method,
        "seeds": list(seeds),
        "metrics": {
            one.metric: {
                "honest": _number(one.honest),
                "peeked": _number(one.peeked),
                **{k: _number(getattr(one.gain, k)) for k in ("estimate", "ci_low", "ci_high")},
                "note": one.gain.note,
            }
            for one in found
        },
    }


def _row(one: Inflation) -> tuple[str, ...]:
    metric = METRICS[one.metric]
    effect = {name: getattr(one.gain, name) for name in ("estimate", "ci_low", "ci_high")}
    gain, interval = gain_and_interval(effect, effect_unit(metric, "difference"))
    decimals = metric.decimals
    means = (format_number(x * metric.scale, decimals) for x in (one.honest, one.peeked))
    return (metric.heading, *means, gain, interval)


def _number(value: float) -> float | None:
    return float(value) if value == value else None
