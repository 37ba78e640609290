"""Rejection rates of all cells, with the band: a row a test and null, a column a set of components.

A test of which nothing is promised is drawn at the null of its own scope alone. Marks tell metrics
apart by shape and forms by filling, so that the figure reads in grey.
"""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from amb.evaluation.metrics import METRICS
from amb.reporting.figures.style import BLUE, PAGE_WIDTH_IN, VERMILION, house_style
from amb.statistics.calibration.procedures import PROCEDURES
from amb.statistics.calibration.summary import BAND

MARKS = ("o", "s", "^", "D")
WIDTH = 0.8  # of the marks at one number of seeds
GAP = 0.7  # between test sets
ROW_IN, LEGEND_IN = 1.35, 0.85
BAND_COLOR = "#D9D9D9"
_SCOPES = {"population": "population null", "fixed_set": "fixed-set null"}


def calibration_figure(table: pd.DataFrame) -> Figure:
    """Draw the rejection rate of every cell with its Monte-Carlo standard error.

    Args:
        table: Frame of ``calibration_table``.

    Returns:
        The figure.
    """
    rows = [
        (procedure.name, procedure.label.replace(", ", ",\n"), null, own)
        for own in (True, False)
        for procedure in PROCEDURES
        for null in _SCOPES
        if (procedure.scope == null) == own and (own or procedure.promise)
    ]
    components = table["components"].drop_duplicates().tolist()
    with house_style():
        figure = Figure(figsize=(PAGE_WIDTH_IN, ROW_IN * len(rows) + LEGEND_IN))
        grid = figure.subplots(len(rows), len(components), sharex=True, sharey="row", squeeze=False)
        places = _places(table)
        for line, (test, label, null, own) in zip(grid, rows, strict=True):
            cells = table[(table["test"] == test) & (table["null"] == null)]
            for axes, name in zip(line, components, strict=True):
                _draw_panel(axes, cells[cells["components"] == name], places, own)
            line[0].set_ylabel(f"{label}\n{_SCOPES[null]}" + ("" if own else "\nnot its question"))
            top = max(0.1, 1.12 * (cells["rejection_rate"] + cells["standard_error"]).max())
            line[0].set_ylim(-0.03 * top, top)
        for axes, name in zip(grid[0], components, strict=True):
            axes.set_title(str(name).capitalize())
        for axes in grid[-1]:
            _name_test_sets(axes, places)
        _add_legend(figure, table)
    return figure


def _places(table: pd.DataFrame) -> dict[tuple[int, int], float]:
    """Return where every (utterances, seeds) stands on the horizontal axis."""
    places: dict[tuple[int, int], float] = {}
    at = 0.0
    for items in sorted(table["items"].unique()):
        for seeds in sorted(table["seeds"].unique()):
            places[(int(items), int(seeds))] = at
            at += 1.0
        at += GAP
    return places


def _draw_panel(
    axes: Axes, cells: pd.DataFrame, places: dict[tuple[int, int], float], own: bool
) -> None:
    axes.axhspan(*BAND, color=BAND_COLOR, linewidth=0, zorder=0)
    axes.axhline(0.05, color="black", linewidth=0.6, zorder=1)
    color = BLUE if own else VERMILION
    kinds = [(metric, form) for metric in _metrics(cells) for form in ("difference", "relative")]
    for index, (metric, form) in enumerate(kinds):
        shift = WIDTH * ((index + 0.5) / len(kinds) - 0.5)
        part = cells[(cells["metric"] == metric) & (cells["form"] == form)]
        axes.errorbar(
            [places[key] + shift for key in zip(part["items"], part["seeds"], strict=True)],
            part["rejection_rate"],
            part["standard_error"],
            fmt=MARKS[index // 2],
            color=color,
            markerfacecolor=color if form == "difference" else "white",
            markersize=2.1,
            markeredgewidth=0.5,
            elinewidth=0.5,
        )
    axes.set_xticks(list(places.values()), [str(seeds) for _, seeds in places])
    axes.tick_params(axis="x", length=0, labelsize=5)
    axes.grid(visible=False, axis="x")
    axes.set_xlim(-0.8, max(places.values()) + 0.8)


def _name_test_sets(axes: Axes, places: dict[tuple[int, int], float]) -> None:
    """Write the number of utterances below the numbers of seeds."""
    for items in sorted({items for items, _ in places}):
        own = [place for (other, _), place in places.items() if other == items]
        middle = (own[0] + own[-1]) / 2
        axes.annotate(
            f"N = {items}",
            (middle, 0),
            xytext=(0, -13),
            xycoords=("data", "axes fraction"),
            textcoords="offset points",
            ha="center",
            va="top",
            fontsize=6.5,
        )
    axes.set_xlabel("seeds a method", labelpad=13)


def _metrics(cells: pd.DataFrame) -> list[str]:
    return [str(name) for name in cells["metric"].drop_duplicates()]


def _add_legend(figure: Figure, table: pd.DataFrame) -> None:
    metrics = _metrics(table)
    handles: list[Line2D | Patch] = [
        Line2D([], [], marker=mark, color="black", linestyle="none", markersize=3.2)
        for mark in MARKS[: len(metrics)]
    ]
    handles += [
        Line2D([], [], marker="o", color="black", linestyle="none", markersize=3.2, mfc=fill)
        for fill in ("black", "white")
    ]
    handles.append(Patch(facecolor=BAND_COLOR))
    names = [METRICS[metric].label for metric in metrics]
    low, high = BAND
    names += ["difference", "relative", f"{low:.3f} to {high:.3f}"]
    replicates = table["replicates"].max()
    figure.legend(
        handles,
        names,
        title=f"Rejection rate of a true null at nominal .05, ± Monte-Carlo standard error; "
        f"up to {replicates} replicates a cell",
        title_fontsize=7,
        loc="outside lower center",
        ncols=len(names),
        handletextpad=0.3,
        columnspacing=1.2,
    )
