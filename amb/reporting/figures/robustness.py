"""Robustness as a figure: the metric against the level, one panel a corruption, one line a row."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from amb.reporting.corruption_names import LEVELS, title_of
from amb.reporting.figures.style import PAGE_WIDTH_IN, house_style, series, wrapped
from amb.reporting.metric_display import METRICS
from amb.study import NOISE_KINDS

COLUMNS = 3
PANEL_IN = 1.75  # height of a panel
SPREAD = 0.012  # of a panel's width, between the intervals of two rows …
WIDEST = 0.05  # … and between those of the first and the last


def robustness_figure(table: pd.DataFrame, alpha: float = 0.05) -> Figure:
    """Draw the first metric of the table under every corruption.

    Args:
        table: The robustness table in the study's order, with labels.
        alpha: One minus the level of its intervals.

    Returns:
        The figure; rows differ by colour, marker and line, so that it reads in grey too. Standard
        deviations stand on a square-root scale, where small ones have room.
    """
    metric = METRICS[table["metric"].iloc[0]]
    own = table[(table["metric"] == metric.name) & (table["quantity"] == "condition")]
    curves = list(own.groupby(["kind", "target"], sort=False))
    columns = min(COLUMNS, len(curves))
    rows = math.ceil(len(curves) / columns)
    labels = dict(own[["method", "label"]].itertuples(index=False, name=None))
    legend_rows = math.ceil(len(labels) / COLUMNS)
    with house_style():
        figure = Figure(figsize=(PAGE_WIDTH_IN, rows * PANEL_IN + 0.35 + 0.16 * legend_rows))
        grid = figure.subplots(rows, columns, sharey=True, squeeze=False)
        for index, axes in enumerate(grid.flat):
            if index >= len(curves):
                axes.set_visible(False)
                continue
            (kind, target), points = curves[index]
            root = kind in NOISE_KINDS
            _draw_curves(axes, points, list(labels), metric.scale, root)
            axes.set_title(wrapped(title_of(str(kind), str(target)), 32), fontsize=7.5)
            axes.set_xlabel(LEVELS[str(kind)] + (" (root scale)" if root else ""))
        unit = ", %" if metric.percent else ""
        figure.supylabel(f"Test {metric.label}{unit} ({metric.direction})", fontsize=7)
        _add_legend(figure, labels, alpha, own)
    return figure


def _draw_curves(
    axes: Axes, points: pd.DataFrame, methods: list[str], scale: float, root: bool
) -> None:
    levels = np.array(sorted(set(points["level"])))
    places = np.sqrt(levels) if root else levels
    step = min(SPREAD, WIDEST / len(methods)) * (places[-1] or 1.0)
    for place, method in enumerate(methods):
        own = points[points["method"] == method].sort_values("level")
        if own.empty:  # a corruption that is not applicable to this row
            continue
        shift = (place - (len(methods) - 1) / 2) * step
        x = places[np.searchsorted(levels, own["level"])] + shift
        mean, low, high = (
            own[name].to_numpy(float) * scale for name in ("noisy", "noisy_ci_low", "noisy_ci_high")
        )
        colour, marker, line = series(place)
        defined = np.isfinite(low) & np.isfinite(high)
        axes.vlines(x[defined], low[defined], high[defined], colour, linewidth=0.9, zorder=2)
        axes.plot(
            x, mean, color=colour, marker=marker, linestyle=line, linewidth=1.1,
            markersize=3.6, markerfacecolor="white", markeredgewidth=0.9, gid=method, zorder=3,
        )  # fmt: skip
    axes.set_xticks(places, [f"{level:g}" for level in levels])
    axes.tick_params(axis="y", labelleft=True)
    axes.locator_params(axis="y", nbins=6)
    axes.margins(x=0.06)


def _add_legend(figure: Figure, labels: dict[str, str], alpha: float, points: pd.DataFrame) -> None:
    handles = []
    for place, label in enumerate(labels.values()):
        colour, marker, line = series(place)
        handles.append(
            Line2D([], [], color=colour, marker=marker, linestyle=line, linewidth=1.1,
                   markersize=3.6, markerfacecolor="white", markeredgewidth=0.9, label=label)
        )  # fmt: skip
    title = (
        f"Mean over seeds and {100 * (1 - alpha):g} % t interval over seeds; "
        f"{points['n_items'].max():.0f} test utterances of {points['n_videos'].max():.0f} videos"
    )
    figure.legend(
        handles=handles, title=title, title_fontsize=7, loc="outside lower center",
        ncols=min(COLUMNS, len(labels)), handlelength=3.2,
    )  # fmt: skip
