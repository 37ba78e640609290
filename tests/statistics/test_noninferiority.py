"""Non-inferiority: one bound against the margin, with numbers worked by hand."""

import math

import pytest

from amb.statistics.effect import SampleSizes, t_effect, untestable
from amb.statistics.noninferiority import noninferiority_p_values
from amb.statistics.verdict import family_verdicts

SIZES = SampleSizes(5, 5, 100, 10)


@pytest.mark.parametrize(
    ("estimate", "verdict"),
    [
        # Half-width 2.0860 · 0.01 = 0.0209 (df 20); margin 0.03.
        (-0.008, "reproduced"),  # from −0.0289
        (-0.010, "inconclusive"),  # from −0.0309
        (-0.050, "inconclusive"),  # up to −0.0291
        (-0.052, "not reproduced"),  # up to −0.0311
        (0.2, "reproduced"),
    ],
)
def test_verdicts_worked_by_hand(estimate, verdict):
    effect = t_effect(estimate, 0.01**2, 20.0, 0.05, "t", SIZES)
    p = noninferiority_p_values(effect, 0.03)
    assert family_verdicts([p], 0.05, "holm")[0].verdict == verdict
    above, below = effect.ci_low > -0.03, effect.ci_high < -0.03
    assert (above, below) == (verdict == "reproduced", verdict == "not reproduced")


def test_without_a_test_both_are_undefined():
    p = noninferiority_p_values(untestable(0.1, 0.05, "t", SIZES, "one seed"), 0.03)
    assert math.isnan(p.reproduced)
    assert math.isnan(p.not_reproduced)
