"""Holm and Benjamini-Hochberg keep every p-value at the place of its own hypothesis."""

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.multitest import multipletests

from amb.statistics.multiplicity import adjust, benjamini_hochberg, holm_correction


def test_holm_of_a_hand_worked_example_in_unsorted_order():
    # sorted .01 .02 .03 .04: 4·.01, 3·.02, then the maximum so far
    np.testing.assert_allclose(holm_correction([0.03, 0.01, 0.04, 0.02]), [0.06, 0.04, 0.06, 0.06])
    np.testing.assert_allclose(holm_correction([0.03, 0.01, 0.02]), [0.04, 0.03, 0.04])


def test_reordering_inputs_reorders_outputs():
    rng = np.random.default_rng(0)
    p = rng.random(12) ** 3
    order = rng.permutation(12)
    np.testing.assert_array_equal(holm_correction(p[order]), holm_correction(p)[order])


def test_what_could_not_be_tested_stays_nan_and_does_not_count():
    found = holm_correction([0.03, np.nan, 0.01, np.nan])
    np.testing.assert_allclose(found, [0.03, np.nan, 0.02, np.nan])
    assert np.isnan(holm_correction([np.nan, np.nan])).all()
    assert holm_correction([]).size == 0


@pytest.mark.parametrize(("name", "theirs"), [("holm", "holm"), ("bh", "fdr_bh")])
def test_the_bits_are_those_of_statsmodels(name, theirs):
    rng = np.random.default_rng(3)
    for size in (1, 2, 7, 60):
        for p in (rng.random(size) ** 4, rng.integers(0, 5, size) / 5):  # the second has ties
            np.testing.assert_array_equal(adjust(p, name), multipletests(p, method=theirs)[1])


def test_bh_agrees_with_scipy():
    p = [0.2, 0.001, 0.04, 0.03]
    np.testing.assert_allclose(adjust(p, "bh"), stats.false_discovery_control(p))


def test_benjamini_hochberg_of_a_hand_worked_example_in_unsorted_order():
    # sorted .01 .02 .03 .2: 4/1·.01, 4/2·.02, 4/3·.03, .2, then the minimum from the top
    found = benjamini_hochberg([0.03, 0.2, np.nan, 0.01, 0.02])
    np.testing.assert_allclose(found, [0.04, 0.2, np.nan, 0.04, 0.04])
    p = np.random.default_rng(1).random(9)
    np.testing.assert_allclose(benjamini_hochberg(p), multipletests(p, method="fdr_bh")[1])
    order = np.random.default_rng(2).permutation(9)
    np.testing.assert_array_equal(benjamini_hochberg(p[order]), benjamini_hochberg(p)[order])
    assert (benjamini_hochberg(p) <= holm_correction(p)).all()


def test_an_unknown_correction_is_refused():
    with pytest.raises(KeyError, match="bonferoni"):
        adjust([0.1], "bonferoni")


def test_holm_keeps_the_family_wise_error_under_a_global_null():
    rng, replicates = np.random.default_rng(5), 500
    p = rng.random((replicates, 8))
    errors = sum((holm_correction(row) < 0.05).any() for row in p)
    low, high = stats.binom.ppf([0.001, 0.999], replicates, 1 - (1 - 0.05 / 8) ** 8)
    assert low <= errors <= high
    assert (p < 0.05).any(axis=1).mean() > 0.25  # what it is that Holm corrects
