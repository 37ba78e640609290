"""Label permutation against SciPy and by hand, and what its numbers of runs can reach."""

import numpy as np
import pytest
from scipy import stats

from amb.statistics import label_permutation
from amb.statistics.label_permutation import label_permutation_test, smallest_p


def rng(seed=0):
    return np.random.default_rng(seed)


def scipys(a, b):
    def difference(x, y, axis):
        return x.mean(axis=axis) - y.mean(axis=axis)

    return stats.permutation_test((a, b), difference, vectorized=True, n_resamples=np.inf).pvalue


@pytest.mark.parametrize(("S_a", "S_b"), [(4, 4), (3, 5), (5, 3), (2, 6)])
def test_all_namings_agree_with_scipy(S_a, S_b):
    for seed in range(3):
        values = rng(seed).normal(0, 1, S_a + S_b)
        a, b = values[:S_a] + 0.8, values[S_a:]
        found = label_permutation_test(a, b, rng())
        assert found.exact
        assert found.p == pytest.approx(scipys(a, b), rel=1e-12)


def test_a_hand_worked_example_in_unsorted_order():
    """{9, 7} against {8, 1, 2}: of ten sums, 17, 16, 15 … only 17 is above 16."""
    found = label_permutation_test([9.0, 7.0], [8.0, 1.0, 2.0], rng())
    assert found.difference == pytest.approx(8 - 11 / 3)
    assert (found.namings, found.exact) == (10, True)
    assert found.p == pytest.approx(2 * 2 / 10)
    assert found.smallest_p == pytest.approx(0.2)


def test_one_run_among_seven_others_has_the_p_of_its_rank():
    others = [5.0, 1.0, 8.0, 3.0, 2.0, 9.0, 4.0]  # two are above 7, so it is the third of eight
    assert label_permutation_test([7.0], others, rng()).p == pytest.approx(2 * 3 / 8)
    assert label_permutation_test(others, [7.0], rng()).p == pytest.approx(2 * 3 / 8)


def test_ties_count_as_at_least_as_large():
    a, b = [1.0, 1.0, 0.0], [1.0, 0.0, 0.0]  # sums of the three 1s among six: 9 + 1 of 20 are ≥ 2
    assert label_permutation_test(a, b, rng()).p == pytest.approx(1.0)
    assert label_permutation_test([0.3] * 4, [0.3] * 4, rng()).p == 1.0
    # Sums of tenths differ in the last bit, in whatever order they are taken.
    a, b = [0.1, 0.2, 0.3, 0.7], [0.7, 0.3, 0.1, 0.2]
    assert label_permutation_test(a, b, rng()).p == 1.0


def test_complete_separation_gives_the_smallest_p():
    for S_a, S_b in ((4, 4), (3, 6)):
        a, b = np.arange(S_a) + 10.0, np.arange(S_b)
        assert label_permutation_test(a, b, rng()).p == pytest.approx(smallest_p(S_a, S_b))


def test_four_seeds_can_reach_five_per_cent_and_three_cannot():
    assert smallest_p(3, 3) == pytest.approx(0.1)
    assert smallest_p(4, 4) == pytest.approx(2 / 70)
    few = label_permutation_test([3.0, 4.0, 5.0], [0.0, 1.0, 2.0], rng())
    assert few.note == "p cannot be below 0.1 with 3 against 3 seeds"
    assert label_permutation_test(np.arange(4), np.arange(4) + 9, rng()).note == ""
    assert label_permutation_test([1.0], [2.0], rng()).note.startswith("p cannot be below 1")


def test_the_order_of_runs_and_of_methods_changes_nothing():
    a, b = rng(1).normal(0.5, 1, 5), rng(2).normal(0, 1, 6)
    one = label_permutation_test(a, b, rng())
    other = label_permutation_test(b[::-1], a[[3, 0, 4, 1, 2]], rng())
    assert one.p == pytest.approx(other.p, rel=1e-12)
    assert one.difference == pytest.approx(-other.difference)


def test_a_sample_of_namings_comes_near_all_of_them_and_is_never_zero(monkeypatch):
    a, b = rng(1).normal(0.9, 1, 8), rng(2).normal(0, 1, 8)
    exact = label_permutation_test(a, b, rng())
    monkeypatch.setattr(label_permutation, "MOST_NAMINGS", 100)
    sampled = label_permutation_test(a, b, rng(3))
    assert (exact.exact, sampled.exact, sampled.namings) == (True, False, 20_001)
    assert sampled.p == pytest.approx(exact.p, abs=0.012)
    assert label_permutation_test(a, b, rng(3)) == sampled
    apart = label_permutation_test(a + 100, b, rng(3))
    assert 0 < apart.p <= 1
    assert apart.smallest_p == pytest.approx(2 / 20_001)


def test_twenty_seeds_are_sampled():
    found = label_permutation_test(np.arange(20.0), np.arange(20.0) + 40, rng())
    assert not found.exact
    assert found.p == pytest.approx(2 / 20_001)


def test_a_smaller_sample_can_be_asked_for_and_says_what_it_reaches():
    found = label_permutation_test(np.arange(20.0), np.arange(20.0) + 40, rng(), sampled=99)
    assert (found.namings, found.exact) == (100, False)
    assert found.p == found.smallest_p == smallest_p(20, 20, 99) == pytest.approx(2 / 100)
    assert label_permutation_test([1.0, 2.0], [3.0, 4.0], rng(), sampled=99).namings == 6


def test_it_keeps_its_level_where_methods_are_alike():
    draws, rejected, replicates = rng(6), 0, 600
    for _ in range(replicates):
        values = draws.exponential(1, 10)  # skewed: exact whatever the distribution
        rejected += label_permutation_test(values[:5], values[5:], draws).p <= 0.05
    low, high = stats.binom.ppf([1e-3, 1 - 1e-3], replicates, 12 / 252) / replicates
    assert low <= rejected / replicates <= high


def test_an_undefined_metric_has_no_p_and_no_run_is_refused():
    found = label_permutation_test([1.0, np.nan], [1.0, 2.0], rng())
    assert np.isnan(found.p)
    assert found.note == "a metric is undefined"
    with pytest.raises(ValueError, match="0 and 2 runs"):
        label_permutation_test([], [1.0, 2.0], rng())
