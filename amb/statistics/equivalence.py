"""Does an effect have the size that is claimed? Equivalence by two one-sided tests (TOST).

With the claimed effect c and a margin m, the band is c ± m:

    90 % interval inside the band            reproduced
    95 % interval disjoint from the band     not reproduced
    neither                                  inconclusive

(1 − 2α and 1 − α, for α = .05.) As p-values to hold against α:

    p_reproduced     = max( P(T ≥ (θ̂ − (c − m))/SE), P(T ≤ (θ̂ − (c + m))/SE) )
    p_not_reproduced = min(1, 2 · min( P(T ≤ (θ̂ − (c − m))/SE), P(T ≥ (θ̂ − (c + m))/SE) ))

Source: statistics.md of this project ("Verdicts"); D. J. Schuirmann, Journal of Pharmacokinetics
and Biopharmaceutics 15 (1987) 657.
"""

from __future__ import annotations

import numpy as np

from amb.statistics.effect import Effect
from amb.statistics.verdict import PValues, doubled


def equivalence_p_values(effect: Effect, claimed: float, margin: float) -> PValues:
    """Hold an effect against a claimed size.

    Args:
        effect: The effect, positive where ``a`` is better.
        claimed: The claimed effect, in the effect's unit.
        margin: Half the width of the band that counts as the claimed size, in the same unit.

    Returns:
        The p-values of "outside the band" and of "inside the band"; NaN without a test.
    """
    low, high = claimed - margin, claimed + margin
    # NumPy's maximum keeps NaN, which Python's max would lose.
    outside = float(np.maximum(effect.p_greater(low), effect.p_less(high)))
    inside = float(np.minimum(effect.p_less(low), effect.p_greater(high)))
    return PValues(outside, doubled(inside))
