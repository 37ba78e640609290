"""Is a method no worse than another by more than a margin? The one-sided test of non-inferiority.

With the effect θ, positive where ``a`` is better, and a margin m > 0:

    lower bound > −m                         reproduced
    upper bound < −m                         not reproduced
    neither                                  inconclusive

Both bounds are those of the 1 − α interval, so the p-values are doubled one-sided ones.

Source: statistics.md of this project ("Verdicts"); ICH E9, Statistical Principles for Clinical
Trials (1998), section 3.3.2.
"""

from __future__ import annotations

from amb.statistics.effect import Effect
from amb.statistics.verdict import PValues, doubled


def noninferiority_p_values(effect: Effect, margin: float) -> PValues:
    """Hold an effect against a margin of non-inferiority.

    Args:
        effect: The effect, positive where ``a`` is better.
        margin: The loss that still counts as none, positive, in the effect's unit.

    Returns:
        The p-values of "worse by the margin or more" and of "not that much worse"; NaN without a
        test.
    """
    return PValues(doubled(effect.p_greater(-margin)), doubled(effect.p_less(-margin)))
