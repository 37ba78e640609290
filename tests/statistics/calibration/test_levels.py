"""The study in seconds: what must keep its level does, and a test that must not be used fails."""

import numpy as np
import pytest
from scipy import stats

from amb.statistics.calibration import run
from amb.statistics.calibration.cells import COMPONENTS, Scenario
from amb.statistics.calibration.closed_forms import Outcomes
from amb.statistics.calibration.procedures import PROCEDURES, Procedure
from amb.statistics.calibration.run import Settings, calibrate, scenario_rows
from amb.statistics.calibration.summary import (
    ABOVE,
    BAND,
    BELOW,
    CONSERVATIVE,
    IN_BAND,
    LARGEST_CELL_SHARE,
    NOT_JUDGED,
    calibration_table,
    verdict,
)
from amb.statistics.contrast import contrast

REPLICATES = 1000
# Those that decide; the others are costly, and test_resampling looks at them.
DECIDING = tuple(one for one in PROCEDURES if one.promise and one.replicates is None)
BALANCED, SEEDS, VIDEOS, _ = COMPONENTS


@pytest.fixture
def only_what_decides(monkeypatch):
    monkeypatch.setattr(run, "PROCEDURES", DECIDING)


def binomial_bounds(low, high, replicates=REPLICATES, tail=1e-3):
    """Return the rates beyond which a true rate in [low, high] is found once in a thousand."""
    counts = stats.binom.ppf(tail, replicates, low), stats.binom.ppf(1 - tail, replicates, high)
    return counts[0] / replicates, counts[1] / replicates


def paired_t_over_seeds(a, b, metric, form, alpha):
    """The field's habit: seed s of A paired with seed s of B."""
    higher = metric != "mae"
    difference = contrast(a.values, b.values, form, higher)
    test = stats.ttest_rel(a.values, b.values, axis=1)
    nothing = np.full(len(difference), np.nan)
    return Outcomes(difference.mean(axis=1), nothing, nothing, np.asarray(test.pvalue))


def outside(table, bounds):
    return table[~table["rejection_rate"].between(*bounds)]


@pytest.mark.usefixtures("only_what_decides")
@pytest.mark.parametrize("components", [BALANCED, SEEDS, VIDEOS], ids=lambda one: one.name)
@pytest.mark.parametrize(("items", "videos"), [(200, 10), (686, 31)])
def test_at_the_population_null_the_population_test_stays_in_the_band_and_others_leave_it(
    monkeypatch, items, videos, components
):
    """Same replicates, same bounds: the bounds can fail, and a test over seeds alone does so.

    Seeds alone are wrong by what videos add, which is least where seeds dominate: there they are
    judged with all seeds of the cell, ten.
    """
    paired = Procedure("paired", "paired t over seeds", paired_t_over_seeds, "population", "band")
    monkeypatch.setattr(run, "PROCEDURES", (*DECIDING, paired))
    scenario = Scenario(items, videos, components, "population")
    rows = scenario_rows(scenario, Settings(REPLICATES, seed=11, seeds=(5, 10)))
    monkeypatch.setattr("amb.statistics.calibration.summary.PROCEDURES", run.PROCEDURES)
    table = calibration_table(rows)
    assert (table["undefined"] == 0).all()
    bounds = binomial_bounds(*BAND)
    promised = table[(table["test"] == "population") & (table["cell_share"] <= LARGEST_CELL_SHARE)]
    assert len(promised) >= 8
    assert outside(promised, bounds).empty
    for broken in ("fixed_set", "paired"):
        cells = table[(table["test"] == broken) & (table["seeds"] == 10)]
        corr = cells[cells["metric"] == "corr"]
        assert (corr["rejection_rate"] > bounds[1]).all(), broken
    assert (table[table["test"] == "paired"]["promise"] == "band").all()


@pytest.mark.usefixtures("only_what_decides")
@pytest.mark.parametrize("components", [BALANCED, VIDEOS], ids=lambda one: one.name)
def test_at_the_fixed_set_null_welch_keeps_its_level_and_the_population_test_hardly_rejects(
    components,
):
    scenario = Scenario(200, 10, components, "fixed_set")
    rows = scenario_rows(scenario, Settings(REPLICATES, seed=12, seeds=(5, 20)))
    table = calibration_table(rows)
    welch = table[table["test"] == "fixed_set"]
    assert outside(welch, binomial_bounds(0.03, 0.055)).empty
    population = table[table["test"] == "population"]
    assert (population["rejection_rate"] < 0.02).all()
    assert (population["promise"] == "").all()


@pytest.mark.usefixtures("only_what_decides")
def test_coverage_is_that_of_intervals_at_the_truth():
    scenario = Scenario(60, 6, BALANCED, "population")
    table = calibration_table(scenario_rows(scenario, Settings(200, seed=1, seeds=(5,))))
    np.testing.assert_allclose(table["coverage"], 1 - table["rejection_rate"])
    share = (200 * table["rejection_rate"] + 2) / 204
    np.testing.assert_allclose(table["standard_error"], np.sqrt(share * (1 - share) / 204))


@pytest.mark.parametrize(
    ("rate", "seeds", "share", "promise", "expected"),
    [
        (0.05, 5, 0.1, "band", IN_BAND),
        (0.068, 5, 0.1, "band", IN_BAND),  # beyond the band by less than its error
        (0.070, 5, 0.1, "band", ABOVE),
        (0.070, 3, 0.9, "level", ABOVE),
        (0.032, 5, 0.1, "band", IN_BAND),
        (0.030, 5, 0.1, "band", BELOW),
        (0.030, 3, 0.1, "band", CONSERVATIVE),
        (0.030, 5, 0.4, "band", CONSERVATIVE),
        (0.030, 5, 0.1, "level", CONSERVATIVE),
        (0.900, 5, 0.1, "", NOT_JUDGED),
    ],
)
def test_a_rate_is_out_only_beyond_the_band_by_more_than_its_error(
    rate, seeds, share, promise, expected
):
    assert verdict(rate, 0.002, seeds, share, promise) == expected


def test_a_library_test_may_be_limited_to_fewer_replicates(monkeypatch):
    limited = Procedure("few", "few", PROCEDURES[0].outcomes, "population", "band", replicates=10)
    monkeypatch.setattr(run, "PROCEDURES", (*DECIDING, limited))
    monkeypatch.setattr(run, "BLOCK", 60 * 3 * 5)  # five replicates a block
    rows = scenario_rows(Scenario(60, 6, BALANCED, "population"), Settings(30, seeds=(3,)))
    assert {row["test"]: row["replicates"] for row in rows} == {
        "population": 30,
        "fixed_set": 30,
        "few": 10,
    }


def test_finished_scenarios_are_taken_up_and_processes_change_no_number(tmp_path):
    scenarios = [Scenario(60, 6, components, "population") for components in (BALANCED, SEEDS)]
    settings, lines = Settings(20, seeds=(3,)), []
    first = calibrate(scenarios, settings, tmp_path, workers=2, report=lines.append)
    assert lines[0] == "0 of 2 scenarios are there already"
    assert first == [row for one in scenarios for row in scenario_rows(one, settings)]
    (tmp_path / f"{scenarios[1].name}.json").unlink()
    lines.clear()
    assert calibrate(scenarios, settings, tmp_path, 1, lines.append) == first
    assert lines[0] == "1 of 2 scenarios are there already"
    lines.clear()
    other = calibrate(scenarios, Settings(21, seeds=(3,)), tmp_path, 1, lines.append)
    assert lines[0] == "0 of 2 scenarios are there already"
    assert other[0]["replicates"] == 21
