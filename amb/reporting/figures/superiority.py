"""P(A > B): how often a run of one row is better than a run of another, for all pairs of rows.

Cells hold the number, so that the figure reads in grey; shade repeats it. A number is bold where
its interval over seeds leaves out one half: which of two runs is better is then no toss-up.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import permutations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, to_hex
from matplotlib.figure import Figure

from amb.reporting.figures.style import BLUE, PAGE_WIDTH_IN, house_style, luminance, wrapped
from amb.reporting.metric_display import METRICS
from amb.statistics.superiority import probability_of_superiority

CELL_IN = 0.26
FEW = 8  # methods whose cells have room for the interval
DARK = 0.2  # relative luminance below which a cell's number is white
SHADES = LinearSegmentedColormap.from_list("shades", ["#FFFFFF", "#A9D0E8", BLUE])
COLUMNS = ["method_a", "method_b", "probability", "ci_low", "ci_high"]


def superiority_table(
    scores: pd.DataFrame, methods: Sequence[str], metric: str, alpha: float = 0.05
) -> pd.DataFrame:
    """Compare the test scores of every pair of methods.

    Args:
        scores: One row a method, seed, split and metric.
        methods: The methods.
        metric: The metric.
        alpha: One minus the level of the intervals.

    Returns:
        One row an ordered pair: method_a, method_b, probability that a run of ``method_a`` is
        better, ci_low, ci_high (NaN where a method has one seed).
    """
    own = scores[(scores["split"] == "test") & (scores["metric"] == metric)]
    values = {method: own[own["method"] == method]["value"].to_numpy(float) for method in methods}
    higher = METRICS[metric].higher_is_better
    rows = []
    for a, b in permutations([m for m in methods if values[m].size], 2):
        found = probability_of_superiority(
            values[a], values[b], higher_is_better=higher, alpha=alpha
        )
        rows.append((a, b, found.probability, found.ci_low, found.ci_high))
    return pd.DataFrame(rows, columns=COLUMNS)


def superiority_figure(
    table: pd.DataFrame, labels: Mapping[str, str], metric: str, alpha: float = 0.05
) -> Figure:
    """Draw the matrix, rows and columns from the best to the worst.

    Args:
        table: Frame of ``superiority_table``.
        labels: The methods in table order, with their labels.
        metric: The metric that the runs are compared in.
        alpha: One minus the level of the intervals.

    Returns:
        The figure.
    """
    wins = table.groupby("method_a")["probability"].mean()
    place = {method: index for index, method in enumerate(labels)}
    order = sorted(labels, key=lambda m: (-wins.get(m, -1.0), place[m]))
    few = len(order) <= FEW
    height = len(order) * (1.5 * CELL_IN if few else CELL_IN)
    with house_style():
        figure = Figure(figsize=(PAGE_WIDTH_IN, height + 0.7))
        axes = figure.subplots()
        cells = table.set_index(["method_a", "method_b"])
        _draw_cells(axes, cells, order, few)
        names = [f"{wrapped(labels[method]) if few else labels[method]}  {number}"
                 for number, method in enumerate(order, 1)]  # fmt: skip
        axes.set_yticks(range(len(order)), names)
        axes.set_xticks(range(len(order)), [str(n) for n in range(1, len(order) + 1)])
        axes.set_title(f"P(a run of the row is better than one of the column), test "
                       f"{METRICS[metric].label}", fontsize=7.5)  # fmt: skip
        level = f"{100 * (1 - alpha):g} %"
        interval = f"{level} interval over seeds"
        note = f"in brackets: {interval}; bold: it" if few else f"bold: {interval}"
        axes.set_xlabel(f"{note} leaves out 0.50", labelpad=5)
    return figure


def _draw_cells(axes: Axes, cells: pd.DataFrame, order: Sequence[str], with_interval: bool) -> None:
    values = np.full((len(order), len(order)), np.nan)
    places = [(order.index(a), order.index(b)) for a, b in cells.index.tolist()]
    for place, probability in zip(places, cells["probability"], strict=True):
        values[place] = probability
    edges = np.arange(len(order) + 1) - 0.5
    axes.pcolormesh(edges, edges, values, cmap=SHADES, vmin=0, vmax=1, edgecolors="white",
                    linewidth=0.8)  # fmt: skip
    axes.invert_yaxis()
    axes.grid(visible=False)
    axes.tick_params(length=0, labeltop=True, labelbottom=False)
    axes.spines[:].set_visible(False)
    for (row, column), (_, cell) in zip(places, cells.iterrows(), strict=True):
        if np.isfinite(cell["probability"]):
            _write_cell(axes, column, row, cell, with_interval)


def _write_cell(axes: Axes, x: int, y: int, cell: pd.Series, with_interval: bool) -> None:
    shade = to_hex(SHADES(float(cell["probability"])))
    clear = cell["ci_low"] > 0.5 or cell["ci_high"] < 0.5
    text = _short(cell["probability"])
    if with_interval and np.isfinite(cell["ci_low"]):
        text += f"\n[{_short(cell['ci_low'])}, {_short(cell['ci_high'])}]"
    axes.text(
        x, y, text, ha="center", va="center", fontsize=6, linespacing=1.1,
        fontweight="bold" if clear else "normal",
        color="white" if luminance(shade) < DARK else "black",
    )  # fmt: skip


def _short(probability: float) -> str:
    """Return a probability with two decimals, without its leading 0."""
    text = f"{probability:.2f}"
    return text.removeprefix("0") if text.startswith("0.") else text
