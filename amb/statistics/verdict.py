"""Verdicts on claims: reproduced, not reproduced, or neither.

Every kind of claim that is tested turns its effect into two p-values, one for the claim and one
against it; from there on all kinds are treated alike. For a claimed ordering, with the 1 − α
interval of the effect and the claim's smallest effect of interest (SESOI):

    lower bound > 0                          reproduced
    upper bound < SESOI                      not reproduced
    both                                     real but smaller than claimed
    neither                                  inconclusive

Each bound is a one-sided test at α/2. Doubling its p-value gives a number to hold against α:

    p_reproduced     = min(1, 2 · P(T ≥ θ̂/SE))            H0: θ ≤ 0
    p_not_reproduced = min(1, 2 · P(T ≤ (θ̂ − SESOI)/SE))  H0: θ ≥ SESOI

The other kinds have modules of their own: ``equivalence``, ``noninferiority``,
``published_number``.

Over several claims of a family, both sets are corrected, each as a family of its own: they answer
opposite questions, and a claim's failure must not make another's success harder to show. With one
claim in the family the rule is exactly the rule of the interval.

``intersection_union`` is for the parts of "better on all metrics": all of them must be reproduced,
so each is tested at α; one that is not reproduced is enough to refute the whole, so that side is
corrected by Holm.

Source: statistics.md of this project ("Verdicts", "Multiplicity"); R. L. Berger, Technometrics 24
(1982) 295, for the intersection-union test.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from amb.statistics.effect import Effect
from amb.statistics.multiplicity import adjust

REPRODUCED = "reproduced"
NOT_REPRODUCED = "not reproduced"
INCONCLUSIVE = "inconclusive"
SMALLER = "real but smaller than claimed"
NOT_TESTED = "not tested"

INTERSECTION_UNION = "intersection_union"


@dataclass(frozen=True)
class PValues:
    """What one claim holds against α before correction: for it, and against it."""

    reproduced: float
    not_reproduced: float


@dataclass(frozen=True)
class Verdict:
    """The verdict on one claim in one scope.

    Attributes:
        verdict: One of the sentences above.
        p_reproduced: The p-value whose smallness speaks for the claim.
        p_reproduced_adjusted: The same, corrected over the family.
        p_not_reproduced: The p-value whose smallness speaks against it.
        p_not_reproduced_adjusted: The same, corrected over the family.
    """

    verdict: str
    p_reproduced: float
    p_reproduced_adjusted: float
    p_not_reproduced: float
    p_not_reproduced_adjusted: float


def ordering_p_values(effect: Effect, sesoi: float) -> PValues:
    """Return the p-values of "no gain" and of "a gain of the SESOI or more".

    Args:
        effect: The effect, positive where the claim is right.
        sesoi: Smallest effect of interest, in the effect's unit.

    Returns:
        Both, doubled one-sided; NaN where the effect has no test.
    """
    return PValues(doubled(effect.p_greater(0.0)), doubled(effect.p_less(sesoi)))


def ordering_verdicts(
    effects: Sequence[Effect], sesois: Sequence[float], alpha: float, correction: str = "holm"
) -> list[Verdict]:
    """Judge the orderings of one family in one scope.

    Args:
        effects: Effect of every claim, positive where the claim is right.
        sesois: Smallest effect of interest of every claim, in the effect's unit.
        alpha: Family-wise level of each of the two families.
        correction: As in ``family_verdicts``.

    Returns:
        A verdict a claim, in the order given.
    """
    pairs = zip(effects, sesois, strict=True)
    return family_verdicts([ordering_p_values(*pair) for pair in pairs], alpha, correction)


def family_verdicts(p_values: Sequence[PValues], alpha: float, correction: str) -> list[Verdict]:
    """Judge the claims of one family in one scope.

    Args:
        p_values: Of every claim; NaN marks one that could not be tested.
        alpha: Family-wise level of each of the two families.
        correction: ``holm``, ``bh`` or ``intersection_union``.

    Returns:
        A verdict a claim, in the order given. What could not be tested is inconclusive.
    """
    reproduced = [p.reproduced for p in p_values]
    refuted = [p.not_reproduced for p in p_values]
    united = correction == INTERSECTION_UNION
    columns = (
        reproduced,
        reproduced if united else adjust(reproduced, correction),
        refuted,
        adjust(refuted, "holm" if united else correction),
    )
    return [
        Verdict(_verdict(yes < alpha, no < alpha), *map(float, (p_yes, yes, p_no, no)))
        for p_yes, yes, p_no, no in zip(*columns, strict=True)
    ]


def doubled(p: float) -> float:
    """Return a one-sided p-value at α/2 as a number to hold against α."""
    return float(np.minimum(1.0, 2 * p))  # NaN stays NaN, which Python's min would lose


def combined_verdict(parts: Sequence[str]) -> str:
    """Return the verdict on "all of these": of an intersection-union test.

    Args:
        parts: Verdicts of the parts.

    Returns:
        Not reproduced if any part is not, else not tested if any part is not, else reproduced if
        all are; "real but smaller" if all are real and some are smaller; else inconclusive.
    """
    for decisive in (NOT_REPRODUCED, NOT_TESTED):
        if decisive in parts:
            return decisive
    if set(parts) <= {REPRODUCED, SMALLER}:
        return SMALLER if SMALLER in parts else REPRODUCED
    return INCONCLUSIVE


def _verdict(for_it: bool, against_it: bool) -> str:
    if for_it:
        return SMALLER if against_it else REPRODUCED
    return NOT_REPRODUCED if against_it else INCONCLUSIVE
