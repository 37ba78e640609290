"""Our seeds against a published number: verdicts worked by hand, and how often they are wrong."""

import math

import numpy as np
import pytest
from scipy import stats

from amb.statistics.published_number import (
    implied_number,
    published_number_p_values,
    published_number_test,
)
from amb.statistics.verdict import family_verdicts

# Unsorted, mean 0.530, s = 0.01: s/√5 = 0.004472, s·√(1 + 1/5) = 0.010954.
OURS = 0.530 + 0.01 * np.array([1, -1, 0, 1, -1])
T95, T975 = 2.131847, 2.776445  # four degrees of freedom


def verdict(ours, theirs, margin, higher_is_better=False):
    gain = published_number_test(ours, theirs, higher_is_better=higher_is_better)
    p = published_number_p_values(gain, margin)
    return family_verdicts([p], 0.05, "holm")[0].verdict


@pytest.mark.parametrize(
    ("theirs", "margin", "expected"),
    [
        # g + 2.1318 · 0.004472 = g + 0.00953 < m
        (0.530, 0.010, "reproduced"),  # g = 0
        (0.530, 0.009, "inconclusive"),
        (0.529, 0.011, "reproduced"),  # 0.01053
        (0.600, 0.009, "reproduced"),  # g = −0.07: better than published
        # g − 2.7764 · 0.010954 = g − 0.03041 > 0 and g > m
        (0.499, 0.009, "not reproduced"),  # g = 0.031
        (0.500, 0.009, "inconclusive"),  # g = 0.030: one more run could be as far off
        (0.495, 0.036, "inconclusive"),  # g = 0.035 is within the margin
    ],
)
def test_verdicts_worked_by_hand(theirs, margin, expected):
    assert np.std(OURS, ddof=1) == pytest.approx(0.01)
    assert verdict(OURS, theirs, margin) == expected


def test_an_accuracy_is_worse_where_it_is_lower():
    ours = 1 - OURS  # mean 0.470
    assert verdict(ours, 0.501, 0.009, higher_is_better=True) == "not reproduced"
    assert verdict(ours, 0.400, 0.009, higher_is_better=True) == "reproduced"


def test_the_rule_is_that_of_its_formula():
    rng = np.random.default_rng(2)
    for _ in range(200):
        S, m, theirs = int(rng.integers(2, 12)), rng.uniform(0.001, 0.03), rng.normal(0.53, 0.02)
        ours = rng.normal(0.53, rng.uniform(0.002, 0.02), S)
        g, s = ours.mean() - theirs, ours.std(ddof=1)
        t95, t975 = stats.t.ppf((0.95, 0.975), S - 1)
        reproduced = g + t95 * s / math.sqrt(S) < m
        refuted = g - t975 * s * math.sqrt(1 + 1 / S) > 0 and g > m
        expected = "reproduced" if reproduced else "not reproduced" if refuted else "inconclusive"
        assert verdict(ours, theirs, m) == expected


def test_a_run_of_the_same_method_is_rarely_condemned_and_the_naive_rule_often_does():
    rng = np.random.default_rng(3)
    for S in (5, 20):
        ours = rng.normal(0.5, 0.01, (2000, S))
        theirs = rng.normal(0.5, 0.01, 2000)
        mean, s = ours.mean(axis=1), ours.std(axis=1, ddof=1)
        naive = mean - stats.t.ppf(0.975, S - 1) * s / math.sqrt(S) > theirs
        gains = [
            published_number_test(o, t, higher_is_better=False)
            for o, t in zip(ours, theirs, strict=True)
        ]
        condemned = np.mean(
            [published_number_p_values(g, 1e-9).not_reproduced < 0.05 for g in gains]
        )
        assert condemned < 0.04  # one side of 5 %
        assert naive.mean() > 0.09


def test_one_seed_and_equal_seeds_have_no_test():
    for ours, note in (([0.5], "one seed"), ([0.5, 0.5], "do not differ")):
        gain = published_number_test(ours, 0.4, higher_is_better=False)
        assert note in gain.note
        assert verdict(ours, 0.4, 0.01) == "inconclusive"


def test_an_implied_number_is_improved_in_the_metric_s_direction():
    assert implied_number(0.526, 0.034, False) == pytest.approx(0.508116)
    assert implied_number(0.5424, 0.021, True) == pytest.approx(0.5537904)
