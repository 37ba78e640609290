"""The comparison as a figure: every seed, the mean and its interval, one panel a metric."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from amb.reporting.figures.far_rows import leave_at_edge, visible_span
from amb.reporting.figures.style import (
    BLUE,
    GREY,
    VERMILION,
    house_style,
    metric_panels,
    panel_heading,
    seed_counts,
    seeds_span,
    wrapped,
)
from amb.reporting.metric_display import METRICS, MetricDisplay

MEAN_AT = 0.16  # below the row's centre; the seeds' dots are above it
_GOLDEN = (math.sqrt(5) - 1) / 2


def comparison_figure(
    scores: pd.DataFrame,
    summary: pd.DataFrame,
    labels: Mapping[str, str],
    metrics: Sequence[str],
    reference: str,
    alpha: float = 0.05,
) -> Figure:
    """Draw every seed's test score, with mean and interval, by method and metric.

    Args:
        scores: One row a method, seed, split and metric, with its value; the test split is drawn.
        summary: Means and intervals over seeds, one row a method and metric.
        labels: The methods in table order, top to bottom, with their labels.
        metrics: The metrics in panel order.
        reference: The method whose mean is drawn as a vertical line.
        alpha: One minus the level of the intervals in ``summary``.

    Returns:
        The figure. A seed whose metric is undefined has no point; its row says so. Of a method far
        from many others, a panel has the mean at its edge.
    """
    names = {method: wrapped(label) for method, label in labels.items()}
    scores = scores[(scores["split"] == "test") & scores["method"].isin(list(labels))]
    with house_style():
        figure, panels, _ = metric_panels(metrics, names)
        for axes, name in zip(panels, metrics, strict=True):
            metric = METRICS[name]
            values = _test_values(scores, metric)
            _draw_panel(axes, metric, values, _means(summary, metric), names, reference)
        _add_legend(figure, labels[reference], alpha, _data_text(scores, summary, metrics))
    return figure


def jitter(count: int) -> np.ndarray:
    """Return vertical offsets that keep ``count`` dots apart and above the mean's line.

    Args:
        count: Number of dots.

    Returns:
        (count,) offsets in [-0.36, -0.06), the same on every call: a golden-ratio sequence, which
        fills evenly.
    """
    return ((np.arange(1, count + 1) * _GOLDEN) % 1) * 0.3 - 0.36


def _test_values(scores: pd.DataFrame, metric: MetricDisplay) -> dict[str, np.ndarray]:
    """Return each method's test values, printed units, ordered by seed."""
    own = scores[scores["metric"] == metric.name]
    return {
        str(method): rows.sort_values("seed")["value"].to_numpy(float) * metric.scale
        for method, rows in own.groupby("method")
    }


def _means(summary: pd.DataFrame, metric: MetricDisplay) -> dict[str, np.ndarray]:
    """Return each method's mean, lower and upper bound, in the frames' units."""
    own = summary[summary["metric"] == metric.name]
    numbers = own[["mean", "ci_low", "ci_high"]].to_numpy(float)
    return dict(zip(own["method"], numbers, strict=True))


def _draw_panel(
    axes: Axes,
    metric: MetricDisplay,
    values: Mapping[str, np.ndarray],
    means: Mapping[str, np.ndarray],
    names: Mapping[str, str],
    reference: str,
) -> None:
    own = {method: values.get(method, np.empty(0)) for method in names}
    printed = {method: means[method] * metric.scale for method in names}
    line = float(printed[reference][0])
    low, high = _span(own, printed, line)
    axes.set_xlim(low, high)
    for row, method in enumerate(names):
        mean = float(printed[method][0])
        if mean < low or mean > high:
            leave_at_edge(axes, row, mean, tuple(printed[method][1:]), metric)
            continue
        color = VERMILION if method == reference else BLUE
        _draw_seeds(axes, row, own[method], color)
        marker = "s" if method == reference else "D"
        _draw_mean(axes, row, printed[method], marker, color)
    if math.isfinite(line):
        axes.axvline(line, color=VERMILION, linewidth=0.7, linestyle=(0, (4, 2)), zorder=1)
    axes.set_title(panel_heading(metric))
    axes.set_xlabel(f"{metric.direction} →" if metric.higher_is_better else f"← {metric.direction}")


def _span(
    values: Mapping[str, np.ndarray], means: Mapping[str, np.ndarray], center: float
) -> tuple[float, float]:
    """Return the axis that shows every method's seeds and interval, but of those far from most."""
    shown = [np.concatenate([values[method], means[method]]) for method in means]
    finite = [own[np.isfinite(own)] for own in shown]
    bounds = np.array([[own.min(), own.max()] for own in finite if own.size]).reshape(-1, 2)
    if not math.isfinite(center):  # the reference is undefined
        center = float(np.median(bounds)) if bounds.size else 0.0
    return visible_span(bounds, center)


def _draw_seeds(axes: Axes, row: int, values: np.ndarray, color: str) -> None:
    heights = row + jitter(len(values))
    defined = np.isfinite(values)
    axes.scatter(
        values[defined],
        heights[defined],
        s=9,
        facecolors="none",
        edgecolors=color,
        linewidths=0.7,
        alpha=0.8,
        zorder=2,
        gid="seeds",
    )
    if not defined.all():
        text = f"undefined for {(~defined).sum()} of {len(values)} seeds"
        axes.text(
            0.02,
            row + MEAN_AT,
            text,
            transform=axes.get_yaxis_transform(),
            fontsize=5.5,
            color=GREY,
        )


def _draw_mean(axes: Axes, row: int, interval: np.ndarray, marker: str, color: str) -> None:
    mean, low, high = interval
    height = row + MEAN_AT
    if math.isfinite(low) and math.isfinite(high):
        axes.plot([low, high], [height, height], color="black", linewidth=1.3, zorder=5)
    if math.isfinite(mean):
        (point,) = axes.plot(mean, height, marker, color=color, markersize=4.5, zorder=4)
        point.set_markeredgecolor("black")
        point.set_markeredgewidth(0.6)


def _data_text(scores: pd.DataFrame, summary: pd.DataFrame, metrics: Sequence[str]) -> str:
    """Return the numbers of utterances, videos and seeds behind the figure."""
    own = summary[summary["metric"].isin(metrics)]
    items = f"{own['n_items'].max():.0f} utterances of {own['n_videos'].max():.0f} videos"
    return f"Test split: {items}; {seeds_span(seed_counts(scores, scores['method'].unique()))}"


def _add_legend(figure: Figure, reference: str, alpha: float, title: str) -> None:
    handles = [
        Line2D([], [], marker="o", markerfacecolor="none", markeredgecolor=GREY, markersize=3.5),
        Line2D([], [], marker="D", color=BLUE, markersize=4.5, markeredgecolor="black"),
        Line2D([], [], color="black", linewidth=1.3),
        Line2D([], [], marker="s", color=VERMILION, markersize=4.5, markeredgecolor="black"),
    ]
    for handle in handles:
        handle.set_markeredgewidth(0.6)
        handle.set_linestyle("-" if handle.get_marker() == "None" else "none")
    level = f"{100 * (1 - alpha):g} % t interval over seeds"
    names = ["one seed", "mean", level, f"reference: {reference}"]
    figure.legend(
        handles,
        names,
        title=title,
        title_fontsize=7,
        loc="outside lower center",
        ncols=4,
        handletextpad=0.4,
    )
