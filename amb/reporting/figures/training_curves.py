"""Training curves as a figure: validation MAE by epoch, every seed and their median."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from amb.reporting.figures.style import (
    BLUE,
    VERMILION,
    house_style,
    method_panels,
    note_seeds,
    seed_counts,
)

NEAR = 0.25  # beyond the highest median, of the height below it: what is still shown


def training_curves_figure(curves: pd.DataFrame, labels: Mapping[str, str]) -> Figure:
    """Draw the validation MAE of every run by epoch, one panel a method.

    The median is drawn as long as at least half of a method's seeds still train: beyond that it
    would show only the seeds that early stopping spared. A dot marks each run's best epoch. The
    panels share the validation axis, which ends above the highest median: of an epoch far beyond, a
    triangle on the upper edge is left. Each has epochs of its own, which recipes set.

    Args:
        curves: One row an epoch of a run: method, seed, epoch, valid_mae.
        labels: The methods in table order, with their labels.

    Returns:
        The figure.
    """
    with house_style():
        figure, panels = method_panels(labels, "Epoch", share_x=False)
        own = curves[curves["method"].isin(list(labels))]
        low, high = _visible_range(own)
        for axes, method in zip(panels, labels, strict=True):
            _draw_runs(axes, own[own["method"] == method], high)
        panels[0].set_ylim(low, high)
        figure.supylabel("Validation MAE (lower is better)", fontsize=7)
        note = note_seeds(panels, seed_counts(own, labels))
        _add_legend(figure, note, bool((own["valid_mae"] > high).any()))
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


def _visible_range(curves: pd.DataFrame) -> tuple[float, float]:
    """Return the validation axis: from the best epoch of all to the highest median."""
    lowest = float(curves["valid_mae"].min())
    medians = [median_curve(own).max() for _, own in curves.groupby("method")]
    best = curves.groupby(["method", "seed"])["valid_mae"].min().max()  # every dot is to be seen
    highest = float(max(*medians, best))
    near = curves["valid_mae"][curves["valid_mae"] <= highest + NEAR * (highest - lowest)]
    margin = 0.06 * (near.max() - lowest) or 0.05
    return lowest - margin, float(near.max()) + margin


def _draw_runs(axes: Axes, own: pd.DataFrame, top: float) -> None:
    for _, run in own.groupby("seed"):
        axes.plot(run["epoch"], run["valid_mae"], color=BLUE, linewidth=0.6, alpha=0.45)
    best = own.sort_values(["seed", "valid_mae", "epoch"]).groupby("seed").head(1)
    axes.scatter(
        best["epoch"], best["valid_mae"], s=8, facecolors="white", edgecolors=BLUE,
        linewidths=0.7, zorder=3, gid="best epochs",
    )  # fmt: skip
    beyond = own[own["valid_mae"] > top]
    axes.scatter(
        beyond["epoch"], np.full(len(beyond), top), s=10, marker="^", color="black", zorder=5,
        clip_on=False, gid="beyond",
    )  # fmt: skip
    median = median_curve(own)
    axes.plot(median.index, median.to_numpy(), color=VERMILION, linewidth=1.8, zorder=4)
    axes.locator_params(axis="x", integer=True, nbins=4)


def _add_legend(figure: Figure, title: str, cut: bool) -> None:
    handles = [
        Line2D([], [], color=BLUE, linewidth=0.6, label="one seed"),
        Line2D([], [], marker="o", linestyle="none", markerfacecolor="white",
               markeredgecolor=BLUE, markersize=3.5, label="its best epoch"),
        Line2D([], [], color=VERMILION, linewidth=1.8,
               label="median, while at least half of the seeds train"),
    ]  # fmt: skip
    if cut:
        label = "epoch beyond the axis"
        handles.append(Line2D([], [], marker="^", linestyle="none", color="black", markersize=3.5,
                              label=label))  # fmt: skip
    figure.legend(
        handles=handles, title=title, title_fontsize=7, loc="outside lower center", ncols=4,
        handletextpad=0.5,
    )  # fmt: skip
