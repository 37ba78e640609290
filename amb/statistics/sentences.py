"""Verdicts as sentences. Numbers are rounded here, and only here."""

from __future__ import annotations

from amb.evaluation.metrics import METRICS
from amb.statistics.claims import CountClaim, OrderingClaim
from amb.statistics.effect import Effect
from amb.statistics.parameters import ParameterCount
from amb.statistics.verdict import NOT_REPRODUCED, REPRODUCED, SMALLER, OrderingVerdict

SCOPE_WORDS = {
    "fixed_set": "On this test set, over seeds",
    "population": "Over new seeds and new videos",
}


def ordering_sentence(
    claim: OrderingClaim,
    names: tuple[str, str],
    scope: str,
    effect: Effect,
    verdict: OrderingVerdict,
    alpha: float,
) -> str:
    """Say in plain words what was found and why it means the verdict.

    Args:
        claim: The claim.
        names: What to call its two methods.
        scope: The scope that was tested.
        effect: The effect, positive where the claim is right.
        verdict: The verdict.
        alpha: The level.

    Returns:
        One or two sentences.
    """
    gain = _size(effect.estimate, claim)
    metric = METRICS[claim.metric].label
    opening = f"{SCOPE_WORDS[scope]}, the gain of {names[0]} over {names[1]} in {metric} is {gain}"
    sizes = effect.sizes
    seeds = f"{_count(sizes.seeds_a, 'seed')} against {sizes.seeds_b}"
    if effect.note:
        return f"{opening} ({seeds}), but it cannot be tested: {effect.note}."
    interval = f"{_size(effect.ci_low, claim)} to {_size(effect.ci_high, claim)}"
    level = f"{100 * (1 - alpha):g} % interval {interval}"
    return f"{opening} ({level}; {effect.test}, {seeds}): {_why(claim, effect, verdict)}."


def count_sentence(
    claim: CountClaim, names: tuple[str, str], a: ParameterCount, b: ParameterCount
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
        f"{names[0]} trains {a.trainable:,} parameters ({_percent(a.trainable / a.total)} of its "
        f"own), {names[1]} {b.trainable:,} ({_percent(b.trainable / b.total)} of its own): a ratio "
        f"of {ratio:.3g}, {side} the registered limit of {claim.threshold:g}."
    )


def _why(claim: OrderingClaim, effect: Effect, verdict: OrderingVerdict) -> str:
    p_yes = f"adjusted p = {verdict.p_reproduced_adjusted:.2g}"
    p_no = f"adjusted p = {verdict.p_not_reproduced_adjusted:.2g}"
    sesoi = _size(claim.sesoi, claim)
    if verdict.verdict == REPRODUCED:
        return f"it is above zero ({p_yes})"
    if verdict.verdict == NOT_REPRODUCED:
        return f"it is below {sesoi}, the smallest effect of interest ({p_no})"
    if verdict.verdict == SMALLER:
        return (
            f"it is above zero ({p_yes}), yet below {sesoi}, the smallest effect of interest "
            f"({p_no})"
        )
    return (
        f"it is neither shown to be above zero ({p_yes}) nor below {sesoi}, the smallest effect of "
        f"interest ({p_no}); this test finds a gain of {_size(effect.mde, claim)} with 80 % power"
    )


def _size(value: float, claim: OrderingClaim) -> str:
    return _percent(value) if claim.form == "relative" else _signed(f"{value:.3f}")


def _percent(share: float) -> str:
    return _signed(f"{100 * share:.2f} %")


def _signed(number: str) -> str:
    """Return a number with a true minus sign, as the tables have it."""
    return number.replace("-", "−")


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
