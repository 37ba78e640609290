"""How large an effect a test could have seen: printed beside every result that is not significant.

    MDE = (t_{1−α/2, df} + t_{0.8, df}) · SE

the smallest true effect that a two-sided test at α finds with 80 % power.

Source: statistics.md of this project ("Verdicts"); H. S. Bloom, Evaluation Review 19 (1995) 547.
"""

from __future__ import annotations

from scipy.special import stdtrit

POWER = 0.8


def minimum_detectable_effect(se: float, df: float, alpha: float = 0.05) -> float:
    """Return the smallest effect found with 80 % power.

    Args:
        se: Standard error of the estimate, in the effect's unit.
        df: Degrees of freedom.
        alpha: Two-sided significance level.

    Returns:
        The minimum detectable effect, in the effect's unit.
    """
    return float((stdtrit(df, 1 - alpha / 2) + stdtrit(df, POWER)) * se)
