"""Tests that draw random numbers, as the calibration runs them: the library's, one by one."""

import numpy as np
import pytest
from scipy import stats

from amb.statistics.calibration.cells import (
    COMPONENTS,
    FORMS,
    Components,
    Scenario,
    video_layout,
)
from amb.statistics.calibration.closed_forms import Outcomes
from amb.statistics.calibration.one_by_one import moment_table
from amb.statistics.calibration.procedures import PROCEDURES
from amb.statistics.calibration.replicates import metric_replicates, replicate_moments
from amb.statistics.calibration.resampling import RESAMPLES
from amb.statistics.calibration.run import Settings, scenario_rows
from amb.statistics.calibration.simulation import simulate
from amb.statistics.calibration.summary import NOT_JUDGED, calibration_table
from amb.statistics.crossed_bootstrap import crossed_bootstrap_ci, resample_metrics
from amb.statistics.label_permutation import label_permutation_test

BALANCED, _, VIDEOS, _ = COMPONENTS
SCENARIO = Scenario(60, 7, BALANCED, "population")
BOOTSTRAPS = ("bootstrap_percentile", "bootstrap_basic")


def by_name(name):
    return next(procedure for procedure in PROCEDURES if procedure.name == name)


def drawn(metric, seeds, replicates=4, seed=0, scenario=SCENARIO):
    simulated = simulate(scenario, replicates, seeds, np.random.default_rng(seed))
    starts = video_layout(60, 7).starts
    return (
        metric_replicates(replicate_moments(simulated.labels, p, starts), metric)
        for p in (simulated.a, simulated.b)
    )


@pytest.mark.parametrize("metric", ["mae", "corr"])
def test_the_permutation_has_the_p_of_the_library_and_no_interval(metric):
    a, b = drawn(metric, seeds=5)
    found = by_name("label_permutation").outcomes(a, b, metric, "difference", 0.05)
    for r in range(4):
        expected = label_permutation_test(a.values[r], b.values[r], np.random.default_rng(0))
        assert expected.exact  # so no random number plays a part
        assert found.p[r] == expected.p
        assert abs(found.estimate[r]) == pytest.approx(abs(expected.difference))
    assert np.isnan(found.ci_low).all()
    assert np.isnan(found.ci_high).all()


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("metric", ["mae", "corr"])
def test_the_bootstrap_has_the_intervals_of_the_library_and_no_p(metric, form):
    """Other resamples of as many as a study has: the bounds agree within their noise."""
    a, b = drawn(metric, seeds=4)
    percentile, basic = (by_name(name).outcomes(a, b, metric, form, 0.05) for name in BOOTSTRAPS)
    for r in range(4):
        tables = [moment_table(a, r, "a"), moment_table(b, r, "b")]
        resampled = resample_metrics(tables, [metric], np.random.default_rng(1), 10_000)
        expected = crossed_bootstrap_ci(resampled, "a", "b", metric, form, 0.05)
        for found, bounds in ((percentile, expected.percentile), (basic, expected.basic)):
            assert found.estimate[r] == expected.estimate
            assert found.ci_low[r] == pytest.approx(bounds[0], abs=0.5 * expected.se)
            assert found.ci_high[r] == pytest.approx(bounds[1], abs=0.5 * expected.se)
            assert found.ci_low[r] < expected.estimate < found.ci_high[r]
    assert np.isnan(percentile.p).all()
    assert np.isnan(basic.p).all()
    np.testing.assert_allclose(percentile.ci_low + basic.ci_high, 2 * basic.estimate)


def test_replicates_draw_independently_of_blocks_and_of_each_other():
    """A replicate alone has the outcome that it has among others; equal tables, equal draws."""
    a, b = drawn("mae", seeds=20)
    one = Replicate(a, b)
    for name in ("label_permutation", *BOOTSTRAPS):
        outcomes = by_name(name).outcomes
        whole = outcomes(a, b, "mae", "difference", 0.05)
        alone = outcomes(one.a, one.b, "mae", "difference", 0.05)
        for field in ("estimate", "ci_low", "ci_high", "p"):
            np.testing.assert_array_equal(getattr(alone, field), getattr(whole, field)[2:3])
    assert len(set(whole.ci_low)) == 4


class Replicate:
    """The third replicate alone."""

    def __init__(self, *methods):
        self.a, self.b = (
            type(one)(one.values[2:3], one.leave_one_video_out[2:3], one.moments[2:3])
            for one in methods
        )


def test_without_a_p_value_an_interval_that_excludes_zero_rejects():
    nan = np.nan
    outcomes = Outcomes(
        estimate=np.zeros(6),
        ci_low=np.array([-1.0, 0.1, -2.0, nan, -1.0, nan]),
        ci_high=np.array([1.0, 0.2, -0.1, nan, 1.0, nan]),
        p=np.array([nan, nan, nan, nan, 0.04, 0.06]),
    )
    assert outcomes.rejected(0.05).tolist() == [False, True, True, False, True, False]
    assert outcomes.tested().tolist() == [True, True, True, False, True, True]
    assert outcomes.covered().tolist() == [True, False, False, False, True, False]


def test_the_table_has_rates_of_both_and_no_coverage_of_the_permutation():
    scenario = Scenario(60, 6, BALANCED, "fixed_set")
    table = calibration_table(scenario_rows(scenario, Settings(12, seed=1, seeds=(3,))))
    own = table[table["test"] == "label_permutation"]
    assert (own["promise"] == "level").all()
    assert (own["form"] == "difference").all()
    assert (own["rejection_rate"] == 0).all()  # with three seeds no p-value reaches .05
    assert (own["undefined"] == 0).all()
    assert own[["coverage", "coverage_error"]].isna().all(axis=None)
    for name in BOOTSTRAPS:
        cells = table[table["test"] == name]
        assert set(cells["form"]) == set(FORMS)
        assert (cells["verdict"] == NOT_JUDGED).all()
        np.testing.assert_allclose(cells["coverage"], 1 - cells["rejection_rate"])


def rate(name, components, null, seeds, replicates=400):
    """Return the rejection rate of one test for MAE."""
    a, b = drawn("mae", seeds, replicates, 5, Scenario(60, 7, components, null))
    return by_name(name).outcomes(a, b, "mae", "difference", 0.05).rejected(0.05).mean()


def test_the_permutation_keeps_its_level_over_seeds():
    """Exactly: twelve of the 252 namings of five against five have a p-value below .05."""
    low, high = stats.binom.ppf([1e-3, 1 - 1e-3], 400, 12 / 252) / 400
    assert low <= rate("label_permutation", BALANCED, "fixed_set", 5) <= high
    assert rate("label_permutation", VIDEOS, "population", 5) > high  # not its question


@pytest.mark.parametrize("name", BOOTSTRAPS)
def test_the_bootstrap_is_too_narrow_for_few_seeds_and_too_wide_for_cells(name):
    """With three seeds it gives them 2/3 of their variance: P(|t| > 1.96 √(2/3)) = .185, 4 df."""
    only_seeds = Components("only seeds", seed=0.5, video=0.0, cell=0.0)
    only_cells = Components("only cells", seed=0.0, video=0.0, cell=0.5)
    low, high = stats.binom.ppf([1e-3, 1 - 1e-3], 400, 0.05) / 400
    assert rate(name, only_seeds, "population", 3) > high
    assert rate(name, only_cells, "population", 3) < low


def test_costly_tests_run_on_fewer_replicates_and_resamples():
    limits = {procedure.name: procedure.replicates for procedure in PROCEDURES}
    assert limits["population"] is limits["fixed_set"] is None
    for name in BOOTSTRAPS:
        assert by_name(name).note == f"{RESAMPLES} resamples, not 10,000"
        assert limits[name] < 3000
