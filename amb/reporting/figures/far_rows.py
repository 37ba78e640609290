"""Rows far from all others are left at a panel's edge with their number.

On one axis with them, nothing else could be read.
"""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes

from amb.reporting.metric_display import MetricDisplay
from amb.reporting.rounding import decimals_of_interval, format_number

FAR = 3.0  # times the typical distance from the centre; what lies beyond is left at the edge …
MANY = 10  # … where there are more values than these
MARGIN = 0.06  # beside what is shown, of its width


def visible_span(
    bounds: np.ndarray, center: float, right: float = 1.0, far: float = FAR
) -> tuple[float, float]:
    """Return what a panel shows: centre and every value, but those far beyond most of many.

    Args:
        bounds: (values, n) numbers that belong together, as an estimate with its interval; NaN
            where there is none.
        center: What distances are counted from; always shown.
        right: Room on the right, in margins.
        far: How many times the typical distance from the centre is far.

    Returns:
        Lower and upper limit of the axis.
    """
    finite = np.where(np.isfinite(bounds), bounds, center)
    reach = np.abs(finite - center).max(axis=1, initial=0.0)
    farthest = far * np.median(reach) if len(reach) > MANY else np.inf
    near = finite[reach <= farthest]
    low, high = float(near.min(initial=center)), float(near.max(initial=center))
    margin = MARGIN * (high - low) or 1.0
    return low - margin, high + right * margin


def leave_at_edge(
    axes: Axes,
    row: int,
    value: float,
    interval: tuple[float, float],
    metric: MetricDisplay,
    signed: bool = False,
) -> None:
    """Write the number of a row beyond a panel at the edge that it lies behind.

    Args:
        axes: The panel, with its final limits.
        row: The row's height.
        value: The number, in printed units.
        interval: Its interval, by whose width it is rounded.
        metric: The metric that it is of.
        signed: Whether a plus is written.
    """
    text = rounded_text(value, interval, metric, signed)
    left = value < axes.get_xlim()[0]
    axes.annotate(
        f"◀ {text}" if left else f"{text} ▶", (0.0 if left else 1.0, row),
        xycoords=axes.get_yaxis_transform(), xytext=(2 if left else -2, 0),
        textcoords="offset points", fontsize=5.5, ha="left" if left else "right", va="center",
        gid="beyond",
    )  # fmt: skip


def rounded_text(
    value: float, interval: tuple[float, float], metric: MetricDisplay, signed: bool = False
) -> str:
    """Return a number as a figure writes it: no finer than its interval and the metric allow."""
    decimals = min(decimals_of_interval(*interval, metric.decimals), metric.decimals)
    return format_number(value, decimals, signed=signed)
