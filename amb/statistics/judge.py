"""From registered claims and stored predictions to verdicts: the content of ``claims.json``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from amb.statistics.claim_kinds import (
    AllOfClaim,
    Claim,
    CountClaim,
    SpeedClaim,
    TestedClaim,
    rows_of,
)
from amb.statistics.claim_results import (
    Judged,
    all_of_result,
    count_result,
    not_tested_result,
    scope_numbers,
    tested_result,
)
from amb.statistics.claim_tests import (
    CLAIM_SCOPES,
    effect_of,
    p_values_of,
    scopes_of,
    why_not_tested,
)
from amb.statistics.claims import ClaimsFile
from amb.statistics.collapse import collapsed_seeds
from amb.statistics.evidence import Background, Evidence
from amb.statistics.parameters import ParameterCount
from amb.statistics.verdict import family_verdicts


def judge(
    file: ClaimsFile,
    predictions: pd.DataFrame,
    parameters: Mapping[str, ParameterCount],
    labels: Mapping[str, str],
    background: Background | None = None,
) -> dict[str, Any]:
    """Judge every claim of a file.

    What is tested on the test split is tested in both scopes; the verdict is that of the registered
    headline scope, with all runs. Where runs have collapsed, ``without_collapsed`` repeats the
    tests without them; it is empty where a method has no other runs. A claim that this study cannot
    test, for lack of a row, say, is "not tested", and is no part of its family.

    Args:
        file: The claims.
        predictions: Frame of ``read_predictions``.
        parameters: Method to its parameter counts.
        labels: Method to what people call it; a method that is not in it keeps its name.
        background: What some kinds of claims need beside that.

    Returns:
        JSON-able values: ``claims_sha256``, ``published_sha256``, ``alpha``, ``collapse`` (rule,
        and per method the collapsed seeds and their rate) and ``claims``. A number that is
        undefined is None. In each scope ``p`` is the p-value for the claim and
        ``p_not_reproduced`` the one against it, both to hold against alpha; for an ordering ``p``
        is the two-sided p-value wherever the estimate is positive.
    """
    evidence = Evidence.of(predictions, parameters, labels, background or Background())
    collapsed = collapsed_seeds(predictions, file.collapse_rule)
    everything = _judge_families(file, evidence)
    sensitivity = (
        _judge_families(file, evidence.without(collapsed)) if any(collapsed.values()) else {}
    )
    results: dict[str, dict[str, Any]] = {}
    for claim in file.claims:
        if not isinstance(claim, AllOfClaim):
            result = _result(claim, everything, evidence)
            if _may_change(claim, result, collapsed):
                result["without_collapsed"] = sensitivity.get(claim.id, {})
            results[claim.id] = result
    for claim in file.claims:
        if isinstance(claim, AllOfClaim):
            results[claim.id] = all_of_result(claim, [results[part] for part in claim.parts])
    return {
        "claims_sha256": file.sha256,
        "published_sha256": evidence.background.published.sha256,
        "alpha": file.alpha,
        "collapse": _collapse_summary(file, evidence, collapsed),
        "claims": [results[claim.id] for claim in file.claims],
    }


def _result(claim: TestedClaim | CountClaim, judged: Judged, evidence: Evidence) -> dict[str, Any]:
    reason = why_not_tested(claim, evidence)
    if reason:
        return not_tested_result(claim, reason, evidence)
    if isinstance(claim, CountClaim):
        return count_result(claim, evidence)
    return tested_result(claim, judged[claim.id], evidence)


def _judge_families(file: ClaimsFile, evidence: Evidence) -> Judged:
    """Judge the claims that can be tested, family by family and scope by scope."""
    testable = [
        claim
        for claim in file.claims
        if isinstance(claim, TestedClaim) and _has_runs(claim, evidence)
        if not why_not_tested(claim, evidence)
    ]
    judged: Judged = {}
    for family, correction in file.families.items():
        for scope in CLAIM_SCOPES:
            members = [c for c in testable if c.family == family and scope in scopes_of(c)]
            effects = [effect_of(claim, scope, evidence, file.alpha) for claim in members]
            p_values = [p_values_of(*pair) for pair in zip(members, effects, strict=True)]
            verdicts = family_verdicts(p_values, file.alpha, correction)
            for claim, effect, verdict in zip(members, effects, verdicts, strict=True):
                numbers = scope_numbers(claim, scope, effect, verdict, evidence, file.alpha)
                judged.setdefault(claim.id, {})[scope] = numbers
    return judged


def _may_change(
    claim: Claim, result: Mapping[str, Any], collapsed: Mapping[str, list[int]]
) -> bool:
    """Return whether a claim's tests read runs that have collapsed; timings are no runs."""
    if isinstance(claim, SpeedClaim) or not result["scopes"]:
        return False
    return any(collapsed[row] for row in rows_of(claim).values())


def _has_runs(claim: Claim, evidence: Evidence) -> bool:
    """Return whether all rows of a claim have a run left."""
    return all(row in evidence.moments for row in rows_of(claim).values())


def _collapse_summary(
    file: ClaimsFile, evidence: Evidence, collapsed: Mapping[str, list[int]]
) -> dict[str, Any]:
    rule = file.collapse_rule
    return {
        "rule": {"split": rule.split, "metric": rule.metric, "worse_than": rule.worse_than},
        "methods": {
            name: {
                "label": evidence.labels.get(name, name),
                "runs": int(method.seeds.size),
                "collapsed_seeds": collapsed[name],
                "rate": len(collapsed[name]) / int(method.seeds.size),
            }
            for name, method in evidence.runs.items()
        },
    }
