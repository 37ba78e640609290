"""Score against trainable parameters, with the rows that nobody beats with fewer of them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
import textalloc
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

from amb.reporting.figures.far_rows import rounded_text, visible_span
from amb.reporting.figures.style import BLUE, GREY, PAGE_WIDTH_IN, VERMILION, house_style
from amb.reporting.metric_display import METRICS, MetricDisplay

Segment = tuple[tuple[float, float], tuple[float, float]]  # both ends, in data coordinates

FAR = 6.0  # times the typical distance from the reference; a row beyond it is drawn at the edge
HEIGHT_IN, ROW_IN, TALLEST_IN = 2.4, 0.12, 4.4  # room for the labels of so many rows


def parameters_table(
    summary: pd.DataFrame, trainable: Mapping[str, int], labels: Mapping[str, str], metric: str
) -> pd.DataFrame:
    """Join the means of a metric with the counts of trainable parameters.

    Args:
        summary: Means and intervals over seeds, one row a method and metric.
        trainable: Trainable parameters of every row.
        labels: The methods in table order, with their labels.
        metric: The metric.

    Returns:
        One row a method in table order whose mean is defined: method, label, trainable, mean,
        ci_low, ci_high in the frame's unit, and ``front``: whether no other row is at least as
        good in both and better in one.
    """
    own = summary[summary["metric"] == metric].set_index("method")
    rows = [
        (name, label, trainable[name], *own.loc[name, ["mean", "ci_low", "ci_high"]].astype(float))
        for name, label in labels.items()
        if name in own.index and np.isfinite(own["mean"].astype(float)[name])
    ]
    columns = ["method", "label", "trainable", "mean", "ci_low", "ci_high"]
    table = pd.DataFrame(rows, columns=columns)
    sign = 1 if METRICS[metric].higher_is_better else -1
    return table.assign(front=pareto_front(table["trainable"], sign * table["mean"]))


def pareto_front(
    cost: Sequence[float] | pd.Series, gain: Sequence[float] | pd.Series
) -> list[bool]:
    """Say which points nobody dominates: at most their cost, at least their gain, one strictly.

    Args:
        cost: (n,) less is better.
        gain: (n,) more is better.

    Returns:
        (n,) flags.
    """
    points = list(zip(cost, gain, strict=True))
    return [
        not any(c <= cost_ and g >= gain_ and (c, g) != (cost_, gain_) for c, g in points)
        for cost_, gain_ in points
    ]


def parameters_figure(
    table: pd.DataFrame, metric: str, reference: str, alpha: float = 0.05
) -> Figure:
    """Draw a metric against the number of trainable parameters.

    Args:
        table: Frame of ``parameters_table``.
        metric: The metric.
        reference: The row that others are compared with; its label is bold.
        alpha: One minus the level of the intervals.

    Returns:
        The figure: a logarithmic axis of parameters, each row named at its point. Of a row far from
        many others there is a triangle at the edge, and the number beside its name.
    """
    shown = METRICS[metric]
    table, span = _moved_to_edge(table, shown, reference)
    with house_style():
        height = min(HEIGHT_IN + ROW_IN * len(table), TALLEST_IN)
        figure = Figure(figsize=(PAGE_WIDTH_IN, height))
        axes = figure.subplots()
        _draw_points(axes, table)
        _finish_axes(axes, table, shown)
        axes.set_ylim(span)
        _add_legend(figure, alpha, bool(table["beyond"].any()))
        _name_points(axes, table, reference)
        # Labels stand where this layout puts them; another one would move the points away.
        figure.set_layout_engine("none")
    return figure


def _moved_to_edge(
    table: pd.DataFrame, metric: MetricDisplay, reference: str
) -> tuple[pd.DataFrame, tuple[float, float]]:
    """Return the rows in printed units, those far from many others at the edge, and the axis.

    What is moved has no interval, its number behind its label, and the flag ``beyond``.
    """
    numbers = ["mean", "ci_low", "ci_high"]
    printed = table.assign(**{name: table[name] * metric.scale for name in numbers})
    means = printed.set_index("method")["mean"]
    center = float(means.get(reference, means.median()))
    low, high = visible_span(printed[numbers].to_numpy(float), center, far=FAR)
    beyond = (printed["mean"] < low) | (printed["mean"] > high)
    far_labels = [
        f"{row.label}, {rounded_text(row.mean, (row.ci_low, row.ci_high), metric)}"
        for row in _records(printed[beyond])
    ]
    printed.loc[beyond, "label"] = far_labels
    printed.loc[beyond, ["ci_low", "ci_high"]] = np.nan
    return printed.assign(mean=printed["mean"].clip(low, high), beyond=beyond), (low, high)


def _records(table: pd.DataFrame) -> list[Any]:
    return list(table.itertuples())


def _intervals(table: pd.DataFrame) -> list[Segment]:
    return [
        ((row.trainable, row.ci_low), (row.trainable, row.ci_high))
        for row in _records(table)
        if math.isfinite(row.ci_low) and math.isfinite(row.ci_high)
    ]


def _steps(table: pd.DataFrame) -> list[Segment]:
    """Return the pieces of the front's line."""
    front = table[table["front"]].sort_values("trainable")
    points = list(zip(front["trainable"], front["mean"], strict=True))
    flat = [((x0, y0), (x1, y0)) for (x0, y0), (x1, _) in pairwise(points)]
    return flat + [((x1, y0), (x1, y1)) for (_, y0), (x1, y1) in pairwise(points)]


def _draw_points(axes: Axes, table: pd.DataFrame) -> None:
    for (x, low), (_, high) in _intervals(table):
        axes.plot([x, x], [low, high], color=GREY, linewidth=0.9, zorder=2)
    front = table[table["front"]].sort_values("trainable")
    axes.step(
        front["trainable"], front["mean"], where="post", color=VERMILION,
        linewidth=1.0, linestyle=(0, (4, 2)), zorder=1, gid="front",
    )  # fmt: skip
    for on_front, own in table[~table["beyond"]].groupby("front"):
        axes.plot(
            own["trainable"], own["mean"], linestyle="none", zorder=4,
            marker="D" if on_front else "o", markersize=4.6 if on_front else 4,
            color=VERMILION if on_front else BLUE, markeredgewidth=0.9,
            markerfacecolor=VERMILION if on_front else "white",
        )  # fmt: skip
    far = table[table["beyond"]]
    below = far["mean"] < table.loc[~table["beyond"], "mean"].min()
    for marker, own in (("^", far[~below]), ("v", far[below])):
        axes.plot(
            own["trainable"], own["mean"], marker, color="black", markersize=4, zorder=4,
            clip_on=False, in_layout=False, gid="beyond",
        )  # fmt: skip


def _name_points(axes: Axes, table: pd.DataFrame, reference: str) -> None:
    """Write each row's label beside its point, over no point, line or other label."""
    points = table["trainable"].to_numpy(), table["mean"].to_numpy()
    lines = np.array(_intervals(table) + _steps(table))  # (n, 2, 2)
    textalloc.allocate(
        axes, *points, table["label"].tolist(), x_scatter=points[0], y_scatter=points[1],
        x_lines=list(lines[..., 0]), y_lines=list(lines[..., 1]), textsize=6.5,
        fontweight=["bold" if row == reference else "normal" for row in table["method"]],
        margin=0.004, min_distance=0.012, max_distance=0.25, nbr_candidates=400,
        avoid_label_lines_overlap=True, linecolor=GREY, linewidth=0.4, zorder=6, in_layout=False,
    )  # fmt: skip


def _finish_axes(axes: Axes, table: pd.DataFrame, metric: MetricDisplay) -> None:
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(LogLocator(10))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: _power_text(value)))
    few, many = np.log10(table["trainable"].min()), np.log10(table["trainable"].max())
    margin = max(0.12 * (many - few), 0.3)
    axes.set_xlim(10 ** (few - margin), 10 ** (many + 1.3 * margin))
    axes.set_xlabel("Trainable parameters")
    unit = ", %" if metric.percent else ""
    axes.set_ylabel(f"Test {metric.label}{unit} ({metric.direction})")


def _power_text(value: float) -> str:
    """Return a power of ten as people say it: 10 k, 1 M."""
    for limit, unit in ((1e9, " B"), (1e6, " M"), (1e3, " k")):
        if value >= limit:
            return f"{value / limit:g}{unit}"
    return f"{value:g}"


def _add_legend(figure: Figure, alpha: float, cut: bool) -> None:
    handles = [
        Line2D([], [], marker="o", linestyle="none", color=BLUE, markerfacecolor="white",
               markersize=4, label="mean over seeds"),
        Line2D([], [], color=GREY, linewidth=0.9,
               label=f"{100 * (1 - alpha):g} % t interval over seeds"),
        Line2D([], [], marker="D", color=VERMILION, linestyle=(0, (4, 2)), linewidth=1.0,
               markersize=4.6, label="Pareto front of the means"),
    ]  # fmt: skip
    if cut:
        handles.append(Line2D([], [], marker="^", linestyle="none", color="black", markersize=4,
                              label="mean beyond the axis"))  # fmt: skip
    figure.legend(handles=handles, loc="outside lower center", ncols=4, handletextpad=0.5)
