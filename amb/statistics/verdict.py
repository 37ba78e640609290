"""Verdicts on a claimed ordering: reproduced, not reproduced, or neither.

For one claim and one scope, with the 1 − α interval of the effect and the claim's smallest effect
of interest (SESOI):

    lower bound > 0                          reproduced
    upper bound < SESOI                      not reproduced
    both                                     real but smaller than claimed
    neither                                  inconclusive

Each bound is a one-sided test at α/2. Doubling its p-value gives a number to hold against α:

    p_reproduced     = min(1, 2 · P(T ≥ θ̂/SE))            H0: θ ≤ 0
    p_not_reproduced = min(1, 2 · P(T ≤ (θ̂ − SESOI)/SE))  H0: θ ≥ SESOI

Over several claims of a family, both sets are corrected, each as a family of its own: they answer
opposite questions, and a claim's failure must not make another's success harder to show. With one
claim in the family the rule is exactly the rule of the interval.

Source: statistics.md of this project ("Verdicts", "Multiplicity").
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


@dataclass(frozen=True)
class OrderingVerdict:
    """The verdict on one claim in one scope.

    Attributes:
        verdict: One of the four sentences above.
        p_reproduced: Doubled one-sided p-value of "no gain".
        p_reproduced_adjusted: The same, corrected over the family.
        p_not_reproduced: Doubled one-sided p-value of "a gain of the SESOI or more".
        p_not_reproduced_adjusted: The same, corrected over the family.
    """

    verdict: str
    p_reproduced: float
    p_reproduced_adjusted: float
    p_not_reproduced: float
    p_not_reproduced_adjusted: float


def ordering_verdicts(
    effects: Sequence[Effect], sesois: Sequence[float], alpha: float, correction: str = "holm"
) -> list[OrderingVerdict]:
    """Judge the claims of one family in one scope.

    Args:
        effects: Effect of every claim, positive where the claim is right.
        sesois: Smallest effect of interest of every claim, in the effect's unit.
        alpha: Family-wise level of each of the two families.
        correction: ``holm`` or ``bh``.

    Returns:
        A verdict a claim, in the order given. What could not be tested is inconclusive.
    """
    reproduced = [_doubled(effect.p_greater(0.0)) for effect in effects]
    refuted = [
        _doubled(effect.p_less(sesoi)) for effect, sesoi in zip(effects, sesois, strict=True)
    ]
    columns = (reproduced, adjust(reproduced, correction), refuted, adjust(refuted, correction))
    return [
        OrderingVerdict(_verdict(yes < alpha, no < alpha), *map(float, (p_yes, yes, p_no, no)))
        for p_yes, yes, p_no, no in zip(*columns, strict=True)
    ]


def _doubled(p: float) -> float:
    return float(np.minimum(1.0, 2 * p))  # NaN stays NaN, which Python's min would lose


def _verdict(above_zero: bool, below_sesoi: bool) -> str:
    if above_zero:
        return SMALLER if below_sesoi else REPRODUCED
    return NOT_REPRODUCED if below_sesoi else INCONCLUSIVE
