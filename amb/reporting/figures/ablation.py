"""The ablation grid: score by where the modalities meet, one line for what BERT does.

Lines that run alike say that the place of fusion matters as much whatever BERT does; lines that
cross or part are an interaction.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from amb.family import PLACES
from amb.reporting.figures.style import PAGE_WIDTH_IN, house_style, panel_heading, series
from amb.reporting.metric_display import METRICS, MetricDisplay
from amb.reporting.rounding import format_count

COLUMNS = 3
PANEL_IN = 1.95
STEP = 0.13  # between the lines, of the distance of two places
NAMES = {"frozen": "frozen", "adapter": "frozen with adapters", "finetuned": "fine-tuned"}


def ablation_figure(
    scores: pd.DataFrame,
    summary: pd.DataFrame,
    cells: Mapping[tuple[str, str], str],
    trainable: Mapping[str, int],
    metrics: Sequence[str],
    alpha: float = 0.05,
) -> Figure:
    """Draw the grid, one panel a metric.

    Args:
        scores: One row a method, seed, split and metric, with its value; the test split is drawn.
        summary: Means and intervals over seeds, one row a method and metric.
        cells: The row that stands for each cell: what BERT does, and where modalities meet.
        trainable: Trainable parameters of every row.
        metrics: The metrics in panel order.
        alpha: One minus the level of the intervals.

    Returns:
        The figure; a cell without a row is left out, and no line leads over it.
    """
    columns = min(COLUMNS, len(metrics))
    rows = math.ceil(len(metrics) / columns)
    with house_style():
        figure = Figure(figsize=(PAGE_WIDTH_IN, rows * PANEL_IN + 0.5))
        grid = figure.subplots(rows, columns, squeeze=False)
        for axes in list(grid.flat)[len(metrics) :]:
            axes.set_visible(False)
        for axes, name in zip(grid.flat, metrics, strict=False):
            values = scores[(scores["split"] == "test") & (scores["metric"] == name)]
            means = summary[summary["metric"] == name].set_index("method")
            _draw_panel(axes, values, means, cells, METRICS[name])
        _add_legend(figure, cells, trainable, alpha)
    return figure


def _draw_panel(
    axes: Axes,
    values: pd.DataFrame,
    means: pd.DataFrame,
    cells: Mapping[tuple[str, str], str],
    metric: MetricDisplay,
) -> None:
    for index, tuning in enumerate(NAMES):
        color, marker, line = series(index)
        own = [cells.get((tuning, place)) for place in PLACES]
        if not any(own):
            continue
        places = np.arange(len(PLACES)) + (index - 1) * STEP
        numbers = np.array(
            [[means.loc[row, key] if row else np.nan for key in ("mean", "ci_low", "ci_high")]
             for row in own], dtype=float,
        ) * metric.scale  # fmt: skip
        for place, row in zip(places, own, strict=True):
            seeds = values[values["method"] == row]["value"].to_numpy(float) * metric.scale
            axes.scatter(
                np.full(len(seeds), place - 0.045), seeds, s=5, facecolors="none",
                edgecolors=color, linewidths=0.5, alpha=0.7, zorder=2, gid="seeds",
            )  # fmt: skip
        defined = np.isfinite(numbers[:, 1]) & np.isfinite(numbers[:, 2])
        low, high = numbers[defined, 1], numbers[defined, 2]
        axes.vlines(places[defined], low, high, color, linewidth=1.3, zorder=3)
        axes.plot(
            places, numbers[:, 0], color=color, marker=marker, linestyle=line, linewidth=1.1,
            markersize=4, markerfacecolor="white", markeredgewidth=1.0, zorder=4, gid=tuning,
        )  # fmt: skip
    axes.set_title(panel_heading(metric))
    axes.set_ylabel(f"{metric.direction} →" if metric.higher_is_better else f"← {metric.direction}")
    axes.set_xticks(range(len(PLACES)), list(PLACES.values()))
    axes.tick_params(axis="x", length=0)
    axes.grid(visible=False, axis="x")
    axes.set_xlim(-0.4, len(PLACES) - 0.6)
    axes.locator_params(axis="y", nbins=5)


def _add_legend(
    figure: Figure, cells: Mapping[tuple[str, str], str], trainable: Mapping[str, int], alpha: float
) -> None:
    handles = []
    for index, tuning in enumerate(NAMES):
        counts = [trainable[row] for cell, row in cells.items() if cell[0] == tuning]
        if counts:
            color, marker, line = series(index)
            label = f"{NAMES[tuning]} ({_range_text(counts)})"
            handles.append(
                Line2D([], [], color=color, marker=marker, linestyle=line, linewidth=1.1,
                       markersize=4, markerfacecolor="white", label=label)
            )  # fmt: skip
    title = (
        f"Mean over seeds with its {100 * (1 - alpha):g} % t interval; small circles: seeds. "
        "BERT is (trainable parameters):"
    )
    figure.legend(
        handles=handles, title=title, title_fontsize=7, loc="outside lower center",
        ncols=len(handles), handlelength=3.0, columnspacing=1.2, handletextpad=0.5,
    )  # fmt: skip


def _range_text(counts: Sequence[int]) -> str:
    few, many = format_count(min(counts)), format_count(max(counts))
    return few if few == many else f"{few} to {many}"
