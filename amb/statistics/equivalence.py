"""Equivalence: is an effect as large as claimed, within a margin on either side.

Two one-sided tests at α (TOST). With the claimed effect c and the margin m, in either scope:

    1 − 2α interval inside (c − m, c + m)        reproduced
    1 − α interval disjoint from [c − m, c + m]  not reproduced
    neither                                      inconclusive

The p-values say the same: that of equivalence is the larger of the two one-sided ones, and holds
against α; that of a difference is the smaller one on the far side, doubled.

Source: D. J. Schuirmann, Journal of Pharmacokinetics and Biopharmaceutics 15 (1987) 657;
statistics.md of this project ("Verdicts", magnitude).
"""

from __future__ import annotations

from dataclasses import dataclass

from amb.statistics.effect import Effect, t_interval
from amb.statistics.verdict import INCONCLUSIVE, NOT_REPRODUCED, REPRODUCED


@dataclass(frozen=True)
class EquivalenceResult:
    """Outcome of an equivalence test.

    Attributes:
        verdict: Reproduced, not reproduced or inconclusive.
        band: Claimed effect minus and plus the margin.
        narrow: The 1 − 2α interval of the effect.
        wide: Its 1 − α interval.
        p_inside: p-value of H0 "the effect is not within the band".
        p_outside: p-value of H0 "the effect is within the band".
        alpha: Level.
        note: Why nothing could be tested; empty otherwise.
    """

    verdict: str
    band: tuple[float, float]
    narrow: tuple[float, float]
    wide: tuple[float, float]
    p_inside: float
    p_outside: float
    alpha: float
    note: str = ""


def equivalence_test(effect: Effect, claimed: float, margin: float) -> EquivalenceResult:
    """Test whether an effect is within ``claimed`` ± ``margin``, at the effect's own level.

    Args:
        effect: The effect, of either scope.
        claimed: The claimed effect, in the effect's unit and direction.
        margin: Half the width of the band, above 0.

    Returns:
        The result; inconclusive where the effect could not be tested.

    Raises:
        ValueError: The margin is not above 0.
    """
    if not margin > 0:
        raise ValueError(f"margin {margin}: must be above 0")
    low, high = claimed - margin, claimed + margin
    alpha = effect.alpha
    p_inside = p_outside = float("nan")
    if not effect.note:
        p_inside = max(effect.p_greater(low), effect.p_less(high))
        p_outside = min(1.0, 2 * min(effect.p_greater(high), effect.p_less(low)))
    verdict = INCONCLUSIVE
    if p_inside < alpha:
        verdict = REPRODUCED
    elif p_outside < alpha:
        verdict = NOT_REPRODUCED
    return EquivalenceResult(
        verdict=verdict,
        band=(low, high),
        narrow=t_interval(effect, 1 - 2 * alpha),
        wide=t_interval(effect, 1 - alpha),
        p_inside=p_inside,
        p_outside=p_outside,
        alpha=alpha,
        note=effect.note,
    )
