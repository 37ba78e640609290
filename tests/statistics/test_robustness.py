"""Losses under corruption, worked by hand, and held against slower ways to the same numbers."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from statsmodels.stats.multitest import multipletests

from amb.errors import InputError
from amb.evaluation.corruption.points import Condition
from amb.evaluation.metrics import METRICS
from amb.evaluation.predictions import PREDICTION_COLUMNS
from amb.statistics.robustness import (
    degradation_effect,
    retention,
    trapezoid_weights,
    under_corruption,
)
from amb.statistics.robustness_table import ROBUSTNESS_COLUMNS, robustness_table
from amb.study import StatisticsSettings

LABELS = {"u1": 1.0, "u2": -1.0, "u3": 2.0, "u4": 0.0}
VIDEOS = {"u1": "v1", "u2": "v1", "u3": "v2", "u4": "v3"}


def rows(method, seed, corruption, errors):
    """Return predictions that miss each label by the given error."""
    frame = pd.DataFrame(
        {
            "method": method,
            "seed": seed,
            "split": "test",
            "corruption": corruption,
            "utterance": list(LABELS),
            "video": list(VIDEOS.values()),
            "label": list(LABELS.values()),
            "prediction": [y + e for y, e in zip(LABELS.values(), errors, strict=True)],
        }
    )
    return frame[list(PREDICTION_COLUMNS)]


@pytest.fixture
def by_hand():
    """Two methods, two seeds, one corruption in two draws; rows in a mixed order.

    MAE by hand: a clean 0.1, 0.2; draws 0.3, 0.5 (mean 0.4) and 0.2, 0.4 (0.3): lost 0.3, 0.1.
                 b clean 0.2, 0.2; draws 0.9, 1.1 (1.0) and 0.7, 0.9 (0.8): lost 0.8, 0.6.
    """
    values = {
        ("a", 7): (0.1, 0.3, 0.5),
        ("a", 3): (0.2, 0.2, 0.4),
        ("b", 1): (0.2, 0.9, 1.1),
        ("b", 2): (0.2, 0.7, 0.9),
    }
    frames = []
    for (method, seed), errors in values.items():
        names = ("none", "gaussian:audio:1:0", "gaussian:audio:1:1")
        frames += [rows(method, seed, n, [e] * 4) for n, e in zip(names, errors, strict=True)]
    return pd.concat(frames).sample(frac=1, random_state=3)


def test_draws_are_averaged_within_a_seed_and_the_clean_metric_is_taken_off(by_hand):
    a = under_corruption(by_hand)["a"]
    condition = Condition("gaussian", "audio", 1.0)
    assert a.clean.seeds.tolist() == [3, 7]
    np.testing.assert_allclose(a.noisy_metric(condition, "mae").values, [0.3, 0.4])
    np.testing.assert_allclose(a.degradation(condition, "mae").values, [0.1, 0.3])
    np.testing.assert_allclose(a.degradation(condition, "mae").leave_one_video_out[1], [0.3] * 3)


def test_the_contrast_is_welch_s_t_on_losses_and_positive_where_a_loses_less(by_hand):
    found = degradation_effect(by_hand, "a", "b", "gaussian:audio:1", "mae", "fixed_set", 0.05)
    reference = stats.ttest_ind([0.8, 0.6], [0.1, 0.3], equal_var=False)
    assert found.estimate == pytest.approx(0.5)  # 0.7 − 0.2
    assert found.p == pytest.approx(reference.pvalue)
    assert found.df == pytest.approx(reference.df)
    assert found.sizes.seeds_a == 2  # seeds, not draws
    back = degradation_effect(by_hand, "b", "a", "gaussian:*", "mae", "fixed_set", 0.05)
    assert back.estimate == pytest.approx(-0.5)


def test_retention_is_one_where_nothing_is_lost_whatever_the_direction():
    noisy, clean = np.array([0.4, 0.5]), np.array([0.8, 0.5])
    np.testing.assert_allclose(retention(noisy, clean, higher_is_better=True), [0.5, 1])
    np.testing.assert_allclose(retention(clean, noisy, higher_is_better=False), [0.5, 1])
    assert np.isnan(retention(noisy, np.array([-0.1, 0.0]), higher_is_better=True)).all()


@pytest.mark.parametrize("levels", [[0.1, 0.5, 1, 2], [1.0], [0.25, 0.75]])
def test_areas_are_those_of_numpy_s_trapezoid_from_level_zero(levels):
    losses = np.linspace(0.2, 0.9, len(levels)) ** 2
    found = trapezoid_weights(levels) @ losses
    assert found == pytest.approx(np.trapezoid([0, *losses], [0, *levels]))


@pytest.fixture
def noisy(simulate):
    """Two methods with different seeds, under two levels of one corruption and one of another."""
    methods = {"amb": (11, 4, 0.5), "late": (3, 3, 0.9)}
    frames = [simulate(methods)]
    names = ("gaussian:audio:0.5:0", "gaussian:audio:0.5:1", "gaussian:audio:2:0")
    test = frames[0][frames[0]["split"] == "test"]
    frames.append(test.assign(corruption="gaussian:audio:0:0"))
    for place, name in enumerate((*names, "missing:text:1:0")):
        rng = np.random.default_rng(place)
        spread = np.where(test["method"] == "amb", 0.4, 0.8) * (1 + place)
        drawn = test["prediction"] + spread * rng.normal(size=len(test))
        frames.append(test.assign(corruption=name, prediction=drawn.astype(np.float32)))
    return pd.concat(frames, ignore_index=True)


def slow_losses(frame, method, names, metric, left_out=None):
    """Return each seed's loss by loops over items' metrics."""
    own = frame[(frame["method"] == method) & (frame["split"] == "test")]
    own = own[own["video"] != left_out]

    def value(seed, name):
        run = own[(own["seed"] == seed) & (own["corruption"] == name)]
        return float(METRICS[metric](run["label"], run["prediction"].to_numpy()[None])[0])

    return [
        np.mean([value(seed, name) for name in names]) - value(seed, "none")
        for seed in sorted(set(own["seed"]))
    ]


@pytest.mark.parametrize("metric", ["mae", "corr", "f1_non0"])
def test_both_scopes_see_the_losses_that_items_give(noisy, metric):
    names = ["gaussian:audio:0.5:0", "gaussian:audio:0.5:1"]
    condition = Condition("gaussian", "audio", 0.5)
    for method, moments in under_corruption(noisy).items():
        table = moments.degradation(condition, metric)
        np.testing.assert_allclose(table.values, slow_losses(noisy, method, names, metric))
        for place, video in enumerate(table.videos):
            slow = slow_losses(noisy, method, names, metric, left_out=video)
            np.testing.assert_allclose(table.leave_one_video_out[:, place], slow)
    wide, narrow = (
        degradation_effect(noisy, "amb", "late", condition.name, metric, scope, 0.05)
        for scope in ("population", "fixed_set")
    )
    assert wide.estimate == pytest.approx(narrow.estimate)
    assert wide.se >= narrow.se * (1 - 1e-12)
    assert wide.estimate > 0  # amb was made to lose less


def test_a_pattern_averages_its_conditions_and_leaves_level_zero_out(noisy):
    chosen = [
        degradation_effect(noisy, "amb", "late", name, "mae", "fixed_set", 0.05).estimate
        for name in ("gaussian:audio:0.5", "gaussian:audio:2")
    ]
    both = degradation_effect(noisy, "amb", "late", "gaussian:*", "mae", "fixed_set", 0.05)
    assert both.estimate == pytest.approx(np.mean(chosen))


def test_what_cannot_be_compared_is_named(noisy):
    with pytest.raises(InputError, match=r"corruption: found 'gaussian:audio:0.5, gaussian"):
        degradation_effect(noisy, "amb", "late", "gaussian:visual:*", "mae", "fixed_set", 0.05)
    with pytest.raises(InputError, match=r"expected other"):
        degradation_effect(noisy, "amb", "other", "gaussian:*", "mae", "fixed_set", 0.05)
    lacks = noisy[~((noisy["method"] == "late") & (noisy["corruption"] == "missing:text:1:0"))]
    with pytest.raises(InputError, match=r"method late: found 'none under missing:text:1'"):
        degradation_effect(lacks, "amb", "late", "*", "mae", "fixed_set", 0.05)
    other = noisy[~((noisy["seed"] == 11) & (noisy["corruption"] == "missing:text:1:0"))]
    with pytest.raises(InputError, match=r"corruption missing:text:1:0: found \[12, 13, 14\]"):
        under_corruption(other)


def test_the_table_has_every_point_and_corrects_within_scope_and_quantity(noisy):
    settings = StatisticsSettings("late", metrics=("mae", "acc7"))
    table = robustness_table(under_corruption(noisy), settings)
    assert table.columns.tolist() == ROBUSTNESS_COLUMNS
    # a metric and method: three levels of noise, two of missing text, two areas
    assert len(table) == 2 * 2 * 7
    amb = table[(table["method"] == "amb") & (table["metric"] == "mae")]
    for quantity, tested in (("condition", 6), ("area", 4)):
        own = table[table["quantity"] == quantity]
        p = own["population_p"].dropna()
        assert len(p) == tested
        adjusted = own["population_p_adjusted"].dropna()
        np.testing.assert_allclose(adjusted, multipletests(p, method="fdr_bh")[1])
        name = f"Benjamini-Hochberg, {tested} comparisons, exploratory"
        assert set(own["population_correction"]) == {"", name}
    zero = amb[amb["level"] == 0]
    assert zero["degradation"].tolist() == [0, 0]
    assert zero["retention"].tolist() == [1, 1]
    area = amb[(amb["quantity"] == "area") & (amb["kind"] == "gaussian")]
    losses = amb[(amb["kind"] == "gaussian") & (amb["level"] > 0)]["degradation"]
    assert float(area["degradation"].iloc[0]) == pytest.approx(
        np.trapezoid([0, *losses], [0, 0.5, 2])
    )


def test_a_condition_that_is_not_applicable_to_a_row_has_no_line_and_no_contrast(noisy):
    settings = StatisticsSettings("late", metrics=("mae",))
    gone = (noisy["method"] == "late") & (noisy["corruption"] == "missing:text:1:0")
    table = robustness_table(under_corruption(noisy[~gone]), settings)
    missing = table[table["kind"] == "missing"]
    assert set(missing["method"]) == {"amb"}
    assert missing["population_estimate"].isna().all()


def test_the_order_of_rows_changes_no_number(noisy):
    settings = StatisticsSettings("late", metrics=("mae",))
    one, other = (
        robustness_table(under_corruption(frame), settings)
        for frame in (noisy, noisy.sample(frac=1, random_state=4))
    )
    pd.testing.assert_frame_equal(one, other, check_exact=True)
