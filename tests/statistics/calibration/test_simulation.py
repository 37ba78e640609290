"""The simulated test sets look like the field's, and the nulls are true."""

import numpy as np
import pytest

from amb.evaluation.metrics import METRICS as METRIC_OF
from amb.statistics.calibration.cells import (
    COMPONENTS,
    METRICS,
    TEST_SETS,
    Components,
    Scenario,
    all_scenarios,
    video_layout,
)
from amb.statistics.calibration.simulation import simulate


@pytest.mark.parametrize(("items", "videos"), [*TEST_SETS, (3, 3), (61, 8)])
def test_a_layout_spreads_all_utterances_over_all_videos(items, videos):
    layout = video_layout(items, videos)
    assert layout.sizes.size == videos
    assert layout.sizes.sum() == items == layout.video_of_item.size
    assert layout.sizes.min() >= 1
    assert (
        layout.starts.tolist() == np.flatnonzero(np.diff(layout.video_of_item, prepend=-1)).tolist()
    )
    twins = layout.twin_videos()
    assert (twins[twins] == np.arange(videos)).all()
    assert (layout.sizes[twins] == layout.sizes).all()
    assert (layout.video_of_item[layout.twin_items()] == twins[layout.video_of_item]).all()
    assert (twins == np.arange(videos)).sum() <= 2


def test_videos_are_as_unequal_as_those_of_mosi():
    sizes = video_layout(686, 31).sizes
    assert sizes.max() / sizes.min() > 5


def test_scenarios_have_names_of_their_own_and_the_expensive_ones_come_first():
    scenarios = all_scenarios()
    assert len({scenario.name for scenario in scenarios}) == len(scenarios) == 24
    assert scenarios[0].items == 4659


@pytest.mark.parametrize("null", ["population", "fixed_set"])
def test_predictions_are_about_as_good_as_those_of_models_of_mosi(null):
    scenario = Scenario(686, 31, COMPONENTS[0], null)
    drawn = simulate(scenario, 8, 3, np.random.default_rng(1))
    found = {
        name: np.mean([METRIC_OF[name](y, p) for y, p in zip(drawn.labels, drawn.a, strict=True)])
        for name in METRICS
    }
    assert 0.75 < found["mae"] < 0.95
    assert 0.65 < found["corr"] < 0.8
    assert 0.3 < found["acc7"] < 0.42
    assert 0.75 < found["acc2_non0"] < 0.85
    assert np.abs(drawn.labels).max() <= 3
    np.testing.assert_allclose(drawn.labels * 5, np.rint(drawn.labels * 5), atol=1e-12)


def test_on_a_fixed_set_the_methods_differ_on_videos_and_have_one_distribution_on_all():
    """Without seed noise but that of utterances, twins swap their errors between A and B."""
    own_only = Components("own", seed=0.0, video=0.5, cell=0.0)
    scenario = Scenario(120, 9, own_only, "fixed_set")
    drawn = simulate(scenario, 40, 400, np.random.default_rng(2))
    layout = video_layout(120, 9)
    errors_a, errors_b = (
        np.abs(p - drawn.labels[:, None, :]).mean(axis=1) for p in (drawn.a, drawn.b)
    )  # (R, N), averages of 400 runs
    on_twins = errors_a[:, layout.twin_items()]
    assert np.abs(on_twins - errors_b).mean() < 0.05
    assert np.abs(errors_a - errors_b).mean() > 0.3
    assert np.abs(errors_a.mean() - errors_b.mean()) < 0.01


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("null", ["population", "fixed_set"])
def test_both_methods_have_one_expectation_of_every_metric(null, metric):
    scenario = Scenario(100, 10, Components("strong", 0.1, 0.3, 0.1), null)
    drawn = simulate(scenario, 300, 10, np.random.default_rng(4))
    difference = np.array(
        [
            (METRIC_OF[metric](y, a) - METRIC_OF[metric](y, b)).mean()
            for y, a, b in zip(drawn.labels, drawn.a, drawn.b, strict=True)
        ]
    )
    assert abs(difference.mean()) < 3.5 * difference.std() / np.sqrt(300)
