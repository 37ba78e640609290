"""Training curves as a figure: validation MAE by epoch, every seed and their median."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from amb.reporting.figure_style import (
    BLUE,
    VERMILION,
    house_style,
    method_panels,
    wrapped,
)


def training_curves_figure(curves: pd.DataFrame, labels: Mapping[str, str]) -> Figure:
    """Draw the validation MAE of every run by epoch, one panel a method.

    The median is drawn as long as at least half of a method's seeds still train: beyond that it
    would show only the seeds that early stopping spared. A dot marks each run's best epoch.

    Args:
        curves: One row an epoch of a run: method, seed, epoch, valid_mae.
        labels: The methods in table order, with their labels.

    Returns:
        The figure.
    """
    with house_style():
        figure, panels = method_panels(labels, "Epoch")
        for axes, (method, label) in zip(panels, labels.items(), strict=True):
            _draw_runs(axes, curves[curves["method"] == method])
            axes.set_title(wrapped(label), fontsize=7.5)
        figure.supylabel("Validation MAE (lower is better)", fontsize=7)
        _add_legend(figure)
    return figure


def median_curve(own: pd.DataFrame) -> pd.Series:
    """Return the median over seeds by epoch, for epochs that at least half of them reached.

    Args:
        own: One method's curves: seed, epoch, valid_mae.

    Returns:
        Medians, indexed by epoch.
    """
    by_epoch = own.groupby("epoch")["valid_mae"]
    reached = by_epoch.size() * 2 >= own["seed"].nunique()
    return by_epoch.median()[reached]


def _draw_runs(axes: Axes, own: pd.DataFrame) -> None:
    for _, run in own.groupby("seed"):
        axes.plot(run["epoch"], run["valid_mae"], color=BLUE, linewidth=0.6, alpha=0.45)
    best = own.sort_values(["seed", "valid_mae", "epoch"]).groupby("seed").head(1)
    axes.scatter(
        best["epoch"], best["valid_mae"], s=8, facecolors="white", edgecolors=BLUE,
        linewidths=0.7, zorder=3, gid="best epochs",
    )  # fmt: skip
    median = median_curve(own)
    axes.plot(median.index, median.to_numpy(), color=VERMILION, linewidth=1.8, zorder=4)
    axes.locator_params(axis="x", integer=True, nbins=5)
    seeds = own["seed"].nunique()
    text = f"{seeds} seed{'s' if seeds != 1 else ''}"
    axes.text(0.97, 0.95, text, transform=axes.transAxes, ha="right", va="top")


def _add_legend(figure: Figure) -> None:
    handles = [
        Line2D([], [], color=BLUE, linewidth=0.6, label="one seed"),
        Line2D([], [], marker="o", linestyle="none", markerfacecolor="white",
               markeredgecolor=BLUE, markersize=3.5, label="its best epoch"),
        Line2D([], [], color=VERMILION, linewidth=1.8,
               label="median, while at least half of the seeds train"),
    ]  # fmt: skip
    figure.legend(handles=handles, loc="outside lower center", ncols=3, handletextpad=0.5)
