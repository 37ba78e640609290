"""Metrics from sums equal metrics from items, also without a video."""

import numpy as np
import pytest

from amb.evaluation.method_runs import MethodRuns, runs_by_method
from amb.evaluation.metrics import METRICS
from amb.statistics.moments import (
    MOMENTS,
    metric_from_moments,
    metric_table,
    metrics_from_moments,
    moment_table,
)


def test_metrics_from_moments_equal_direct_metrics_to_float64_accuracy(simulate):
    for seed in range(20):
        runs = runs_by_method(simulate({"amb": (1, 6, 0.8)}, seed=seed))["amb"]
        found = metrics_from_moments(moment_table(runs).totals())
        assert set(found) == set(METRICS)
        for name, metric in METRICS.items():
            expected = metric(runs.labels, runs.predictions)
            np.testing.assert_allclose(found[name], expected, rtol=1e-13, atol=1e-14)


@pytest.mark.parametrize("name", METRICS)
def test_leave_one_video_out_equals_the_metric_of_the_other_videos(predictions, name):
    runs = runs_by_method(predictions)["amb"]
    found = metric_table(moment_table(runs), name).leave_one_video_out
    assert found.shape == (5, 8)
    for place, video in enumerate(np.unique(runs.videos)):
        kept = runs.videos != video
        expected = METRICS[name](runs.labels[kept], runs.predictions[:, kept])
        np.testing.assert_allclose(found[:, place], expected, rtol=1e-12)


def test_moments_of_a_hand_worked_example():
    runs = MethodRuns(
        method="amb",
        seeds=np.array([4]),
        utterances=np.array(["b", "c", "a"], dtype=object),
        videos=np.array(["v1", "v1", "v2"], dtype=object),
        labels=np.array([0.0, 3.4, -1.0]),
        predictions=np.array([[0.4, 2.0, 0.0]]),
    )
    table = moment_table(runs)
    assert table.videos.tolist() == ["v1", "v2"]
    # y and p about their medians, 0 and 0.4: y 0, 3.4, −1; p 0, 1.6, −0.4
    v1 = dict(zip(MOMENTS, table.values[0, 0].round(12).tolist(), strict=True))
    assert v1 == {
        **{"n": 2, "y": 3.4, "yy": 11.56, "p": 1.6, "pp": 2.56, "py": 5.44},
        **{"abs_error": 1.8, "hits7": 1, "hits5": 2},
        **{"tp_has0": 2, "fp_has0": 0, "fn_has0": 0, "tn_has0": 0},
        **{"tp_non0": 1, "fp_non0": 0, "fn_non0": 0, "tn_non0": 0},
    }
    v2 = dict(zip(MOMENTS, table.values[0, 1].tolist(), strict=True))
    assert (v2["fp_has0"], v2["tn_has0"], v2["fp_non0"], v2["tn_non0"]) == (1, 0, 0, 1)
    assert (v2["hits7"], v2["hits5"]) == (0, 0)


def runs_of(labels, predictions):
    videos = np.repeat(["v1", "v2", "v3"], len(labels) // 3).astype(object)
    return MethodRuns(
        "amb", np.arange(len(predictions)), videos, videos, np.array(labels), np.array(predictions)
    )


def test_corr_from_moments_is_nan_for_constant_predictions_and_without_the_video_that_varied():
    constant = float(np.float32(0.1))
    labels = [1.0, -1.0, 0.3, 0.7, -0.2, 0.9]
    table = moment_table(runs_of(labels, [[constant] * 6, [constant] * 4 + [0.5, 0.9]]))
    corr = metric_table(table, "corr")
    assert np.isnan(corr.values).tolist() == [True, False]
    assert np.isnan(corr.leave_one_video_out[1]).tolist() == [False, False, True]


def test_corr_from_moments_is_nan_where_what_is_left_is_constant_up_to_rounding():
    """Each video has a constant of its own, so the sums about the common median are not 0."""
    rng = np.random.default_rng(7)
    videos = np.repeat(["v1", "v2"], [7, 12]).astype(object)
    constants = rng.normal(size=(50, 2)).astype(np.float32).astype(float)
    predictions = constants[:, np.where(videos == "v1", 0, 1)]
    labels = rng.normal(size=19)
    runs = MethodRuns("amb", np.arange(50), videos, videos, labels, predictions)
    corr = metric_table(moment_table(runs), "corr")
    assert np.isfinite(corr.values).all()
    assert np.isnan(corr.leave_one_video_out).all()


def test_corr_from_moments_keeps_its_digits_for_nearly_constant_predictions_far_from_zero():
    rng = np.random.default_rng(1)
    labels = rng.normal(size=60)
    predictions = (1000 + 1e-6 * (labels + rng.normal(size=(4, 60)))).tolist()
    runs = runs_of(labels.tolist(), predictions)
    expected = METRICS["corr"](runs.labels, runs.predictions)
    found = metric_table(moment_table(runs), "corr").values
    np.testing.assert_allclose(found, expected, rtol=1e-10)


def test_metrics_without_an_item_are_nan_and_silent():
    table = moment_table(runs_of([0.0, 0.0, 0.0], [[0.1, 0.2, 0.3]]))
    assert np.isnan(metric_from_moments(table.totals(), "f1_non0")).all()
    assert metric_table(table, "acc2_non0").n_items == 0
    assert metric_table(table, "acc2_has0").n_items == 3
