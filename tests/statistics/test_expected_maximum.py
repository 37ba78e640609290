from itertools import combinations

import numpy as np
import pytest

from amb.statistics.expected_maximum import expected_maximum


def test_a_worked_example_in_any_order():
    np.testing.assert_allclose(expected_maximum([3.0, 1.0, 2.0]), [2.0, (2 + 3 + 3) / 3, 3.0])


def test_it_is_the_mean_over_all_subsets():
    values = np.random.default_rng(1).normal(size=7)
    by_hand = [np.mean([max(subset) for subset in combinations(values, n)]) for n in range(1, 8)]
    np.testing.assert_allclose(expected_maximum(values), by_hand)


def test_it_is_unbiased_where_the_plug_in_estimator_is_too_low():
    rng = np.random.default_rng(2)
    draws = rng.uniform(size=(4000, 6))
    truth = 5 / 6  # expected maximum of five uniform draws
    ours = np.mean([expected_maximum(row)[4] for row in draws])
    rank = np.arange(1, 7)
    plug_in = np.mean(np.sort(draws) @ ((rank / 6) ** 5 - ((rank - 1) / 6) ** 5))
    assert ours == pytest.approx(truth, abs=0.01)
    assert plug_in < truth - 0.03


def test_the_curve_runs_from_the_mean_to_the_maximum_even_for_many_trials():
    values = np.random.default_rng(3).normal(size=1100)  # C(1100, 550) is no float
    curve = expected_maximum(values)
    assert curve[0] == pytest.approx(values.mean())
    assert curve[-1] == values.max()
    assert (np.diff(curve) >= -1e-12).all()


def test_trials_that_came_to_nothing_count():
    curve = expected_maximum([-np.inf, 1.0, -np.inf, 3.0])
    assert np.isneginf(curve[:2]).all()
    assert curve[2] == pytest.approx((1 + 1 + 3 + 3) / 4 + 0.5)
    assert curve[3] == 3.0


@pytest.mark.parametrize("values", [[], [[1.0, 2.0]], [1.0, np.nan]])
def test_what_is_no_list_of_numbers_is_refused(values):
    with pytest.raises(ValueError, match="one number a trial"):
        expected_maximum(values)
