"""The one style of all figures, and how they are saved so that a rerun gives the same bytes."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import matplotlib as mpl
import matplotlib.colors
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from amb.files import atomic_path
from amb.reporting.metric_display import MetricDisplay

PAGE_WIDTH_IN = 7.16  # text width of a two-column page, in inches
DPI = 200
FEW_PANEL_COLUMNS, MANY_PANEL_COLUMNS = 3, 5  # of panels whose rows are methods
MANY_METHODS = 8  # more than these are many, for which panels are smaller
ROW_LINE_IN = 0.125  # height of one line of a row's label

# Okabe and Ito's colours, told apart with every common colour vision.
BLUE = "#0072B2"
VERMILION = "#D55E00"
GREEN = "#009E73"
GREY = "#6F6F6F"
BAND = "#DFDFDF"  # behind what is drawn: ranges of no interest
# Colour, marker and line of series in one panel: every series has a marker of its own, so that they
# are told apart in grey too.
LINES: tuple[Any, ...] = ("-", (0, (5, 1.5)), (0, (1.5, 1.2)), (0, (5, 1.5, 1.2, 1.5)))
SERIES: tuple[tuple[str, str, Any], ...] = (
    (BLUE, "o", LINES[0]),
    (VERMILION, "s", LINES[1]),
    (GREEN, "^", LINES[2]),
    ("#000000", "D", LINES[3]),
    ("#CC79A7", "v", LINES[0]),
    ("#56B4E9", "P", LINES[1]),
    ("#E69F00", "X", LINES[2]),
    (GREY, "<", LINES[3]),
    (BLUE, "*", LINES[2]),
    (VERMILION, ">", LINES[0]),
    (GREEN, "h", LINES[1]),
    ("#000000", "p", LINES[2]),
)

_STYLE: dict[Any, Any] = {
    "font.family": "DejaVu Sans",  # comes with Matplotlib: the same glyphs on every machine
    "font.size": 7,
    "axes.titlesize": 8,
    "axes.titleweight": "bold",
    "axes.labelsize": 7,
    "xtick.labelsize": 6.5,
    "ytick.labelsize": 7,
    "legend.fontsize": 7,
    "legend.frameon": False,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.6,
    "axes.edgecolor": "#444444",
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#E4E4E4",
    "grid.linewidth": 0.5,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "text.parse_math": False,  # a dollar sign in a label is one
    "pdf.fonttype": 42,  # TrueType, so that the text of a PDF stays text
    "figure.constrained_layout.use": True,
    "figure.constrained_layout.w_pad": 0.03,
    "figure.constrained_layout.h_pad": 0.05,
}

# Whatever would put a date or a version into the file.
_METADATA: dict[str, dict[str, Any]] = {
    ".png": {"Software": None},
    ".pdf": {"CreationDate": None, "ModDate": None, "Creator": None, "Producer": None},
}


def house_style() -> AbstractContextManager[None]:
    """Return the context in which figures are made and saved."""
    return mpl.rc_context(_STYLE)


def save_figure(figure: Figure, target: Path, dpi: int = DPI) -> None:
    """Save a figure atomically, as PNG or PDF by the suffix of ``target``, byte for byte alike.

    Args:
        figure: The figure.
        target: A path that ends in .png or .pdf.
        dpi: Pixels an inch, of what is drawn as pixels.
    """
    with atomic_path(target) as temporary, house_style():
        figure.savefig(temporary, dpi=dpi, metadata=_METADATA[target.suffix])


def method_panels(
    labels: Mapping[str, str], x_label: str, share_x: bool = True
) -> tuple[Figure, list[Axes]]:
    """Lay out one small panel a method, with its label as title; all share the y axis.

    Args:
        labels: The methods in table order, with their labels.
        x_label: Label of the x axis, under the lowest panel of each column.
        share_x: Whether all have one x axis; if not, each panel has the numbers of its own.

    Returns:
        The figure and its panels, one a method. To be called within the house style.
    """
    many = len(labels) > MANY_METHODS
    columns = min(6 if many else 4, len(labels))
    rows = math.ceil(len(labels) / columns)
    figure = Figure(figsize=(PAGE_WIDTH_IN, rows * (1.45 if many else 1.8) + 0.35))
    grid = figure.subplots(rows, columns, sharex=share_x, sharey=True, squeeze=False)
    panels: list[Axes] = list(grid.flat)[: len(labels)]
    for axes in list(grid.flat)[len(labels) :]:
        axes.set_visible(False)
    for axes, label in zip(panels, labels.values(), strict=True):
        axes.set_title(wrapped(label, 18 if many else 26), fontsize=6 if many else 7.5)
    for axes in panels[-columns:]:
        axes.tick_params(axis="x", labelbottom=True)
        axes.set_xlabel(x_label)
    return figure, panels


def note_seeds(panels: Sequence[Axes], counts: Sequence[int]) -> str:
    """Write each panel's number of seeds into it, unless all have the same.

    Args:
        panels: One panel a method.
        counts: Its seeds.

    Returns:
        What a legend says of the seeds: "5 seeds a method", or the span of their numbers.
    """
    if min(counts) < max(counts):
        for axes, count in zip(panels, counts, strict=True):
            axes.text(0.97, 0.03, seeds_text(count), transform=axes.transAxes, ha="right",
                      fontsize=5.5, color=GREY, gid="seeds")  # fmt: skip
    return seeds_span(counts)


def seed_counts(runs: pd.DataFrame, methods: Iterable[str]) -> list[int]:
    """Return how many seeds each method has in a frame with the columns method and seed."""
    counts = runs.groupby("method")["seed"].nunique()
    return [int(counts[method]) for method in methods]


def seeds_span(counts: Sequence[int]) -> str:
    """Return "5 seeds a method", or "4 to 6 seeds a method" where their numbers differ."""
    least, most = min(counts), max(counts)
    span = f"{least} to {most} seeds" if least < most else seeds_text(most)
    return f"{span} a method"


def seeds_text(count: int) -> str:
    """Return "1 seed", "5 seeds"."""
    return f"{count} seed{'s' if count != 1 else ''}"


def series(index: int) -> tuple[str, str, Any]:
    """Return colour, marker and line of a series: no two of the first 48 share marker and line.

    Args:
        index: Place of the series in the legend, from 0.

    Returns:
        What matplotlib takes as ``color``, ``marker`` and ``linestyle``.
    """
    color, marker, line = SERIES[index % len(SERIES)]
    return color, marker, LINES[(LINES.index(line) + index // len(SERIES)) % len(LINES)]


def metric_panels(
    metrics: Collection[str], names: Mapping[str, str]
) -> tuple[Figure, list[Axes], list[Axes]]:
    """Lay out one panel a metric whose rows are the methods, the first at the top.

    Few methods have three panels a row; many have all panels side by side, so that a row is read
    across all metrics and the figure stays on one page.

    Args:
        metrics: The metrics in panel order.
        names: The methods in table order, with what is written beside their rows.

    Returns:
        The figure, its panels, one a metric, and the panels that start a line. To be called within
        the house style.
    """
    most = MANY_PANEL_COLUMNS if len(names) > MANY_METHODS else FEW_PANEL_COLUMNS
    columns = min(most, len(metrics))
    rows = math.ceil(len(metrics) / columns)
    lines = sum(1.0 + max(1, name.count("\n") + 1) for name in names.values())
    figure = Figure(figsize=(PAGE_WIDTH_IN, rows * (lines * ROW_LINE_IN + 0.62) + 0.6))
    grid = figure.subplots(rows, columns, sharey=True, squeeze=False)
    for axes in list(grid.flat)[len(metrics) :]:
        axes.set_visible(False)
    panels: list[Axes] = list(grid.flat)[: len(metrics)]
    for axes in panels:
        axes.set_yticks(range(len(names)), list(names.values()))
        axes.tick_params(axis="y", length=0)
        axes.grid(visible=False, axis="y")
        axes.locator_params(axis="x", nbins=5 if columns <= FEW_PANEL_COLUMNS else 3)
    panels[0].set_ylim(len(names) - 0.4, -0.6)
    return figure, panels, [line[0] for line in grid]


def panel_heading(metric: MetricDisplay) -> str:
    """Return a panel's title: the metric with its unit."""
    return metric.label + (", %" if metric.percent else "")


def luminance(color: str) -> float:
    """Return how light a colour is in grey print.

    Args:
        color: Any colour that matplotlib knows.

    Returns:
        Relative luminance between 0 (black) and 1 (white), ITU-R BT.709 weights on linear light.
    """
    light = [
        value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4
        for value in mpl.colors.to_rgb(color)
    ]
    return sum(
        weight * value for weight, value in zip((0.2126, 0.7152, 0.0722), light, strict=True)
    )


def wrapped(label: str, width: int = 26) -> str:
    """Return a label broken at spaces into as few lines as ``width`` allows, evenly filled.

    Args:
        label: The label.
        width: Most characters in a line; a longer word stays whole.

    Returns:
        The label with line breaks.
    """
    lines = _wrap(label, width)
    for narrower in range(width - 1, 0, -1):
        tighter = _wrap(label, narrower)
        if len(tighter) > len(lines):
            break
        lines = tighter
    return "\n".join(lines)


def _wrap(label: str, width: int) -> list[str]:
    return textwrap.wrap(label, width, break_long_words=False, break_on_hyphens=False)
