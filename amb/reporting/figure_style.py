"""The one style of all figures, and how they are saved so that a rerun gives the same bytes."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Collection
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from amb.files import atomic_path

PAGE_WIDTH_IN = 7.16  # text width of a two-column page, in inches
DPI = 200
PANEL_COLUMNS = 4
PANEL_HEIGHT_IN = 1.8

# Okabe and Ito's colours, told apart with every common colour vision.
BLUE = "#0072B2"
VERMILION = "#D55E00"
GREY = "#6F6F6F"
# Colour, marker and line of series in one panel: every series has a marker of its own, so that they
# are told apart in grey too.
SERIES: tuple[tuple[str, str, Any], ...] = (
    (BLUE, "o", "-"),
    (VERMILION, "s", (0, (5, 1.5))),
    ("#009E73", "^", (0, (1.5, 1.2))),
    ("#000000", "D", (0, (5, 1.5, 1.2, 1.5))),
    ("#CC79A7", "v", "-"),
    ("#56B4E9", "P", (0, (5, 1.5))),
    ("#E69F00", "X", (0, (1.5, 1.2))),
    (GREY, "<", (0, (5, 1.5, 1.2, 1.5))),
    (BLUE, "*", (0, (1.5, 1.2))),
    (VERMILION, ">", "-"),
    ("#009E73", "h", (0, (5, 1.5))),
    ("#000000", "p", (0, (1.5, 1.2))),
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


def save_figure(figure: Figure, target: Path) -> None:
    """Save a figure atomically, as PNG or PDF by the suffix of ``target``, byte for byte alike.

    Args:
        figure: The figure.
        target: A path that ends in .png or .pdf.
    """
    with atomic_path(target) as temporary, house_style():
        figure.savefig(temporary, dpi=DPI, metadata=_METADATA[target.suffix])


def method_panels(methods: Collection[str], x_label: str) -> tuple[Figure, list[Axes]]:
    """Lay out one small panel a method, all on the same axes.

    Args:
        methods: The methods in table order.
        x_label: Label of the x axis, under the lowest panel of each column.

    Returns:
        The figure and its panels, one a method. To be called within the house style.
    """
    columns = min(PANEL_COLUMNS, len(methods))
    rows = math.ceil(len(methods) / columns)
    figure = Figure(figsize=(PAGE_WIDTH_IN, rows * PANEL_HEIGHT_IN + 0.35))
    grid = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
    for index, axes in enumerate(grid.flat):
        if index >= len(methods):
            axes.set_visible(False)
        elif index + columns >= len(methods):
            axes.tick_params(axis="x", labelbottom=True)
            axes.set_xlabel(x_label)
    return figure, list(grid.flat)[: len(methods)]


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
