"""The fixed-set test against SciPy, the delta method by hand, and its refusals."""

import math

import numpy as np
import pytest
from scipy import stats

from amb.statistics.contrast import contrast, contrast_gradient
from amb.statistics.fixed_set import fixed_set_test

A = [0.81, 0.74, 0.79, 0.77, 0.80]
B = [0.85, 0.79, 0.88]


@pytest.mark.parametrize("higher", [True, False])
def test_a_difference_is_welchs_t_test(higher):
    rng = np.random.default_rng(0)
    for _ in range(50):
        a, b = rng.normal(0.8, 0.05, rng.integers(2, 9)), rng.normal(0.8, 0.2, rng.integers(2, 9))
        found = fixed_set_test(a, b, higher_is_better=higher)
        x, y = (a, b) if higher else (b, a)
        expected = stats.ttest_ind(x, y, equal_var=False)
        interval = expected.confidence_interval(0.95)
        assert found.p == pytest.approx(expected.pvalue, rel=1e-9)
        assert found.df == pytest.approx(expected.df, rel=1e-9)
        assert (found.ci_low, found.ci_high) == pytest.approx(tuple(interval), rel=1e-9)
        assert found.estimate == pytest.approx(x.mean() - y.mean())


def test_a_gain_is_positive_in_either_direction():
    assert fixed_set_test(A, B, higher_is_better=False).estimate == pytest.approx(0.84 - 0.782)
    assert fixed_set_test(A, B, higher_is_better=True).estimate == pytest.approx(0.782 - 0.84)
    relative = fixed_set_test(A, B, higher_is_better=False, form="relative")
    assert relative.estimate == pytest.approx(1 - 0.782 / 0.84)
    relative = fixed_set_test(A, B, higher_is_better=True, form="relative")
    assert relative.estimate == pytest.approx(0.782 / 0.84 - 1)


@pytest.mark.parametrize("form", ["difference", "relative"])
@pytest.mark.parametrize("higher", [True, False])
def test_the_gradient_is_the_contrasts_derivative(form, higher):
    step = 1e-6
    g_a, g_b = contrast_gradient(0.7, 0.9, form, higher)
    up, down = (contrast(0.7 + s, 0.9, form, higher) for s in (step, -step))
    assert g_a == pytest.approx((up - down) / (2 * step))
    up, down = (contrast(0.7, 0.9 + s, form, higher) for s in (step, -step))
    assert g_b == pytest.approx((up - down) / (2 * step))


def test_a_relative_change_has_the_delta_methods_variance():
    found = fixed_set_test(A, B, higher_is_better=False, form="relative")
    part_a = np.var(A, ddof=1) / 5 / 0.84**2
    part_b = np.var(B, ddof=1) / 3 * (0.782 / 0.84**2) ** 2
    assert found.se == pytest.approx(math.sqrt(part_a + part_b))
    assert found.df == pytest.approx((part_a + part_b) ** 2 / (part_a**2 / 4 + part_b**2 / 2))
    assert found.ci_high == pytest.approx(found.estimate + stats.t.ppf(0.975, found.df) * found.se)


def test_alpha_sets_the_interval():
    found = fixed_set_test(A, B, higher_is_better=True, alpha=0.1)
    interval = stats.ttest_ind(A, B, equal_var=False).confidence_interval(0.9)
    assert (found.ci_low, found.ci_high) == pytest.approx(tuple(interval))


@pytest.mark.parametrize(
    ("a", "b", "form", "note"),
    [
        ([0.8], [0.7, 0.9], "difference", "a method has one seed; two are needed"),
        ([0.8, 0.9], [0.7], "difference", "a method has one seed; two are needed"),
        ([0.1] * 3, [0.3] * 3, "difference", "the seeds of both methods do not differ"),
        ([0.1] * 3, [0.1] * 3, "relative", "the seeds of both methods do not differ"),
        ([0.8, np.nan], [0.7, 0.9], "difference", "the contrast is undefined"),
        ([0.8, 0.7], [-0.1, 0.05], "relative", "the contrast is undefined"),
        ([0.8, 0.7], [0.0, 0.0], "relative", "the contrast is undefined"),
    ],
)
def test_without_variance_or_a_defined_contrast_there_is_no_interval_and_a_reason(a, b, form, note):
    found = fixed_set_test(a, b, higher_is_better=True, form=form)
    assert found.note == note
    undefined = [found.se, found.df, found.ci_low, found.ci_high, found.p, found.mde]
    assert np.isnan(undefined).all()
    assert (found.sizes.seeds_a, found.sizes.seeds_b) == (len(a), len(b))


def test_one_method_whose_seeds_do_not_differ_can_still_be_tested():
    found = fixed_set_test([0.5, 0.5, 0.5], [0.6, 0.8, 0.7], higher_is_better=True)
    assert found.df == pytest.approx(2)
    assert found.p == pytest.approx(stats.ttest_1samp([0.6, 0.8, 0.7], 0.5).pvalue)
