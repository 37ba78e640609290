"""Non-inferiority: ``a`` is worse than ``b`` by less than a margin, if at all.

With the 1 − α interval of the effect (positive where ``a`` is better) and the margin m:

    lower bound > −m   not inferior
    upper bound < −m   inferior
    neither            inconclusive

Each bound is a one-sided test at α/2, as in ``verdict``; the p-values are doubled, to be held
against α.

Source: G. Piaggio et al., JAMA 308 (2012) 2594 (CONSORT); statistics.md of this project
("Verdicts", robust to noise).
"""

from __future__ import annotations

from dataclasses import dataclass

from amb.statistics.effect import Effect
from amb.statistics.verdict import INCONCLUSIVE

NOT_INFERIOR = "not inferior"
INFERIOR = "inferior"


@dataclass(frozen=True)
class NoninferiorityResult:
    """Outcome of a non-inferiority test.

    Attributes:
        verdict: Not inferior, inferior or inconclusive.
        margin: The largest loss that does not matter.
        p_not_inferior: Doubled one-sided p-value of H0 "a loss of the margin or more".
        p_inferior: Doubled one-sided p-value of H0 "a loss of the margin at most".
        alpha: Level.
        note: Why nothing could be tested; empty otherwise.
    """

    verdict: str
    margin: float
    p_not_inferior: float
    p_inferior: float
    alpha: float
    note: str = ""


def noninferiority_test(effect: Effect, margin: float) -> NoninferiorityResult:
    """Test whether ``a`` loses less than the margin, at the effect's own level.

    Args:
        effect: The effect, of either scope, positive where ``a`` is better.
        margin: The largest loss that does not matter, 0 or above, in the effect's unit.

    Returns:
        The result; inconclusive where the effect could not be tested.

    Raises:
        ValueError: The margin is below 0 or no number.
    """
    if not margin >= 0:
        raise ValueError(f"margin {margin}: must be 0 or above")
    p_yes = p_no = float("nan")
    if not effect.note:
        p_yes = min(1.0, 2 * effect.p_greater(-margin))
        p_no = min(1.0, 2 * effect.p_less(-margin))
    verdict = INCONCLUSIVE
    if p_yes < effect.alpha:
        verdict = NOT_INFERIOR
    elif p_no < effect.alpha:
        verdict = INFERIOR
    return NoninferiorityResult(verdict, margin, p_yes, p_no, effect.alpha, effect.note)
