"""The registered claims as a forest plot: effect and interval at every scope, and the verdict.

Claims of one unit share a panel. The grey band of a row is what its claim registers: for an
ordering or a time, what is too small to matter; for a claimed size or a published number, what
counts as that size; for non-inferiority, what counts as no more lost.
"""

from __future__ import annotations

import math
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from amb.reporting.claim_texts import CLAIM_SCOPE_LABELS, CLAIM_SCOPES, HARDWARE_SCOPE, one_line
from amb.reporting.figures.effects import SCOPE_MARKS, scope_handles, verdict_text
from amb.reporting.figures.style import BAND, GREEN, PAGE_WIDTH_IN, house_style
from amb.reporting.metric_display import METRICS
from amb.statistics.speed import log_ratio_of_gain

ROW_IN = 0.42
STATEMENT_WIDTH = 50  # characters in a line
MARKS = {**SCOPE_MARKS, HARDWARE_SCOPE: (GREEN, "^", 0.0)}


@dataclass(frozen=True)
class _Unit:
    """What a panel's effects are counted in."""

    label: str
    scale: float


def claims_figure(claims: Sequence[Mapping[str, Any]], alpha: float = 0.05) -> Figure:
    """Draw the effect of every claim that was tested on runs or times.

    Args:
        claims: The list in ``claims.json``. Claims without an effect (counts, conjunctions, those
            not tested) are left out.
        alpha: One minus the level of the intervals.

    Returns:
        The figure; where no claim has an effect, a sentence that says so.
    """
    drawn = [claim for claim in claims if _effects(claim)]
    panels: dict[_Unit, list[Mapping[str, Any]]] = {}
    for claim in drawn:
        panels.setdefault(_unit(claim), []).append(claim)
    with house_style():
        if not drawn:
            return _nothing_to_draw()
        rows = [len(own) for own in panels.values()]
        height = sum(rows) * ROW_IN + 0.5 * len(rows) + 0.45
        figure = Figure(figsize=(PAGE_WIDTH_IN, height))
        grid = figure.subplots(len(rows), 1, squeeze=False, height_ratios=[n + 0.2 for n in rows])
        for axes, (unit, own) in zip(grid[:, 0], panels.items(), strict=True):
            _draw_panel(axes, own, unit)
        _add_legend(figure, drawn, alpha)
    return figure


def _effects(claim: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """Return the claim's scopes with a defined effect."""
    scopes = claim.get("scopes") or {}
    return {
        scope: scopes[scope]
        for scope in CLAIM_SCOPES
        if scopes.get(scope) and scopes[scope].get("estimate") is not None
    }


def _unit(claim: Mapping[str, Any]) -> _Unit:
    if claim["kind"] == "speed":
        return _Unit("log ratio of times (positive: faster)", 1.0)
    metric = METRICS[claim["metric"]]
    if claim["contrast"].get("form") == "relative":
        return _Unit("relative gain, %", 100.0)
    unit = "pp" if metric.percent else f"in {metric.label}"
    kept = {"noninferiority": "less lost to corruption", "number": "gain over the number"}
    return _Unit(f"{kept.get(claim['kind'], 'gain')}, {unit}", metric.scale)


def _band(claim: Mapping[str, Any]) -> tuple[float, float] | None:
    """Return what the claim registers as its limits, in the effect's unit."""
    kind = claim["kind"]
    if kind == "magnitude":
        return claim["claimed"] - claim["margin"], claim["claimed"] + claim["margin"]
    if kind == "noninferiority":
        return -claim["margin"], math.inf
    if kind == "number":
        return -claim["margin"], claim["margin"]
    if not claim.get("sesoi"):
        return None
    sesoi = claim["sesoi"]
    return (0.0, log_ratio_of_gain(sesoi)) if kind == "speed" else (0.0, sesoi)


def _draw_panel(axes: Axes, claims: Sequence[Mapping[str, Any]], unit: _Unit) -> None:
    limits = _limits(claims, unit)
    axes.axvline(0, color="black", linewidth=0.8, zorder=1)
    for row, claim in enumerate(claims):
        band = _band(claim)
        if band is not None:
            low, high = (min(max(end * unit.scale, limits[0]), limits[1]) for end in band)
            axes.barh(row, high - low, left=low, height=0.8, color=BAND, zorder=0, gid="band")
        for scope, effect in _effects(claim).items():
            _draw_effect(axes, row, scope, effect, unit.scale)
        axes.text(
            1.01, row, verdict_text(claim["verdict"]), transform=axes.get_yaxis_transform(),
            va="center", fontsize=7, fontweight="bold", gid="verdict",
        )  # fmt: skip
    axes.set_yticks(range(len(claims)), [_row_label(claim) for claim in claims], fontsize=6)
    axes.tick_params(axis="y", length=0)
    axes.grid(visible=False, axis="y")
    axes.set_ylim(len(claims) - 0.45, -0.55)
    axes.set_xlim(*limits)
    axes.set_xlabel(f"{unit.label} →")


def _limits(claims: Sequence[Mapping[str, Any]], unit: _Unit) -> tuple[float, float]:
    ends = [0.0]
    for claim in claims:
        ends += [end for end in _band(claim) or () if math.isfinite(end)]
        for effect in _effects(claim).values():
            ends += [effect[key] for key in ("estimate", "ci_low", "ci_high")
                     if effect.get(key) is not None]  # fmt: skip
    margin = 0.06 * (max(ends) - min(ends)) or 1.0
    return (min(ends) - margin) * unit.scale, (max(ends) + margin) * unit.scale


def _draw_effect(axes: Axes, row: int, scope: str, effect: Mapping[str, Any], scale: float) -> None:
    color, marker, below = MARKS[scope]
    height = row + below
    low, high = effect.get("ci_low"), effect.get("ci_high")
    if low is not None and high is not None:
        ends = [low * scale, high * scale]
        axes.plot(ends, [height, height], color=color, linewidth=1.2, zorder=2)
    axes.plot(
        effect["estimate"] * scale, height, marker, color=color, markersize=4,
        markerfacecolor="white", markeredgewidth=0.9, zorder=3, gid=scope,
    )  # fmt: skip


def _row_label(claim: Mapping[str, Any]) -> str:
    """Return the statement, and which metric it is about where it does not say so."""
    metric = METRICS[claim["metric"]].label if claim.get("metric") else ""
    text = one_line(claim["statement"]) + (f" [{metric}]" if metric else "")
    short = textwrap.shorten(text, 3 * STATEMENT_WIDTH - 20, placeholder=" …")
    return textwrap.fill(short, STATEMENT_WIDTH, break_on_hyphens=False)


def _nothing_to_draw() -> Figure:
    figure = Figure(figsize=(PAGE_WIDTH_IN, 0.6))
    figure.text(0.5, 0.5, "No registered claim has an effect that this study can test.",
                ha="center", va="center")  # fmt: skip
    return figure


def _add_legend(figure: Figure, claims: Sequence[Mapping[str, Any]], alpha: float) -> None:
    scopes = {scope for claim in claims for scope in _effects(claim)}
    handles: list[Any] = [h for h in scope_handles() if h.get_label() in
                          {CLAIM_SCOPE_LABELS[scope] for scope in scopes}]  # fmt: skip
    if HARDWARE_SCOPE in scopes:
        color, marker, _ = MARKS[HARDWARE_SCOPE]
        handles.append(
            Line2D([], [], color=color, marker=marker, markersize=4, markerfacecolor="white",
                   linewidth=1.2, label=CLAIM_SCOPE_LABELS[HARDWARE_SCOPE])
        )  # fmt: skip
    handles.append(
        Patch(facecolor=BAND, label="registered: smallest effect of interest, or margin")
    )
    figure.legend(
        handles=handles, title=f"Effect with its {100 * (1 - alpha):g} % interval",
        title_fontsize=7, loc="outside lower center", ncols=4, handletextpad=0.5,
    )  # fmt: skip
