"""Equivalence, non-inferiority and a published number without a spread."""

import math

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.weightstats import ttost_ind

from amb.statistics.effect import SampleSizes, t_effect, untestable
from amb.statistics.equivalence import equivalence_test
from amb.statistics.fixed_set import fixed_set_test
from amb.statistics.noninferiority import noninferiority_test
from amb.statistics.published_number import published_number_verdict

SIZES = SampleSizes(5, 5, 100, 10)
A, B = [0.62, 0.55, 0.71, 0.58], [0.64, 0.50, 0.69, 0.72, 0.61]


def effect(estimate, se, df=8.0, alpha=0.05):
    return t_effect(estimate, se**2, df, alpha, "some test", SIZES)


@pytest.mark.parametrize("margin", [0.05, 0.1, 0.2, 0.4])
@pytest.mark.parametrize("claimed", [0.0, 0.08])
def test_equivalence_agrees_with_statsmodels(margin, claimed):
    own = fixed_set_test(A, B, higher_is_better=True)
    found = equivalence_test(own, claimed, margin)
    theirs = ttost_ind(
        np.array(A), np.array(B), claimed - margin, claimed + margin, usevar="unequal"
    )
    assert found.p_inside == pytest.approx(theirs[0], rel=1e-8)
    assert (found.verdict == "reproduced") == (theirs[0] < 0.05)


def test_equivalence_is_the_rule_of_the_two_intervals():
    """At SE = 1, df = 8: the 90 % interval is ± 1.8595, the 95 % interval ± 2.3060."""
    for estimate in np.linspace(-8, 8, 65):
        found = equivalence_test(effect(estimate, 1.0), claimed=0.5, margin=3.0)
        assert found.narrow == pytest.approx((estimate - 1.859548, estimate + 1.859548), abs=1e-5)
        assert found.wide == pytest.approx((estimate - 2.306004, estimate + 2.306004), abs=1e-5)
        inside = found.narrow[0] > -2.5 and found.narrow[1] < 3.5
        apart = found.wide[0] > 3.5 or found.wide[1] < -2.5
        expected = "reproduced" if inside else "not reproduced" if apart else "inconclusive"
        assert found.verdict == expected
        assert (found.p_outside < 0.05) == apart


def test_equivalence_keeps_its_level_at_the_edge_of_the_band():
    rng, replicates = np.random.default_rng(1), 800
    yes = 0
    for _ in range(replicates):
        own = fixed_set_test(rng.normal(1, 0.3, 8), rng.normal(0, 0.3, 8), higher_is_better=True)
        yes += equivalence_test(own, claimed=0.0, margin=1.0).verdict == "reproduced"
    low, high = stats.binom.ppf([1e-3, 1 - 1e-3], replicates, 0.05) / replicates
    assert low <= yes / replicates <= high


@pytest.mark.parametrize(
    ("estimate", "verdict"),
    [(4.0, "not inferior"), (1.31, "not inferior"), (1.29, "inconclusive"),
     (-3.29, "inconclusive"), (-3.31, "inferior"), (-9.0, "inferior")],
)  # fmt: skip
def test_noninferiority_is_the_rule_of_the_interval(estimate, verdict):
    """Margin 1, interval ± 2.306: above −1 from 1.306 on, below −1 from −3.306 on."""
    found = noninferiority_test(effect(estimate, 1.0), margin=1.0)
    assert found.verdict == verdict
    assert (found.p_not_inferior < 0.05) == (verdict == "not inferior")
    assert (found.p_inferior < 0.05) == (verdict == "inferior")


def test_noninferiority_agrees_with_scipys_one_sided_test():
    own = fixed_set_test(A, B, higher_is_better=True)
    theirs = stats.ttest_ind(np.array(A) + 0.1, B, equal_var=False, alternative="greater")
    found = noninferiority_test(own, margin=0.1)
    assert found.p_not_inferior == pytest.approx(2 * theirs.pvalue, rel=1e-10)


def test_at_a_margin_of_zero_noninferiority_is_superiority():
    own = effect(3.0, 1.0)
    assert noninferiority_test(own, 0.0).p_not_inferior == pytest.approx(own.p)


def test_what_could_not_be_tested_is_inconclusive_and_says_why():
    nothing = untestable(0.3, 0.05, "some test", SIZES, "there is one video; two are needed")
    for found in (equivalence_test(nothing, 0.3, 0.1), noninferiority_test(nothing, 0.1)):
        assert (found.verdict, found.note) == ("inconclusive", nothing.note)
    assert math.isnan(equivalence_test(nothing, 0.3, 0.1).p_inside)
    assert np.isnan(equivalence_test(nothing, 0.3, 0.1).narrow).all()


def test_margins_that_mean_nothing_are_refused():
    for margin in (0.0, -1.0, float("nan")):
        with pytest.raises(ValueError, match="must be above 0"):
            equivalence_test(effect(1, 1), 1.0, margin)
    with pytest.raises(ValueError, match="must be 0 or above"):
        noninferiority_test(effect(1, 1), -0.1)


def test_a_published_number_by_hand():
    """Five runs of mean .80 and s = .02: t.95,4 = 2.131847, t.975,4 = 2.776445."""
    values = 0.80 + 0.02 / math.sqrt(2.5) * np.array([1.0, -2.0, 0.0, 2.0, -1.0])
    found = published_number_verdict(values, 0.79, margin=0.03, higher_is_better=False)
    assert found.gap == pytest.approx(0.01)
    assert found.gap_at_most == pytest.approx(0.01 + 2.131847 * 0.02 / math.sqrt(5), rel=1e-6)
    assert found.gap_of_a_run_at_least == pytest.approx(
        0.01 - 2.776445 * 0.02 * math.sqrt(1.2), rel=1e-6
    )
    assert found.verdict == "reproduced"
    assert published_number_verdict(values, 0.79, margin=0.029, higher_is_better=False).verdict == (
        "inconclusive"
    )


@pytest.mark.parametrize(
    ("published", "margin", "verdict"),
    [(0.73, 0.03, "not reproduced"), (0.75, 0.03, "inconclusive"), (0.73, 0.08, "inconclusive"),
     (0.9, 0.03, "reproduced")],
)  # fmt: skip
def test_a_run_must_be_worse_for_certain_and_by_more_than_the_margin(published, margin, verdict):
    values = 0.80 + 0.02 / math.sqrt(2.5) * np.array([1.0, -2.0, 0.0, 2.0, -1.0])
    error = published_number_verdict(values, published, margin, higher_is_better=False)
    score = published_number_verdict(1 - values, 1 - published, margin, higher_is_better=True)
    assert error.verdict == score.verdict == verdict
    assert error.gap == pytest.approx(score.gap)


def test_a_number_that_was_one_run_of_the_same_method_is_rarely_condemned():
    """The naive rule, "outside the interval of our mean", condemns most of them at 20 seeds."""
    rng, replicates, wrong, naive = np.random.default_rng(3), 600, 0, 0
    for _ in range(replicates):
        values, theirs = rng.normal(1, 0.1, 20), rng.normal(1, 0.1)
        found = published_number_verdict(values, theirs, 0.01, higher_is_better=False)
        wrong += found.verdict == "not reproduced"
        low, high = stats.t.interval(0.95, 19, values.mean(), stats.sem(values))
        naive += not low <= theirs <= high
    assert wrong / replicates < 0.05
    assert naive / replicates > 0.5


@pytest.mark.parametrize(
    ("values", "note"),
    [([], "there are no seeds; two are needed"), ([0.8], "there is one seed; two are needed"),
     ([0.8, 0.8], "the seeds do not differ"), ([0.8, float("nan")], "the metric is undefined")],
)  # fmt: skip
def test_runs_that_bound_nothing_are_inconclusive(values, note):
    found = published_number_verdict(values, 0.7, 0.01, higher_is_better=False)
    assert (found.verdict, found.note) == ("inconclusive", note)
    assert np.isnan([found.gap_at_most, found.gap_of_a_run_at_least]).all()


def test_a_published_number_needs_a_margin():
    with pytest.raises(ValueError, match="margin 0"):
        published_number_verdict([1, 2], 1.0, 0, higher_is_better=True)
