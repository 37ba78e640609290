"""Predictions against labels on the test split, one small panel a method.

Each point is an utterance: its label, and the mean over seeds of what a method predicts. MAE and
correlation are the means of the seeds' own, as in the tables, not those of the mean prediction,
which is better than most of the runs that it is made of.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from amb.evaluation.method_runs import MethodRuns, runs_by_method
from amb.evaluation.metrics import METRICS
from amb.reporting.figures.style import (
    BLUE,
    VERMILION,
    house_style,
    method_panels,
    note_seeds,
)
from amb.reporting.rounding import format_number

POINTS = 300  # utterances that full ink is for; more are drawn lighter


def predictions_figure(predictions: pd.DataFrame, labels: Mapping[str, str]) -> Figure:
    """Draw predictions against labels.

    Args:
        predictions: Frame of ``read_predictions`` with the train and test splits.
        labels: The methods in table order, with their labels.

    Returns:
        The figure; points are drawn as pixels in PDF, everything else as lines and text.
    """
    runs = runs_by_method(predictions)
    constant = best_constant(predictions)
    any_runs = next(iter(runs.values()))
    low, high = _span(any_runs.labels)
    with house_style():
        figure, panels = method_panels(labels, "Label")
        for axes, method in zip(panels, labels, strict=True):
            _draw_panel(axes, runs[method], constant)
        panels[0].set_xlim(low, high)
        panels[0].set_ylim(low, high)
        figure.supylabel("Prediction, mean over seeds", fontsize=7)
        note = note_seeds(panels, [len(runs[method].seeds) for method in labels])
        _add_legend(figure, note, len(any_runs.labels), constant)
    return figure


def best_constant(predictions: pd.DataFrame) -> float:
    """Return the constant with the lowest error on the training labels: their median.

    Args:
        predictions: Frame of ``read_predictions`` with the train split.

    Returns:
        The constant; that of the test labels where no training labels are stored.
    """
    split = "train" if (predictions["split"] == "train").any() else "test"
    own = predictions[predictions["split"] == split].drop_duplicates("utterance")
    return float(own["label"].median())


def _span(labels: np.ndarray) -> tuple[float, float]:
    margin = 0.08 * (labels.max() - labels.min())
    return float(labels.min() - margin), float(labels.max() + margin)


def _draw_panel(axes: Axes, runs: MethodRuns, constant: float) -> None:
    low, high = _span(runs.labels)
    axes.plot([low, high], [low, high], color="black", linewidth=0.7, zorder=1)
    axes.axhline(constant, color=VERMILION, linewidth=0.9, linestyle=(0, (4, 2)), zorder=3)
    mean = np.clip(runs.predictions.mean(axis=0), low, high)  # beyond the axis: on its edge
    alpha = float(np.clip(POINTS / len(mean), 0.12, 0.6))
    axes.scatter(
        runs.labels, mean, s=3.5, color=BLUE, alpha=alpha, linewidths=0, rasterized=True,
        zorder=2, gid="utterances",
    )  # fmt: skip
    note = f"MAE {_mean_metric(runs, 'mae', 3)}\nr {_mean_metric(runs, 'corr', 2)}"
    axes.text(0.04, 0.97, note, transform=axes.transAxes, va="top", fontsize=5.5,
              linespacing=1.15)  # fmt: skip
    axes.set_aspect("equal")
    axes.locator_params(nbins=5, integer=True)


def _mean_metric(runs: MethodRuns, metric: str, decimals: int) -> str:
    values = METRICS[metric](runs.labels, runs.predictions)
    return format_number(float(np.mean(values)), decimals)


def _add_legend(figure: Figure, title: str, items: int, constant: float) -> None:
    handles = [
        Line2D([], [], marker="o", linestyle="none", color=BLUE, markersize=2.5,
               markeredgewidth=0, label=f"one of {items} test utterances"),
        Line2D([], [], color="black", linewidth=0.7, label="prediction = label"),
        Line2D([], [], color=VERMILION, linewidth=0.9, linestyle=(0, (4, 2)),
               label=f"best constant of the training labels, {format_number(constant, 2)}"),
    ]  # fmt: skip
    figure.legend(
        handles=handles, title=title, title_fontsize=7, loc="outside lower center", ncols=3,
        handletextpad=0.5,
    )  # fmt: skip
