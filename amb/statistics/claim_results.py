"""Judged claims as JSON-able values, with every key of the contract present."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from amb.evaluation.predictions import run_folder
from amb.statistics.claim_kinds import (
    AllOfClaim,
    Claim,
    CountClaim,
    NoninferiorityClaim,
    NumberClaim,
    SpeedClaim,
    TestedClaim,
    rows_of,
)
from amb.statistics.claim_tests import published_number, target_of
from amb.statistics.effect import Effect
from amb.statistics.evidence import Evidence
from amb.statistics.noise import conditions, retention
from amb.statistics.sentences import all_of_sentence, count_sentence, sentence
from amb.statistics.verdict import (
    NOT_REPRODUCED,
    NOT_TESTED,
    REPRODUCED,
    Verdict,
    combined_verdict,
)

Judged = dict[str, dict[str, dict[str, Any]]]  # claim id → scope → numbers
# What a claim registers, None where its kind does not.
REGISTERED = (
    *("metric", "sesoi", "claimed", "margin", "corruption", "dataset", "family", "headline_scope"),
)
EMPTY: dict[str, Any] = {
    **dict.fromkeys(REGISTERED),
    **{"scopes": {}, "without_collapsed": None, "counts": None},
    **{"published": None, "retention": None, "timing": None, "parts": None},
    **{"seeds": None, "n_items": None, "n_videos": None, "runs": []},
}


def scope_numbers(
    claim: TestedClaim,
    scope: str,
    effect: Effect,
    verdict: Verdict,
    evidence: Evidence,
    alpha: float,
) -> dict[str, Any]:
    """Return one scope's effect, p-values, verdict and the sentence that says them."""
    return {
        "estimate": json_number(effect.estimate),
        "ci_low": json_number(effect.ci_low),
        "ci_high": json_number(effect.ci_high),
        "se": json_number(effect.se),
        "df": json_number(effect.df),
        "p": json_number(verdict.p_reproduced),
        "p_adjusted": json_number(verdict.p_reproduced_adjusted),
        "p_not_reproduced": json_number(verdict.p_not_reproduced),
        "p_not_reproduced_adjusted": json_number(verdict.p_not_reproduced_adjusted),
        "mde": json_number(effect.mde),
        "test": effect.test,
        "seeds": {side: getattr(effect.sizes, f"seeds_{side}") for side in rows_of(claim)},
        "n_items": effect.sizes.n_items,
        "n_videos": effect.sizes.n_videos,
        "note": effect.note,
        "verdict": verdict.verdict,
        "reason": sentence(claim, scope, effect, verdict, evidence, alpha),
    }


def tested_result(
    claim: TestedClaim, scopes: dict[str, dict[str, Any]], evidence: Evidence
) -> dict[str, Any]:
    """Return a claim with its verdict in the headline scope and the numbers of all."""
    headline = scopes[claim.headline_scope]
    return {
        **_identity(claim, evidence),
        **_runs_of(claim, evidence),
        **_own_evidence(claim, evidence),
        "scopes": scopes,
        "n_items": headline["n_items"] or None,
        "n_videos": headline["n_videos"] or None,
        "verdict": headline["verdict"],
        "reason": headline["reason"],
    }


def count_result(claim: CountClaim, evidence: Evidence) -> dict[str, Any]:
    """Return a claim on counts, which are exact."""
    a, b = evidence.parameters[claim.a], evidence.parameters[claim.b]
    ratio = a.trainable / b.trainable
    return {
        **_identity(claim, evidence),
        **_runs_of(claim, evidence),
        "counts": {
            "quantity": claim.quantity,
            "a": a.trainable,
            "b": b.trainable,
            "ratio": ratio,
            "threshold": claim.threshold,
            "share_of_own_total": {"a": a.trainable / a.total, "b": b.trainable / b.total},
        },
        "verdict": REPRODUCED if ratio < claim.threshold else NOT_REPRODUCED,
        "reason": count_sentence(claim, evidence.names(claim), a, b),
    }


def all_of_result(claim: AllOfClaim, parts: list[dict[str, Any]]) -> dict[str, Any]:
    """Return a claim that holds if all its parts do."""
    verdict = combined_verdict([part["verdict"] for part in parts])
    runs = {run["folder"]: run for part in parts for run in part["runs"]}
    return {
        **EMPTY,
        **_words(claim),
        "contrast": {"a": None, "b": None, "form": None, "labels": {}},
        "parts": [
            {key: part[key] for key in ("id", "statement", "verdict", "headline_scope")}
            for part in parts
        ],
        "runs": list(runs.values()),
        "verdict": verdict,
        "reason": all_of_sentence(verdict, parts),
    }


def not_tested_result(claim: Claim, reason: str, evidence: Evidence) -> dict[str, Any]:
    """Return a claim that this study cannot test, with the reason."""
    return {
        **_identity(claim, evidence),
        "verdict": NOT_TESTED,
        "reason": f"not tested: {reason}",
    }


def json_number(value: float) -> float | None:
    """Return the number, or None where it is undefined: JSON has no NaN."""
    return float(value) if math.isfinite(value) else None


def _identity(claim: Claim, evidence: Evidence) -> dict[str, Any]:
    """Return what the claim says, with every key of the contract present."""
    rows = {**dict.fromkeys("ab"), **rows_of(claim)}
    return {
        **EMPTY,
        **_words(claim),
        **{key: getattr(claim, key, None) for key in REGISTERED},
        "contrast": {
            **rows,
            "form": getattr(claim, "form", None),
            "labels": evidence.names(claim),
        },
    }


def _words(claim: Claim) -> dict[str, Any]:
    return {key: getattr(claim, key) for key in ("id", "statement", "source", "kind")}


def _runs_of(claim: Claim, evidence: Evidence) -> dict[str, Any]:
    """Return sample sizes, and folders relative to the results folder with identity hashes.

    A timing trains for itself: no run stands behind it.
    """
    if isinstance(claim, SpeedClaim):
        return {}
    rows = rows_of(claim)
    identities = evidence.background.identities
    return {
        "seeds": {side: int(evidence.runs[row].seeds.size) for side, row in rows.items()},
        "runs": [
            {
                "folder": run_folder(Path("runs"), row, int(seed)).as_posix(),
                "identity_sha256": identities.get((row, int(seed))),
            }
            for row in rows.values()
            for seed in evidence.runs[row].seeds
        ],
    }


def _own_evidence(claim: TestedClaim, evidence: Evidence) -> dict[str, Any]:
    """Return what one kind of claim reports and the others do not have."""
    if isinstance(claim, NumberClaim):
        return {"published": _published(claim, evidence)}
    if isinstance(claim, NoninferiorityClaim):
        return {"retention": _retention(claim, evidence)}
    if isinstance(claim, SpeedClaim):
        timing = evidence.background.timings[claim.a, claim.b]
        keys = ("hardware", "threads", "steps")
        return {
            "timing": {
                **{key: getattr(timing, key) for key in keys},
                "precision": dict(zip("ab", timing.precision, strict=True)),
                "pairs": len(timing.seconds),
            }
        }
    return {}


def _published(claim: NumberClaim, evidence: Evidence) -> dict[str, Any]:
    quoted = published_number(claim, evidence.background)
    assert quoted is not None, "why_not_tested comes first"
    ours = float(evidence.table(claim.a, claim.metric).values.mean())
    return {
        "dataset": quoted.dataset,
        "model": quoted.model,
        "value": quoted.value,
        "source": quoted.source,
        "note": quoted.note,
        "relative_gain": claim.relative_gain,
        "target": target_of(claim, evidence.background),
        "ours": json_number(ours),
    }


def _retention(claim: NoninferiorityClaim, evidence: Evidence) -> dict[str, Any]:
    corrupted = evidence.background.corrupted
    assert corrupted is not None, "why_not_tested comes first"
    kept: dict[str, Any] = {
        side: {k: json_number(v) for k, v in retention(corrupted, row, claim).items()}
        for side, row in rows_of(claim).items()
    }
    kept["conditions"] = sorted(conditions(corrupted, claim.a, claim.corruption))
    return kept
