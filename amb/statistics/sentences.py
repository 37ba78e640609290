"""Verdicts as sentences. Numbers are rounded here, and only here."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from scipy import stats

from amb.evaluation.metrics import METRICS
from amb.statistics.claim_kinds import (
    CountClaim,
    MagnitudeClaim,
    NoninferiorityClaim,
    NumberClaim,
    OrderingClaim,
    SpeedClaim,
    TestedClaim,
)
from amb.statistics.claim_tests import published_number, target_of
from amb.statistics.effect import Effect
from amb.statistics.evidence import Evidence
from amb.statistics.parameters import ParameterCount
from amb.statistics.verdict import NOT_REPRODUCED, NOT_TESTED, REPRODUCED, SMALLER, Verdict

SCOPE_WORDS = {
    "fixed_set": "On this test set, over seeds",
    "population": "Over new seeds and new videos",
}


def sentence(
    claim: TestedClaim,
    scope: str,
    effect: Effect,
    verdict: Verdict,
    evidence: Evidence,
    alpha: float,
) -> str:
    """Say in plain words what was found and why it means the verdict.

    Args:
        claim: The claim.
        scope: The scope that was tested.
        effect: The effect, positive where the claim is right.
        verdict: The verdict.
        evidence: What the study has.
        alpha: The level.

    Returns:
        One or two sentences.
    """
    opening = _opening(claim, scope, effect, evidence)
    if effect.note:
        return f"{opening} ({_sample(effect, claim)}), but it cannot be tested: {effect.note}."
    interval = f"{_size(effect.ci_low, claim)} to {_size(effect.ci_high, claim)}"
    level = f"{100 * (1 - alpha):g} % interval {interval}"
    why = _why(claim, effect, verdict, alpha)
    return f"{opening} ({level}; {effect.test}, {_sample(effect, claim)}): {why}."


def count_sentence(
    claim: CountClaim, names: Mapping[str, str], a: ParameterCount, b: ParameterCount
) -> str:
    """Say in plain words how the counts compare with the registered limit.

    Args:
        claim: The claim.
        names: What to call its two methods.
        a: Counts of the method that the claim is about.
        b: Counts of the method that it is compared with.

    Returns:
        One sentence.
    """
    ratio = a.trainable / b.trainable
    side = "below" if ratio < claim.threshold else "not below"
    return (
        f"{names['a']} trains {a.trainable:,} parameters ({_percent(a.trainable / a.total)} of its "
        f"own), {names['b']} {b.trainable:,} ({_percent(b.trainable / b.total)} of its own): "
        f"a ratio of {ratio:.3g}, {side} the registered limit of {claim.threshold:g}."
    )


def all_of_sentence(verdict: str, parts: Sequence[Mapping[str, Any]]) -> str:
    """Say which parts decide over a claim that holds if all its parts do.

    Args:
        verdict: The verdict on the whole.
        parts: Results of the parts.

    Returns:
        One sentence.
    """
    decisive = (NOT_REPRODUCED, NOT_TESTED)
    if verdict in decisive:
        names = [part["id"] for part in parts if part["verdict"] == verdict]
        prefix = "not tested: " if verdict == NOT_TESTED else ""
        return f"{prefix}{', '.join(names)} of {len(parts)} parts {_are(names)} {verdict}."
    if verdict == REPRODUCED:
        return f"All {len(parts)} parts are reproduced, each at the level without correction."
    open_parts = [part["id"] for part in parts if part["verdict"] != REPRODUCED]
    return f"Of {len(parts)} parts, {', '.join(open_parts)} {_are(open_parts)} not shown in full."


def _opening(claim: TestedClaim, scope: str, effect: Effect, evidence: Evidence) -> str:
    names = evidence.names(claim)
    if isinstance(claim, SpeedClaim):
        timing = evidence.background.timings[claim.a, claim.b]
        threads = _count(timing.threads, "thread")
        return (
            f"On {timing.hardware} ({threads}), training takes {names['a']} "
            f"{math.exp(-effect.estimate):.3g} of the time of {names['b']} an utterance, "
            f"a log ratio of {_size(effect.estimate, claim)}"
        )
    metric = METRICS[claim.metric].label
    gain = _size(effect.estimate, claim)
    if isinstance(claim, NoninferiorityClaim):
        return (
            f"{SCOPE_WORDS[scope]}, under {claim.corruption} the loss of {names['b']} in {metric} "
            f"exceeds that of {names['a']} by {gain}"
        )
    if isinstance(claim, NumberClaim):
        over = _quoted(claim, evidence)
        return f"{SCOPE_WORDS[scope]}, the gain of {names['a']} over {over} is {gain}"
    return f"{SCOPE_WORDS[scope]}, the gain of {names['a']} over {names['b']} in {metric} is {gain}"


def _quoted(claim: NumberClaim, evidence: Evidence) -> str:
    """Return the published number and, where another is compared, what follows from it."""
    quoted = published_number(claim, evidence.background)
    assert quoted is not None, "why_not_tested comes first"
    metric = METRICS[claim.metric].label
    text = f"the published {metric} of {claim.model} on {claim.dataset}, {quoted.value:.3f}"
    if claim.relative_gain:
        target = target_of(claim, evidence.background)
        text += f" improved by {_percent(claim.relative_gain)} to {target:.3f},"
    return text


def _sample(effect: Effect, claim: TestedClaim) -> str:
    if isinstance(claim, SpeedClaim):
        return "time of interleaved training steps"
    seeds = _count(effect.sizes.seeds_a, "seed")
    return seeds if isinstance(claim, NumberClaim) else f"{seeds} against {effect.sizes.seeds_b}"


def _why(claim: TestedClaim, effect: Effect, verdict: Verdict, alpha: float) -> str:
    p_yes = f"adjusted p = {verdict.p_reproduced_adjusted:.2g}"
    p_no = f"adjusted p = {verdict.p_not_reproduced_adjusted:.2g}"
    outcome = verdict.verdict
    if isinstance(claim, MagnitudeClaim):
        return _why_magnitude(claim, effect, outcome, (p_yes, p_no), alpha)
    if isinstance(claim, NumberClaim):
        return _why_number(claim, outcome, (p_yes, p_no), _seeing(effect, claim))
    if isinstance(claim, NoninferiorityClaim):
        return _why_noninferior(claim, outcome, (p_yes, p_no), _seeing(effect, claim))
    return _why_ordering(claim, effect, outcome, p_yes, p_no)


def _why_ordering(
    claim: OrderingClaim | SpeedClaim, effect: Effect, outcome: str, p_yes: str, p_no: str
) -> str:
    sesoi = _percent(claim.sesoi) if isinstance(claim, SpeedClaim) else _size(claim.sesoi, claim)
    if isinstance(claim, SpeedClaim):
        sesoi += " of that time saved"
    if outcome == REPRODUCED:
        return f"it is above zero ({p_yes})"
    if outcome == NOT_REPRODUCED:
        return f"it is below {sesoi}, the smallest effect of interest ({p_no})"
    if outcome == SMALLER:
        return (
            f"it is above zero ({p_yes}), yet below {sesoi}, the smallest effect of interest "
            f"({p_no})"
        )
    return (
        f"it is neither shown to be above zero ({p_yes}) nor below {sesoi}, the smallest effect of "
        f"interest ({p_no}); {_seeing(effect, claim)}"
    )


def _why_magnitude(
    claim: MagnitudeClaim, effect: Effect, outcome: str, ps: tuple[str, str], alpha: float
) -> str:
    half = float(stats.t.ppf(1 - alpha, effect.df)) * effect.se
    inner = (
        f"its {100 * (1 - 2 * alpha):g} % interval, {_size(effect.estimate - half, claim)} to "
        f"{_size(effect.estimate + half, claim)}"
    )
    band = f"the claimed {_size(claim.claimed, claim)} ± {_size(claim.margin, claim)}"
    if outcome == REPRODUCED:
        return f"{inner}, lies inside {band} ({ps[0]})"
    if outcome == NOT_REPRODUCED:
        return f"the interval lies outside {band} ({ps[1]})"
    seeing = _seeing(effect, claim)
    return f"{inner}, is neither inside {band} ({ps[0]}) nor apart from it ({ps[1]}); {seeing}"


def _why_number(claim: NumberClaim, outcome: str, ps: tuple[str, str], seeing: str) -> str:
    margin = _size(claim.margin, claim)
    if outcome == REPRODUCED:
        return f"it is not worse by the margin of {margin} ({ps[0]})"
    if outcome == NOT_REPRODUCED:
        return f"it is worse by more than {margin}, and than one more run would explain ({ps[1]})"
    return (
        f"it is neither shown to be within the margin of {margin} ({ps[0]}) nor worse than one "
        f"more run would explain ({ps[1]}); {seeing}"
    )


def _why_noninferior(
    claim: NoninferiorityClaim, outcome: str, ps: tuple[str, str], seeing: str
) -> str:
    margin = _size(claim.margin, claim)
    if outcome == REPRODUCED:
        return f"it is not worse by the margin of {margin} ({ps[0]})"
    if outcome == NOT_REPRODUCED:
        return f"it is worse by more than the margin of {margin} ({ps[1]})"
    return (
        f"it is neither shown to be within the margin of {margin} ({ps[0]}) nor beyond it "
        f"({ps[1]}); {seeing}"
    )


def _seeing(effect: Effect, claim: TestedClaim) -> str:
    return f"this test finds a gain of {_size(effect.mde, claim)} with 80 % power"


def _size(value: float, claim: TestedClaim) -> str:
    relative = getattr(claim, "form", "difference") == "relative"
    return _percent(value) if relative else _signed(f"{value:.3f}")


def _percent(share: float) -> str:
    return _signed(f"{100 * share:.2f} %")


def _signed(number: str) -> str:
    """Return a number with a true minus sign, as the tables have it."""
    return number.replace("-", "−")


def _are(names: Sequence[str]) -> str:
    return "is" if len(names) == 1 else "are"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
