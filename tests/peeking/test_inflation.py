"""What peeking adds, on runs worked by hand."""

from __future__ import annotations

import math

import pytest
from scipy import stats

from amb.peeking.inflation import measure_inflation
from amb.peeking.report import describe_inflation, inflation_page


def run(best_epoch, maes, corrs=None):
    corrs = corrs or [0.5] * len(maes)
    epochs = [
        {"epoch": number, "valid_mae": 1.0, "test": {"mae": mae, "corr": corr}}
        for number, (mae, corr) in enumerate(zip(maes, corrs, strict=True), start=1)
    ]
    return {"best_epoch": best_epoch, "epochs": epochs}


RUNS = [run(2, [1.0, 0.9, 0.8]), run(1, [0.7, 0.7]), run(3, [0.75, 0.9, 1.0])]


def test_each_run_is_compared_with_its_own_best_test_epoch():
    found = measure_inflation(RUNS, "mae", 0.05)
    assert found.honest == pytest.approx((0.9 + 0.7 + 1.0) / 3)
    assert found.peeked == pytest.approx((0.8 + 0.7 + 0.75) / 3)
    interval = stats.ttest_1samp([0.1, 0.0, 0.25], 0).confidence_interval(0.95)
    assert found.gain.estimate == pytest.approx(0.35 / 3)
    assert (found.gain.ci_low, found.gain.ci_high) == pytest.approx((interval.low, interval.high))


def test_a_metric_that_grows_is_flattered_upwards():
    runs = [run(1, [1, 1], [0.4, 0.6]), run(1, [1, 1], [0.5, 0.4]), run(2, [1, 1], [0.8, 0.7])]
    found = measure_inflation(runs, "corr", 0.05)
    assert found.gain.estimate == pytest.approx((0.2 + 0 + 0.1) / 3)
    assert found.peeked > found.honest


def test_one_seed_has_no_interval_and_an_undefined_epoch_is_never_the_best():
    found = measure_inflation([run(1, [1, 1], [0.4, None])], "corr", 0.05)
    assert found.peeked == 0.4
    assert math.isnan(found.gain.ci_low)
    assert "one seed" in found.gain.note
    undefined = measure_inflation([run(2, [1, 1], [0.4, None])] * 2, "corr", 0.05)
    assert math.isnan(undefined.honest)
    assert "undefined" in undefined.gain.note


def test_the_page_says_that_it_holds_no_results():
    found = [measure_inflation(RUNS, name, 0.05) for name in ("mae", "corr")]
    page = inflation_page("AMB", 3, 0.05, found)
    assert "**The peeked numbers are not results.**" in page
    assert "| MAE ↓ | 0.867 | 0.750 |" in page
    assert "95 % interval" in page
    described = describe_inflation("amb", [1, 2, 3], found)
    assert described["not_results"].startswith("The peeked numbers are not results.")
    assert described["metrics"]["mae"]["honest"] == pytest.approx(2.6 / 3)
    assert described["metrics"]["corr"]["ci_low"] is None
