"""How each kind of claim is tested: in which scopes, by which effect, against which p-values."""

from __future__ import annotations

from amb.evaluation.metrics import METRICS
from amb.statistics.claim_kinds import (
    AllOfClaim,
    Claim,
    MagnitudeClaim,
    NoninferiorityClaim,
    NumberClaim,
    OrderingClaim,
    SpeedClaim,
    TestedClaim,
    rows_of,
)
from amb.statistics.effect import Effect
from amb.statistics.equivalence import equivalence_p_values
from amb.statistics.evidence import Background, Evidence
from amb.statistics.noise import degradation, why_no_noise
from amb.statistics.noninferiority import noninferiority_p_values
from amb.statistics.published import PublishedNumber
from amb.statistics.published_number import (
    implied_number,
    published_number_p_values,
    published_number_test,
)
from amb.statistics.scopes import SCOPES, effect_in_scope
from amb.statistics.speed import log_ratio_of_gain, speed_test
from amb.statistics.verdict import PValues, ordering_p_values

# What is random where training steps are timed: the blocks, on one machine.
HARDWARE_SCOPE = "this_hardware"
CLAIM_SCOPES = (*SCOPES, HARDWARE_SCOPE)


def why_not_tested(claim: Claim, evidence: Evidence) -> str:
    """Return why this study cannot test a claim, or nothing.

    Args:
        claim: The claim.
        evidence: What the study has.

    Returns:
        The reason, without a full stop.
    """
    background = evidence.background
    if isinstance(claim, AllOfClaim):
        return ""
    if claim.dataset is not None and claim.dataset != background.dataset:
        data = background.dataset or "of no known data set"
        return f"the claim is about {claim.dataset}, this study's data are {data}"
    for row in rows_of(claim).values():
        if row not in evidence.runs:
            return f"method {row} is not in this study"
    if isinstance(claim, NumberClaim) and published_number(claim, background) is None:
        return f"no published number of {claim.model} was given"
    if isinstance(claim, NoninferiorityClaim):
        return why_no_noise(background.corrupted, claim)
    if isinstance(claim, SpeedClaim) and (claim.a, claim.b) not in background.timings:
        return "this study does not time training steps (statistics.speed)"
    return ""


def published_number(claim: NumberClaim, background: Background) -> PublishedNumber | None:
    """Return the number that a claim refers to; None where nobody is quoted with it."""
    return background.published.find(claim.dataset, claim.model, claim.metric)


def target_of(claim: NumberClaim, background: Background) -> float:
    """Return the number that our row is held against."""
    quoted = published_number(claim, background)
    assert quoted is not None, "why_not_tested comes first"
    higher = METRICS[claim.metric].higher_is_better
    return implied_number(quoted.value, claim.relative_gain, higher)


def scopes_of(claim: TestedClaim) -> tuple[str, ...]:
    """Return the scopes that a claim is tested in."""
    return (claim.headline_scope,) if isinstance(claim, NumberClaim | SpeedClaim) else SCOPES


def effect_of(claim: TestedClaim, scope: str, evidence: Evidence, alpha: float) -> Effect:
    """Estimate what a claim is about, in one scope.

    Args:
        claim: A claim that this study can test.
        scope: One of its scopes.
        evidence: What the study has.
        alpha: Two-sided significance level.

    Returns:
        The effect, positive where the claim is right.
    """
    if isinstance(claim, SpeedClaim):
        return speed_test(evidence.background.timings[claim.a, claim.b], alpha)
    if isinstance(claim, NoninferiorityClaim):
        corrupted = evidence.background.corrupted
        assert corrupted is not None, "why_not_tested comes first"
        return degradation(corrupted, claim, scope, alpha)
    a = evidence.table(claim.a, claim.metric)
    if isinstance(claim, NumberClaim):
        return published_number_test(
            a.values,
            target_of(claim, evidence.background),
            higher_is_better=METRICS[claim.metric].higher_is_better,
            alpha=alpha,
            n_items=a.n_items,
            n_videos=a.videos.size,
        )
    b = evidence.table(claim.b, claim.metric)
    return effect_in_scope(scope, a, b, claim.metric, claim.form, alpha)


def p_values_of(claim: TestedClaim, effect: Effect) -> PValues:
    """Return what is held against α, for and against a claim.

    Args:
        claim: The claim.
        effect: Its effect in one scope.

    Returns:
        Both p-values, before correction.
    """
    if isinstance(claim, OrderingClaim):
        return ordering_p_values(effect, claim.sesoi)
    if isinstance(claim, MagnitudeClaim):
        return equivalence_p_values(effect, claim.claimed, claim.margin)
    if isinstance(claim, NoninferiorityClaim):
        return noninferiority_p_values(effect, claim.margin)
    if isinstance(claim, NumberClaim):
        return published_number_p_values(effect, claim.margin)
    return ordering_p_values(effect, log_ratio_of_gain(claim.sesoi))
