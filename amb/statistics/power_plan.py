"""The power plan: how many seeds every claim of a claims file needs, from pilot runs.

Two effects are planned for: the claim's smallest effect of interest, and twice that, the claimed
effect where the smallest effect of interest is half of it, as it is by default. The level is the
one that the strictest step of the family's correction asks for: α divided by the number of claims
of the family that can be planned. The first claim of a family needs that; later ones need less.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from amb.evaluation.method_runs import MethodRuns
from amb.statistics.claim_kinds import OrderingClaim
from amb.statistics.claims import ClaimsFile
from amb.statistics.moments import metric_table, moment_table
from amb.statistics.power import POWER
from amb.statistics.scopes import SCOPES, effect_in_scope
from amb.statistics.seeds_needed import pilot_of, power_at, seeds_needed

PLAN_COLUMNS = [
    *("claim", "kind", "metric", "scope", "aim", "effect", "level", "power"),
    *("seeds", "seeds_cautious", "pilot_seeds_a", "pilot_seeds_b", "power_at_pilot_seeds"),
    *("power_at_limit", "mde_at_limit", "n_videos", "note"),
]
# How many times the smallest effect of interest each aim is.
AIMS = {"sesoi": 1.0, "twice_sesoi": 2.0}


def power_plan(file: ClaimsFile, runs: Mapping[str, MethodRuns]) -> list[dict[str, Any]]:
    """Plan the seeds of every claim at both scopes.

    Args:
        file: The claims.
        runs: Method to its pilot runs.

    Returns:
        JSON-able rows with ``PLAN_COLUMNS``, in the order of claims, scopes and effects. A claim
        that is no ordering, or whose methods have no pilot, has one row, which says so in ``note``.
        A number that is undefined is None. ``power_at_pilot_seeds`` is that of a study with as many
        seeds as the smaller pilot.
    """
    reasons = {claim.id: _not_planned(claim, runs) for claim in file.claims}
    rows: list[dict[str, Any]] = []
    for claim in file.claims:
        if reasons[claim.id] or not isinstance(claim, OrderingClaim):
            rows.append(_row(claim=claim.id, kind=claim.kind, note=reasons[claim.id]))
            continue
        members = [
            other
            for other in file.claims
            if isinstance(other, OrderingClaim)
            and other.family == claim.family
            and not reasons[other.id]
        ]
        rows += _plan(claim, runs, file.alpha / len(members))
    return rows


def _not_planned(claim: Any, runs: Mapping[str, MethodRuns]) -> str:
    """Return why a claim has no plan, or nothing."""
    if not isinstance(claim, OrderingClaim):
        return f"kind {claim.kind} is not covered: no number of seeds decides it"
    absent = [name for name in (claim.a, claim.b) if name not in runs]
    if absent:
        return f"method {absent[0]} has no pilot runs"
    single = [name for name in (claim.a, claim.b) if runs[name].seeds.size < 2]
    return f"method {single[0]} has one pilot run; two are needed" if single else ""


def _plan(
    claim: OrderingClaim, runs: Mapping[str, MethodRuns], level: float
) -> list[dict[str, Any]]:
    """Return a row a scope and effect."""
    a, b = (metric_table(moment_table(runs[name]), claim.metric) for name in (claim.a, claim.b))
    few = min(a.values.size, b.values.size)
    rows = []
    for scope in SCOPES:
        untested = effect_in_scope(scope, a, b, claim.metric, claim.form, level).note
        for aim, times in AIMS.items():
            effect = times * claim.sesoi
            row = _row(
                claim=claim.id, kind=claim.kind, metric=claim.metric, scope=scope, aim=aim,
                effect=effect, level=level, pilot_seeds_a=a.values.size,
                pilot_seeds_b=b.values.size, n_videos=a.videos.size, note=untested,
            )  # fmt: skip
            rows.append(row)
            if untested:
                continue
            pilot = pilot_of(a, b, claim.metric, claim.form, scope)
            needed = seeds_needed(pilot, effect, level)
            row.update(
                seeds=needed.seeds,
                seeds_cautious=needed.seeds_cautious,
                power_at_pilot_seeds=_number(power_at(pilot, few, effect, level)),
                power_at_limit=_number(needed.power_at_limit),
                mde_at_limit=_number(needed.mde_at_limit),
                note=needed.note,
            )
    return rows


def _row(**values: Any) -> dict[str, Any]:
    return {**dict.fromkeys(PLAN_COLUMNS), "power": POWER, **values}


def _number(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
