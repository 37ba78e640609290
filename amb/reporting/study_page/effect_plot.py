"""The effect of a claim as a small picture: intervals at each scope, zero, and what matters."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from amb.reporting.claim_texts import CLAIM_SCOPE_LABELS, CLAIM_SCOPES, claim_unit, value_of
from amb.reporting.rounding import format_number
from amb.reporting.study_page.axis import axis_of
from amb.statistics.speed import log_ratio_of_gain

ROW_PX = 26
TOP_PX = 8
AXIS_PX = 30


@dataclass(frozen=True)
class EffectRow:
    """One scope's interval; places in per cent of the width, heights in pixels."""

    label: str
    y: int
    low: float
    high: float
    middle: float
    is_headline: bool


@dataclass(frozen=True)
class EffectPlot:
    """What the template draws.

    Attributes:
        rows: The intervals.
        band: Left edge and width of the band; None: the claim registers none.
        band_meaning: What lies in the band, in words.
        zero: Where no effect stands.
        ticks: Where and what the ticks are.
        axis_y: Height of the axis in pixels.
        height: Height of the picture in pixels.
        unit: What the axis counts.
        better: What lies to the right of zero, in words.
        summary: All of it in words.
    """

    rows: tuple[EffectRow, ...]
    band: tuple[float, float] | None
    band_meaning: str
    zero: float
    ticks: tuple[tuple[float, str], ...]
    axis_y: int
    height: int
    unit: str
    better: str
    summary: str


def effect_plot(claim: Mapping[str, Any], better: str) -> EffectPlot | None:
    """Lay a claim's effects out.

    Args:
        claim: One tested claim.
        better: What an effect above zero means, in words.

    Returns:
        The picture; None where the claim has no interval.
    """
    unit = claim_unit(claim)
    drawn = _intervals(claim, unit.scale)
    if not drawn:
        return None
    band, meaning = _band(claim, unit.scale)
    edges = [edge for _, numbers in drawn for edge in numbers]
    axis = axis_of([*edges, 0.0, *(band or ())])
    rows = tuple(
        EffectRow(
            CLAIM_SCOPE_LABELS[scope],
            TOP_PX + place * ROW_PX + ROW_PX // 2,
            axis.place(low),
            axis.place(high),
            axis.place(middle),
            scope == claim.get("headline_scope") or len(drawn) == 1,
        )
        for place, (scope, (middle, low, high)) in enumerate(drawn)
    )
    ticks = axis.ticks()
    decimals = _decimals(ticks)
    bottom = TOP_PX + ROW_PX * len(drawn) + 4
    texts = (format_number(tick, decimals, tick != 0) for tick in ticks)
    edges_of_band = (axis.clipped(band[0]), axis.clipped(band[1])) if band else None
    return EffectPlot(
        rows=rows,
        band=(edges_of_band[0], round(edges_of_band[1] - edges_of_band[0], 2))
        if edges_of_band
        else None,
        band_meaning=meaning,
        zero=axis.place(0.0),
        ticks=tuple(zip(map(axis.place, ticks), texts, strict=True)),
        axis_y=bottom,
        height=bottom + AXIS_PX,
        unit=_unit_name(claim, unit.suffix.strip()),
        better=better,
        summary=f"Effects with their intervals at {len(drawn)} scopes, as in the table below.",
    )


def _intervals(
    claim: Mapping[str, Any], scale: float
) -> list[tuple[str, tuple[float, float, float]]]:
    """Return scope, and estimate, lower and upper bound in print's units, where all are known."""
    found = []
    for scope in CLAIM_SCOPES:
        numbers = (claim.get("scopes") or {}).get(scope) or {}
        values = tuple(
            scale * value_of(numbers.get(key)) for key in ("estimate", "ci_low", "ci_high")
        )
        if all(map(math.isfinite, values)):
            found.append((scope, (values[0], values[1], values[2])))
    return found


def _band(claim: Mapping[str, Any], scale: float) -> tuple[tuple[float, float] | None, str]:
    """Return the band that a claim registers, in print's units, and what lies in it."""
    sesoi, claimed, margin = (value_of(claim.get(key)) for key in ("sesoi", "claimed", "margin"))
    if math.isfinite(claimed) and math.isfinite(margin):
        return (scale * (claimed - margin), scale * (claimed + margin)), "as large as claimed"
    if claim.get("timing"):
        sesoi = log_ratio_of_gain(sesoi)
    if math.isfinite(sesoi):
        return (-scale * sesoi, scale * sesoi), "too small to matter (registered beforehand)"
    if math.isfinite(margin):
        return (-scale * margin, scale * margin), "within the registered margin"
    return None, ""


def _unit_name(claim: Mapping[str, Any], suffix: str) -> str:
    if claim.get("timing"):
        return "log ratio of times"
    names = {"%": "relative gain, %", "pp": "gain, percentage points"}
    return names.get(suffix, "gain, in units of the metric")


def _decimals(ticks: list[float]) -> int:
    """Return the fewest decimals that tell ticks apart and print them as they are."""
    return next(
        (d for d in range(6) if all(abs(round(tick, d) - tick) < 1e-9 for tick in ticks)), 6
    )
