"""The minimum detectable effect finds what it promises."""

import numpy as np
import pytest
from scipy import stats

from amb.statistics.fixed_set import fixed_set_test
from amb.statistics.power import minimum_detectable_effect


def test_mde_of_a_hand_worked_example():
    # df = 8: t.975 = 2.306004, t.8 = 0.888890
    assert minimum_detectable_effect(0.5, 8) == pytest.approx(0.5 * (2.306004 + 0.888890), rel=1e-6)
    wider = minimum_detectable_effect(0.5, 8, alpha=0.01)
    assert wider == pytest.approx(0.5 * (3.355387 + 0.888890), rel=1e-6)


def test_an_effect_of_the_mde_is_found_four_times_in_five():
    rng, S, replicates = np.random.default_rng(1), 10, 1000
    mde = minimum_detectable_effect(np.sqrt(2 / S), 2 * (S - 1))
    a, b = rng.normal(mde, 1, (replicates, S)), rng.normal(0, 1, (replicates, S))
    p = stats.ttest_ind(a, b, axis=1, equal_var=False).pvalue
    assert 0.76 <= (p < 0.05).mean() <= 0.84


def test_effects_carry_their_mde():
    found = fixed_set_test([0.1, 0.3, 0.2], [0.5, 0.4, 0.7], higher_is_better=True)
    assert found.mde == pytest.approx(minimum_detectable_effect(found.se, found.df))
