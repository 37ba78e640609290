"""Superiority, stochastic order, standardised difference and expected best."""

import itertools
import math

import numpy as np
import pytest
from scipy import stats

from amb.statistics.expected_maximum import expected_best
from amb.statistics.standardised_difference import small_sample_correction, standardised_difference
from amb.statistics.stochastic_order import almost_stochastic_order
from amb.statistics.superiority import probability_of_superiority

X, Y = np.array([0.7, 0.4, 0.9, 0.6]), np.array([0.5, 0.6, 0.3])


def order(a, b, higher_is_better=True, seed=0, **options):
    rng = np.random.default_rng(seed)
    return almost_stochastic_order(a, b, rng, higher_is_better=higher_is_better, **options)


def test_superiority_by_hand_and_as_mann_whitneys_u():
    # .7 beats three, .4 one, .9 three, .6 two and ties with one.
    found = probability_of_superiority(X, Y, higher_is_better=True)
    assert found.probability == pytest.approx(9.5 / 12)
    assert found.probability == pytest.approx(stats.mannwhitneyu(X, Y).statistic / 12)
    turned = probability_of_superiority(Y[::-1], X, higher_is_better=True)
    lower = probability_of_superiority(X, Y, higher_is_better=False)
    for other in (turned, lower):
        assert other.probability == pytest.approx(1 - found.probability)
        assert (other.ci_low, other.ci_high) == pytest.approx((1 - found.ci_high, 1 - found.ci_low))


def test_the_superiority_interval_solves_newcombes_equation():
    found = probability_of_superiority(X, Y, higher_is_better=True, alpha=0.1)
    for theta in (found.ci_low, found.ci_high):
        spread = 1 + 2.5 * ((1 - theta) / (2 - theta) + theta / (1 + theta))
        variance = theta * (1 - theta) * spread / 12
        assert abs(found.probability - theta) == pytest.approx(1.644854 * math.sqrt(variance))
    assert 0 < found.ci_low < found.probability < found.ci_high < 1


def test_separated_runs_have_an_interval_that_ends_at_one():
    found = probability_of_superiority([3.0, 4, 5, 6], [1.0, 2, 0, 1], higher_is_better=True)
    assert (found.probability, found.ci_high) == (1.0, 1.0)
    assert 0.4 < found.ci_low < 0.8
    equal = probability_of_superiority([1.0, 1], [1.0, 1], higher_is_better=True)
    assert equal.probability == 0.5


@pytest.mark.parametrize("shift", [0.0, 1.0])
def test_the_superiority_interval_covers(shift):
    rng, replicates, S = np.random.default_rng(5), 600, 5
    true = stats.norm.cdf(shift / math.sqrt(2))
    covered = 0
    for _ in range(replicates):
        a, b = rng.normal(shift, 1, S), rng.normal(0, 1, S)
        found = probability_of_superiority(a, b, higher_is_better=True)
        covered += found.ci_low <= true <= found.ci_high
    assert covered / replicates > 0.93


def slow_violation(a, b, steps=200_000):
    t = (np.arange(steps) + 0.5) / steps
    qa, qb = (np.sort(v)[np.floor(t * len(v)).astype(int)] for v in (a, b))
    squares = np.square(qa - qb)
    return squares[qa < qb].sum() / squares.sum()


def test_the_violation_ratio_equals_an_integral_on_a_fine_grid():
    rng = np.random.default_rng(2)
    for S_a, S_b in ((4, 4), (5, 3), (3, 7), (20, 20)):
        a, b = rng.normal(0.3, 1, S_a), rng.normal(0, 0.5, S_b)
        assert order(a, b).epsilon == pytest.approx(slow_violation(a, b), abs=1e-3)
        assert order(b, a).epsilon == pytest.approx(1 - order(a, b).epsilon, abs=1e-12)


def test_the_violation_ratio_by_hand():
    """Quantiles 5, 1 (sorted 1, 5) against 2, 3: halves 1 < 2 and 5 > 3, so 1/(1 + 4)."""
    assert order([5.0, 1.0], [2.0, 3.0]).epsilon == pytest.approx(0.2)
    # Pieces of widths 1/3, 1/6, 1/6, 1/3: (0, 4, 4) against (1, 3).
    expected = (1 / 3) / (1 / 3 + 1 * 0 + (4 - 1) ** 2 / 6 + 1 / 6 + 1 / 3)
    assert order([4.0, 0.0, 4.0], [3.0, 1.0]).epsilon == pytest.approx(expected)


def test_the_bound_is_the_normal_one_with_a_bootstrap_variance():
    rng = np.random.default_rng(3)
    a, b = rng.normal(0.5, 1, 12), rng.normal(0, 1, 30)
    found = order(a, b, seed=3, resamples=4000)
    assert 0 < found.epsilon < found.epsilon_min < 1
    draws = np.random.default_rng(99)
    slow = [
        slow_violation(draws.choice(a, 12), draws.choice(b, 30), steps=600) for _ in range(1500)
    ]
    assert found.epsilon_min == pytest.approx(found.epsilon + 1.644854 * np.std(slow), abs=0.02)
    assert order(a, b, seed=3, resamples=4000) == found


def test_more_comparisons_raise_the_confidence_and_the_bound():
    rng = np.random.default_rng(8)
    a, b = rng.normal(1.0, 1, 10), rng.normal(0, 1, 10)
    one, five = order(a, b, seed=1), order(a, b, seed=1, comparisons=5)
    assert (one.confidence, five.confidence) == pytest.approx((0.95, 0.99))
    assert five.epsilon_min > one.epsilon_min >= one.epsilon
    with pytest.raises(ValueError, match="comparisons 0"):
        order(a, b, comparisons=0)


def test_runs_that_are_better_throughout_violate_nothing():
    best = order([3.0, 5.0, 4.0], [1.0, 2.0, 0.0])
    assert (best.epsilon, best.epsilon_min, best.almost_better) == (0.0, 0.0, True)
    worst = order([3.0, 5.0, 4.0], [1.0, 2.0, 0.0], higher_is_better=False)
    assert (worst.epsilon, worst.epsilon_min, worst.almost_better) == (1.0, 1.0, False)


def test_the_standardised_difference_by_hand():
    """Means 4 and 2, variances 4 and 1 over 3 and 2 further runs: s² = (2·4 + 1·2) / 3."""
    a, b = [6.0, 2.0, 4.0], [1.0, 3.0]
    found = standardised_difference(a, b, higher_is_better=True)
    assert found.cohens_d == pytest.approx(2 / math.sqrt((2 * 4 + 1 * 2) / 3))
    assert found.hedges_g == pytest.approx(found.cohens_d * small_sample_correction(3))
    assert standardised_difference(a[::-1], b, higher_is_better=False).cohens_d == pytest.approx(
        -found.cohens_d
    )
    t = stats.ttest_ind(a, b).statistic
    assert found.cohens_d == pytest.approx(t * math.sqrt(1 / 3 + 1 / 2))


def test_the_correction_is_the_tabulated_one_and_frees_d_of_its_bias():
    # Hedges 1981: J(2) = .5642, J(8) = .9027, J(18) = .9576
    found = [small_sample_correction(f) for f in (2, 8, 18)]
    assert found == pytest.approx([0.56419, 0.90270, 0.95765], abs=5e-5)
    rng = np.random.default_rng(0)
    a, b = rng.normal(1, 1, (8000, 4)), rng.normal(0, 1, (8000, 4))
    g = [
        standardised_difference(x, y, higher_is_better=True).hedges_g
        for x, y in zip(a, b, strict=True)
    ]
    assert np.mean(g) == pytest.approx(1.0, abs=0.04)


@pytest.mark.parametrize("higher", [True, False])
def test_the_expected_best_is_the_mean_over_all_subsets(higher):
    values = np.array([0.3, 0.9, 0.9, 0.1, 0.5, 0.4])
    best = max if higher else min
    expected = [
        np.mean([best(subset) for subset in itertools.combinations(values, n)]) for n in range(1, 7)
    ]
    found = expected_best(values, higher_is_better=higher)
    np.testing.assert_allclose(found, expected, rtol=1e-12)
    np.testing.assert_allclose(expected_best(values[::-1], higher_is_better=higher), found)
    assert found[0] == pytest.approx(values.mean())
    assert found[-1] == best(values)


def test_the_expected_best_is_unbiased():
    rng = np.random.default_rng(1)
    found = np.array([expected_best(rng.random(6), higher_is_better=True) for _ in range(4000)])
    np.testing.assert_allclose(found.mean(axis=0), [n / (n + 1) for n in range(1, 7)], atol=0.01)


def test_one_run_and_what_is_undefined():
    lonely = "a method has one seed; two are needed"
    undefined = "a metric is undefined"
    for a, note in (([1.0], lonely), ([1.0, np.nan], undefined)):
        found = (
            probability_of_superiority(a, Y, higher_is_better=True),
            order(a, Y),
            standardised_difference(a, Y, higher_is_better=True),
        )
        assert [result.note for result in found] == [note] * 3
        assert np.isnan([found[0].ci_low, found[1].epsilon_min, found[2].hedges_g]).all()
    assert probability_of_superiority([1.0], Y, higher_is_better=True).probability == 1.0
    assert expected_best([0.4], higher_is_better=True).tolist() == [0.4]
    assert np.isnan(expected_best([0.4, np.nan], higher_is_better=True)).all()


def test_runs_that_do_not_differ():
    assert order([0.5, 0.5], [0.5, 0.5]).note == "the runs do not differ"
    found = standardised_difference([0.5, 0.5], [0.4, 0.4], higher_is_better=True)
    assert found.note == "the seeds of both methods do not differ"
    # Two constants, one above the other: an order without a doubt.
    assert order([0.5, 0.5], [0.4, 0.4]).epsilon_min == 0.0
    ties = order([0.5, 0.4], [0.5, 0.4])
    assert ties.epsilon == 0.5
    assert not ties.almost_better


def test_no_run_is_refused():
    with pytest.raises(ValueError, match="0 and 3 runs"):
        probability_of_superiority([], Y, higher_is_better=True)
    with pytest.raises(ValueError, match="at least one"):
        expected_best([], higher_is_better=True)
