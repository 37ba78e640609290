"""Equivalence: the verdicts of two intervals and one band, with numbers worked by hand."""

import math

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.weightstats import DescrStatsW

from amb.statistics.effect import SampleSizes, t_effect, untestable
from amb.statistics.equivalence import equivalence_p_values
from amb.statistics.verdict import family_verdicts

SIZES = SampleSizes(5, 5, 100, 10)


def effect(estimate, se=0.005, df=20.0):
    return t_effect(estimate, se**2, df, 0.05, "Welch t over seeds", SIZES)


@pytest.mark.parametrize(
    ("estimate", "se", "verdict"),
    [
        # Band 0.017 to 0.051; t.95(20) = 1.7247, t.975(20) = 2.0860.
        (0.034, 0.0098, "reproduced"),  # 90 % half-width 0.0169: 0.0171 to 0.0509
        (0.034, 0.0099, "inconclusive"),  # 0.0171: 0.0169 to 0.0511
        (0.042, 0.005, "reproduced"),  # 0.0334 to 0.0506
        (0.043, 0.005, "inconclusive"),  # 0.0344 to 0.0516
        (0.006, 0.005, "not reproduced"),  # 95 %: up to 0.0164
        (0.007, 0.005, "inconclusive"),  # 95 %: up to 0.0174
        (0.062, 0.005, "not reproduced"),  # 95 %: from 0.0516: a larger gain is another one
        (0.061, 0.005, "inconclusive"),  # 95 %: from 0.0506
    ],
)
def test_verdicts_worked_by_hand(estimate, se, verdict):
    p = equivalence_p_values(effect(estimate, se), claimed=0.034, margin=0.017)
    assert family_verdicts([p], 0.05, "holm")[0].verdict == verdict


def test_with_one_claim_the_verdict_is_exactly_that_of_the_two_intervals():
    rng = np.random.default_rng(1)
    for _ in range(200):
        found = effect(rng.normal(0.034, 0.03), rng.uniform(0.001, 0.02), rng.uniform(1, 30))
        half = stats.t.ppf(0.95, found.df) * found.se
        inside = found.estimate - half > 0.017 and found.estimate + half < 0.051
        apart = found.ci_high < 0.017 or found.ci_low > 0.051
        expected = "reproduced" if inside else "not reproduced" if apart else "inconclusive"
        p = equivalence_p_values(found, 0.034, 0.017)
        assert family_verdicts([p], 0.05, "holm")[0].verdict == expected


def test_the_p_value_is_that_of_statsmodels():
    values = np.array([0.05, 0.02, 0.041, 0.03, 0.027])
    se, df = values.std(ddof=1) / math.sqrt(5), 4.0
    p = equivalence_p_values(effect(float(values.mean()), float(se), df), 0.034, 0.017)
    expected = DescrStatsW(values).ttost_mean(0.017, 0.051)[0]
    assert p.reproduced == pytest.approx(expected)


def test_without_a_test_both_are_undefined():
    nothing = untestable(0.03, 0.05, "t", SIZES, "one seed")
    p = equivalence_p_values(nothing, 0.034, 0.017)
    assert math.isnan(p.reproduced)
    assert math.isnan(p.not_reproduced)
