"""Every row against the reference: gain with its interval at both scopes, one panel a metric.

The grey band is what a registered claim calls too small to matter (SESOI).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from amb.reporting.figures.far_rows import leave_at_edge, visible_span
from amb.reporting.figures.style import (
    BAND,
    BLUE,
    VERMILION,
    house_style,
    metric_panels,
    wrapped,
)
from amb.reporting.inputs import SCOPES
from amb.reporting.metric_display import METRICS, MetricDisplay
from amb.reporting.tables.comparison_grids import SCOPE_LABELS

# Colour, marker and place below the row's centre of each scope.
SCOPE_MARKS = {"fixed_set": (BLUE, "s", -0.14), "population": (VERMILION, "o", 0.14)}
VERDICT_SIGNS = {"reproduced": "✓", "not reproduced": "✗", "inconclusive": "?"}
OTHER_SIGN = "~"  # real but smaller than claimed
VERDICT_ROOM = 3.0  # margins on the right, for the verdicts' signs


@dataclass(frozen=True)
class RegisteredEffect:
    """What a registered claim says of a row's gain over the reference in a metric.

    Attributes:
        metric: The metric.
        method: The row.
        sesoi: Smallest effect of interest, in the metric's own unit.
        verdict: The verdict in the claim's headline scope.
    """

    metric: str
    method: str
    sesoi: float
    verdict: str


def registered_effects(
    claims: Sequence[Mapping[str, Any]], summary: pd.DataFrame, reference: str
) -> list[RegisteredEffect]:
    """Return the judged orderings of a row and the reference.

    Args:
        claims: The list in ``claims.json``.
        summary: Means over seeds, of which a relative SESOI is a share.
        reference: The row that all are compared with.

    Returns:
        One entry an ordering that was tested.
    """
    means = summary[summary["method"] == reference].set_index("metric")["mean"]
    return [
        RegisteredEffect(
            claim["metric"],
            claim["contrast"]["a"],
            float(claim["sesoi"]) * (_share(claim) * abs(float(means[claim["metric"]])) or 1.0),
            claim["verdict"],
        )
        for claim in claims
        if claim["kind"] == "ordering"
        and claim["contrast"]["b"] == reference
        and claim.get("scopes")
        and claim.get("sesoi")
    ]


def effects_figure(
    comparison: pd.DataFrame,
    registered: Sequence[RegisteredEffect],
    labels: Mapping[str, str],
    metrics: Sequence[str],
    reference: str,
    alpha: float = 0.05,
) -> Figure:
    """Draw each row's gain over the reference, at both scopes, by metric.

    Args:
        comparison: Differences to the reference, one row a metric, method and scope.
        registered: What claims say of them.
        labels: The methods in table order, with their labels.
        metrics: The metrics in panel order.
        reference: The row that all are compared with.
        alpha: One minus the level of the intervals, and the limit of the adjusted p-values.

    Returns:
        The figure; filled marks are differences that the corrected test finds.
    """
    names = {name: wrapped(label) for name, label in labels.items() if name != reference}
    with house_style():
        figure, panels, _ = metric_panels(metrics, names)
        for axes, metric in zip(panels, metrics, strict=True):
            own = comparison[comparison["metric"] == metric].set_index(["method", "scope"])
            claimed = [effect for effect in registered if effect.metric == metric]
            _draw_panel(axes, own, claimed, list(names), METRICS[metric])
        _add_legend(figure, labels[reference], alpha, registered)
    return figure


def _share(claim: Mapping[str, Any]) -> float:
    """Return 1 where the claim is relative, 0 where it is in the metric's own unit."""
    return 1.0 if claim["contrast"]["form"] == "relative" else 0.0


def _draw_panel(
    axes: Axes,
    own: pd.DataFrame,
    claimed: Sequence[RegisteredEffect],
    methods: Sequence[str],
    metric: MetricDisplay,
) -> None:
    bounds = own[["estimate", "ci_low", "ci_high"]].astype(float) * metric.scale
    axes.set_xlim(visible_span(bounds.to_numpy(), 0.0, VERDICT_ROOM))
    for sesoi in sorted({effect.sesoi for effect in claimed}):
        axes.axvspan(-sesoi * metric.scale, sesoi * metric.scale, color=BAND, zorder=0, gid="SESOI")
    axes.axvline(0, color="black", linewidth=0.8, zorder=1)
    for row, method in enumerate(methods):
        for scope in SCOPES:
            if (method, scope) in own.index:
                found = bool(own.loc[(method, scope), "significant"])
                effect = tuple(map(float, bounds.loc[[(method, scope)]].to_numpy()[0]))
                _draw_effect(axes, row, scope, effect, found, metric)
    for claim in claimed:
        if claim.method in methods:
            axes.text(
                0.985, methods.index(claim.method), VERDICT_SIGNS.get(claim.verdict, OTHER_SIGN),
                transform=axes.get_yaxis_transform(), ha="right", va="center", fontsize=8,
                fontweight="bold", gid="verdict",
            )  # fmt: skip
    axes.set_title(metric.label)
    axes.set_xlabel("gain, pp →" if metric.percent else "gain →")


def _draw_effect(
    axes: Axes,
    row: int,
    scope: str,
    bounds: tuple[float, ...],
    found: bool,
    metric: MetricDisplay,
) -> None:
    color, marker, below = SCOPE_MARKS[scope]
    height = row + below
    estimate, low, high = bounds
    if not math.isfinite(estimate):
        return
    left, right = axes.get_xlim()
    if not left <= estimate <= right:
        if scope == SCOPES[0]:
            leave_at_edge(axes, row, estimate, (low, high), metric, signed=True)
        return
    if math.isfinite(low) and math.isfinite(high):
        axes.plot([low, high], [height, height], color=color, linewidth=1.1, zorder=2)
    axes.plot(
        estimate, height, marker, color=color, markersize=3.4, markeredgewidth=0.8,
        markerfacecolor=color if found else "white", zorder=3, gid=scope,
    )  # fmt: skip


def verdict_text(verdict: str) -> str:
    """Return a verdict with its sign, which is told apart without colours: "✗ not reproduced"."""
    return f"{VERDICT_SIGNS.get(verdict, OTHER_SIGN)} {verdict}"


def scope_handles() -> list[Line2D]:
    """Return the legend's entries of the two scopes."""
    return [
        Line2D([], [], color=color, marker=marker, markersize=3.4, markerfacecolor="white",
               markeredgewidth=0.8, linewidth=1.1, label=SCOPE_LABELS[scope])
        for scope, (color, marker, _) in SCOPE_MARKS.items()
    ]  # fmt: skip


def _add_legend(
    figure: Figure, reference: str, alpha: float, registered: Sequence[RegisteredEffect]
) -> None:
    handles: list[Any] = scope_handles()
    handles.append(
        Line2D([], [], marker="D", color="black", linestyle="none", markersize=3,
               label=f"filled: adjusted p < {alpha:g}")
    )  # fmt: skip
    if registered:
        handles.append(Patch(facecolor=BAND, label="smaller than of interest (registered SESOI)"))
    title = f"Gain over {reference}, with {100 * (1 - alpha):g} % intervals (not corrected)"
    verdicts = dict.fromkeys(effect.verdict for effect in registered)
    if verdicts:
        title += f"; registered claims: {', '.join(map(verdict_text, verdicts))}"
    figure.legend(
        handles=handles, title=title,
        title_fontsize=7, loc="outside lower center", ncols=4, handletextpad=0.5,
        columnspacing=1.4,
    )  # fmt: skip
