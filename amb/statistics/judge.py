"""From registered claims and stored predictions to verdicts: the content of ``claims.json``."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd

from amb.evaluation.predictions import MethodRuns, run_folder, runs_by_method
from amb.statistics.claims import ClaimsFile, CountClaim, OrderingClaim
from amb.statistics.collapse import collapsed_seeds
from amb.statistics.effect import Effect
from amb.statistics.moments import metric_table, moment_table
from amb.statistics.parameters import ParameterCount
from amb.statistics.scopes import SCOPES, effect_in_scope
from amb.statistics.sentences import count_sentence, ordering_sentence
from amb.statistics.verdict import (
    NOT_REPRODUCED,
    NOT_TESTED,
    REPRODUCED,
    OrderingVerdict,
    ordering_verdicts,
)

Judged = dict[str, dict[str, dict[str, Any]]]  # claim id → scope → numbers
EMPTY: dict[str, Any] = {
    **{"metric": None, "sesoi": None, "family": None, "headline_scope": None},
    **{"scopes": {}, "without_collapsed": None, "counts": None},
    **{"seeds": None, "n_items": None, "n_videos": None, "runs": []},
}


def judge(
    file: ClaimsFile,
    predictions: pd.DataFrame,
    parameters: Mapping[str, ParameterCount],
    labels: Mapping[str, str],
) -> dict[str, Any]:
    """Judge every claim of a file.

    Orderings are tested on the test split, in both scopes; the verdict is that of the registered
    headline scope, with all runs. Where runs have collapsed, ``without_collapsed`` repeats the
    tests without them; it is empty where a method has no other runs. A claim about a method that
    was not run is "not tested", and is no part of its family.

    Args:
        file: The claims.
        predictions: Frame of ``read_predictions``.
        parameters: Method to its parameter counts.
        labels: Method to what people call it; a method that is not in it keeps its name.

    Returns:
        JSON-able values: ``claims_sha256``, ``alpha``, ``collapse`` (rule, and per method the
        collapsed seeds and their rate) and ``claims``. A number that is undefined is None. In each
        scope ``p`` is the doubled one-sided p-value of "no gain": the two-sided p-value wherever
        the estimate is positive.
    """
    runs = runs_by_method(predictions)
    collapsed = collapsed_seeds(predictions, file.collapse_rule)
    healthy = {name: _without(method, collapsed[name]) for name, method in runs.items()}
    everything = _judge_orderings(file, runs, labels)
    sensitivity = _judge_orderings(file, healthy, labels) if any(collapsed.values()) else {}
    claims = []
    for claim in file.claims:
        absent = [name for name in (claim.a, claim.b) if name not in runs]
        if absent:
            claims.append(_not_tested(claim, absent[0], labels))
        elif isinstance(claim, CountClaim):
            claims.append(_count_result(claim, runs, parameters, labels))
        else:
            result = _ordering_result(claim, everything[claim.id], runs, labels)
            if collapsed[claim.a] or collapsed[claim.b]:
                result["without_collapsed"] = sensitivity.get(claim.id, {})
            claims.append(result)
    return {
        "claims_sha256": file.sha256,
        "alpha": file.alpha,
        "collapse": _collapse_summary(file, runs, collapsed, labels),
        "claims": claims,
    }


def _without(runs: MethodRuns, seeds: list[int]) -> MethodRuns:
    kept = ~pd.Index(runs.seeds).isin(seeds)
    return replace(runs, seeds=runs.seeds[kept], predictions=runs.predictions[kept])


def _judge_orderings(
    file: ClaimsFile, runs: Mapping[str, MethodRuns], labels: Mapping[str, str]
) -> Judged:
    """Judge the orderings that can be tested, family by family and scope by scope."""
    moments = {name: moment_table(method) for name, method in runs.items() if method.seeds.size}
    judged: Judged = {}
    for family, correction in file.families.items():
        members = [
            claim
            for claim in file.claims
            if isinstance(claim, OrderingClaim)
            and claim.family == family
            and claim.a in moments
            and claim.b in moments
        ]
        for scope in SCOPES:
            effects = []
            for claim in members:
                a, b = (metric_table(moments[name], claim.metric) for name in (claim.a, claim.b))
                effects.append(effect_in_scope(scope, a, b, claim.metric, claim.form, file.alpha))
            sesois = [claim.sesoi for claim in members]
            verdicts = ordering_verdicts(effects, sesois, file.alpha, correction)
            for claim, effect, verdict in zip(members, effects, verdicts, strict=True):
                numbers = _numbers(claim, _names(claim, labels), scope, effect, verdict, file.alpha)
                judged.setdefault(claim.id, {})[scope] = numbers
    return judged


def _names(claim: OrderingClaim | CountClaim, labels: Mapping[str, str]) -> tuple[str, str]:
    return labels.get(claim.a, claim.a), labels.get(claim.b, claim.b)


def _numbers(
    claim: OrderingClaim,
    names: tuple[str, str],
    scope: str,
    effect: Effect,
    verdict: OrderingVerdict,
    alpha: float,
) -> dict[str, Any]:
    return {
        "estimate": _json_number(effect.estimate),
        "ci_low": _json_number(effect.ci_low),
        "ci_high": _json_number(effect.ci_high),
        "se": _json_number(effect.se),
        "df": _json_number(effect.df),
        "p": _json_number(verdict.p_reproduced),
        "p_adjusted": _json_number(verdict.p_reproduced_adjusted),
        "p_not_reproduced": _json_number(verdict.p_not_reproduced),
        "p_not_reproduced_adjusted": _json_number(verdict.p_not_reproduced_adjusted),
        "mde": _json_number(effect.mde),
        "test": effect.test,
        "seeds": {"a": effect.sizes.seeds_a, "b": effect.sizes.seeds_b},
        "n_items": effect.sizes.n_items,
        "n_videos": effect.sizes.n_videos,
        "note": effect.note,
        "verdict": verdict.verdict,
        "reason": ordering_sentence(claim, names, scope, effect, verdict, alpha),
    }


def _ordering_result(
    claim: OrderingClaim,
    scopes: dict[str, dict[str, Any]],
    runs: Mapping[str, MethodRuns],
    labels: Mapping[str, str],
) -> dict[str, Any]:
    headline = scopes[claim.headline_scope]
    return {
        **_identity(claim, labels),
        **_runs_of(claim, runs),
        "scopes": scopes,
        "n_items": headline["n_items"],
        "n_videos": headline["n_videos"],
        "verdict": headline["verdict"],
        "reason": headline["reason"],
    }


def _count_result(
    claim: CountClaim,
    runs: Mapping[str, MethodRuns],
    parameters: Mapping[str, ParameterCount],
    labels: Mapping[str, str],
) -> dict[str, Any]:
    a, b = parameters[claim.a], parameters[claim.b]
    ratio = a.trainable / b.trainable
    return {
        **_identity(claim, labels),
        **_runs_of(claim, runs),
        "counts": {
            "quantity": claim.quantity,
            "a": a.trainable,
            "b": b.trainable,
            "ratio": ratio,
            "threshold": claim.threshold,
            "share_of_own_total": {"a": a.trainable / a.total, "b": b.trainable / b.total},
        },
        "verdict": REPRODUCED if ratio < claim.threshold else NOT_REPRODUCED,
        "reason": count_sentence(claim, _names(claim, labels), a, b),
    }


def _not_tested(
    claim: OrderingClaim | CountClaim, absent: str, labels: Mapping[str, str]
) -> dict[str, Any]:
    reason = f"not tested: method {absent} is not in this study"
    return {**_identity(claim, labels), "verdict": NOT_TESTED, "reason": reason}


def _identity(claim: OrderingClaim | CountClaim, labels: Mapping[str, str]) -> dict[str, Any]:
    """Return what the claim says, with every key of the contract present."""
    result: dict[str, Any] = {
        **EMPTY,
        "id": claim.id,
        "statement": claim.statement,
        "source": claim.source,
        "kind": claim.kind,
        "contrast": {
            **{"a": claim.a, "b": claim.b, "form": None},
            "labels": dict(zip("ab", _names(claim, labels), strict=True)),
        },
    }
    if isinstance(claim, OrderingClaim):
        result["contrast"]["form"] = claim.form
        for key in ("metric", "sesoi", "family", "headline_scope"):
            result[key] = getattr(claim, key)
    return result


def _runs_of(claim: OrderingClaim | CountClaim, runs: Mapping[str, MethodRuns]) -> dict[str, Any]:
    """Return the sample sizes and the folders, relative to the results folder, of both methods."""
    return {
        "seeds": {"a": int(runs[claim.a].seeds.size), "b": int(runs[claim.b].seeds.size)},
        "runs": [
            run_folder(Path("runs"), name, int(seed)).as_posix()
            for name in (claim.a, claim.b)
            for seed in runs[name].seeds
        ],
    }


def _collapse_summary(
    file: ClaimsFile,
    runs: Mapping[str, MethodRuns],
    collapsed: Mapping[str, list[int]],
    labels: Mapping[str, str],
) -> dict[str, Any]:
    rule = file.collapse_rule
    return {
        "rule": {"split": rule.split, "metric": rule.metric, "worse_than": rule.worse_than},
        "methods": {
            name: {
                "label": labels.get(name, name),
                "runs": int(method.seeds.size),
                "collapsed_seeds": collapsed[name],
                "rate": len(collapsed[name]) / int(method.seeds.size),
            }
            for name, method in runs.items()
        },
    }


def _json_number(value: float) -> float | None:
    """Return the number, or None where it is undefined: JSON has no NaN."""
    return float(value) if math.isfinite(value) else None
