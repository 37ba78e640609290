"""The crossed bootstrap: closed forms, SciPy, a slow loop, its invariances and its edges."""

import dataclasses

import numpy as np
import pytest
from scipy import stats

from amb.evaluation.method_runs import MethodRuns, runs_by_method
from amb.evaluation.metrics import METRICS
from amb.statistics.crossed_bootstrap import crossed_bootstrap_ci, resample_metrics
from amb.statistics.moments import (
    METRIC_MOMENTS,
    MOMENTS,
    metric_from_columns,
    metric_table,
    moment_table,
)
from amb.statistics.population import population_test


def tables(predictions):
    return [moment_table(runs) for runs in runs_by_method(predictions).values()]


def runs_of(method, videos, labels, predictions):
    ids = np.array([f"u{i}" for i in range(len(labels))], dtype=object)
    seeds = np.arange(len(predictions))
    return MethodRuns(method, seeds, ids, np.array(videos, dtype=object), labels, predictions)


def balanced(S, G, items, seed=0, method="m"):
    """Runs of error rows[s] + columns[v] + noise on videos of one size, and their errors (S, G)."""
    rng = np.random.default_rng(seed)
    errors = 2 + rng.normal(0, 0.2, (S, 1)) + rng.normal(0, 0.3, G) + rng.normal(0, 0.3, (S, G))
    labels = np.zeros(G * items)
    videos = np.repeat([f"v{v:02d}" for v in range(G)], items)
    return runs_of(method, videos, labels, np.repeat(np.abs(errors), items, axis=1)), np.abs(errors)


def test_every_metric_follows_from_the_columns_that_it_names(predictions):
    moments = tables(predictions)[0].totals()
    everything = dict(zip(MOMENTS, np.moveaxis(moments, -1, 0), strict=True))
    assert set(METRIC_MOMENTS) == set(METRICS)
    for name, columns in METRIC_MOMENTS.items():
        found = metric_from_columns({column: everything[column] for column in columns}, name)
        np.testing.assert_array_equal(found, metric_from_columns(everything, name))


def test_the_variance_is_that_of_the_pigeonhole_bootstrap_in_closed_form():
    """Owen 2007: rows/S + columns/G + residuals/(S G), as moments about their means."""
    S, G = 4, 9
    runs, errors = balanced(S, G, items=3)
    resampled = resample_metrics([moment_table(runs)], ["mae"], np.random.default_rng(5), 40_000)
    rows, columns = errors.mean(axis=1), errors.mean(axis=0)
    rest = errors - rows[:, None] - columns + errors.mean()
    expected = rows.var() / S + columns.var() / G + np.square(rest).mean() / (S * G)
    assert resampled.values["mae"][0].var() == pytest.approx(expected, rel=0.03)
    assert resampled.observed["mae"][0] == pytest.approx(errors.mean())


def test_a_resample_is_the_metric_on_its_videos_and_seeds(predictions):
    """Every metric of every method against items picked one by one, with the same draws."""
    both = tables(predictions)
    key = int(np.random.default_rng(3).integers(2**63))
    found = resample_metrics(both, list(METRICS), np.random.default_rng(3), resamples=7, batch=7)
    G = both[0].videos.size
    video_draws = np.random.default_rng([key]).integers(G, size=(7, G))
    for m, (name, runs) in enumerate(runs_by_method(predictions).items()):
        S = runs.seeds.size
        stream = np.random.default_rng([key, *name.encode()])
        seed_draws = stream.integers(S, size=(7, S))
        items = [np.flatnonzero(runs.videos == video) for video in both[m].videos]
        for b in range(7):
            chosen = np.concatenate([items[v] for v in video_draws[b]])
            for metric, definition in METRICS.items():
                values = definition(runs.labels[chosen], runs.predictions[seed_draws[b]][:, chosen])
                assert found.values[metric][m, b] == pytest.approx(values.mean(), rel=1e-9)


def test_with_one_run_a_method_it_is_scipys_paired_bootstrap_over_videos():
    (a, errors_a), (b, errors_b) = balanced(1, 25, 2, 1, "a"), balanced(1, 25, 2, 2, "b")
    both = [moment_table(a), moment_table(b)]
    resampled = resample_metrics(both, ["mae"], np.random.default_rng(0), 20_000)
    drawn = resampled.values["mae"][1] - resampled.values["mae"][0]
    theirs = stats.bootstrap(
        (errors_b[0] - errors_a[0],), np.mean, n_resamples=20_000, method="percentile",
        rng=np.random.default_rng(1),
    )  # fmt: skip
    tolerance = 0.05 * theirs.standard_error
    np.testing.assert_allclose(
        np.quantile(drawn, [0.025, 0.975]), theirs.confidence_interval, atol=tolerance
    )
    assert drawn.std(ddof=1) == pytest.approx(theirs.standard_error, rel=0.03)


@pytest.mark.parametrize("form", ["difference", "relative"])
def test_where_videos_are_alike_it_is_scipys_bootstrap_over_unpaired_seeds(form):
    rng = np.random.default_rng(8)
    values = {"a": 1 + rng.random(6), "b": 1.5 + rng.random(4)}
    videos, labels = np.repeat(["x", "y", "z"], 2), np.zeros(6)
    both = [
        moment_table(runs_of(name, videos, labels, np.tile(own[:, None], 6)))
        for name, own in values.items()
    ]
    resampled = resample_metrics(both, ["mae"], np.random.default_rng(0), 20_000)
    found = crossed_bootstrap_ci(resampled, "a", "b", "mae", form)

    def statistic(x, y, axis=-1):
        x, y = x.mean(axis=axis), y.mean(axis=axis)
        return y - x if form == "difference" else 1 - x / y

    for kind in ("percentile", "basic"):
        theirs = stats.bootstrap(
            (values["a"], values["b"]), statistic, n_resamples=20_000, method=kind,
            rng=np.random.default_rng(1),
        )  # fmt: skip
        expected = theirs.confidence_interval
        np.testing.assert_allclose(getattr(found, kind), expected, atol=0.05 * found.se)
        assert found.se == pytest.approx(theirs.standard_error, rel=0.03)
    assert found.estimate == pytest.approx(statistic(values["a"], values["b"]))


def test_batches_methods_and_their_order_change_no_draw(predictions):
    both = tables(predictions)
    metrics = ["mae", "f1_non0", "corr"]
    one = resample_metrics(both, metrics, np.random.default_rng(1), 300, batch=300)
    small = resample_metrics(both, metrics, np.random.default_rng(1), 300, batch=64)
    turned = resample_metrics(both[::-1], metrics, np.random.default_rng(1), 300)
    alone = resample_metrics(both[1:2], metrics, np.random.default_rng(1), 300)
    assert turned.methods == one.methods[::-1]
    for name in metrics:
        np.testing.assert_allclose(small.values[name], one.values[name], rtol=1e-12)
        np.testing.assert_allclose(turned.values[name][::-1], one.values[name], rtol=1e-12)
        np.testing.assert_allclose(alone.values[name][0], one.values[name][1], rtol=1e-12)


def test_contrasts_are_oriented_and_turn_with_their_methods(predictions):
    resampled = resample_metrics(tables(predictions), ["mae"], np.random.default_rng(2), 500)
    one = crossed_bootstrap_ci(resampled, "amb", "late", "mae", alpha=0.1)
    other = crossed_bootstrap_ci(resampled, "late", "amb", "mae", alpha=0.1)
    assert one.estimate > 0  # amb has the smaller error
    assert one.percentile[0] > 0
    assert other.percentile == pytest.approx((-one.percentile[1], -one.percentile[0]))
    assert one.basic == pytest.approx(
        (2 * one.estimate - one.percentile[1], 2 * one.estimate - one.percentile[0])
    )
    assert (one.sizes.seeds_a, one.sizes.seeds_b, one.sizes.n_videos) == (5, 3, 8)
    assert (one.resamples, one.alpha, one.note) == (500, 0.1, "")


def test_with_many_seeds_it_is_as_wide_as_the_jackknife_or_somewhat_wider(simulate):
    """It counts the seed × video part up to three times."""
    predictions = simulate({"a": (1, 20, 0.5), "b": (1, 20, 0.6)}, videos=60, seed_spread=0.02)
    both = tables(predictions)
    exact = population_test(*(metric_table(t, "mae") for t in both), higher_is_better=False)
    resampled = resample_metrics(both, ["mae"], np.random.default_rng(3), 4000)
    found = crossed_bootstrap_ci(resampled, "a", "b", "mae")
    assert 0.95 < found.se / exact.se < 1.25
    np.testing.assert_allclose(found.percentile, (exact.ci_low, exact.ci_high), atol=0.5 * exact.se)


def test_few_seeds_make_it_too_narrow_which_is_why_it_decides_nothing():
    """Its variance over three seeds is two thirds of the unbiased one."""
    rng, covered, replicates = np.random.default_rng(4), 0, 200
    videos, labels = np.repeat(["x", "y"], 2), np.zeros(4)
    for _ in range(replicates):
        both = [
            moment_table(runs_of(n, videos, labels, np.tile(5 + rng.normal(0, 1, (3, 1)), 4)))
            for n in ("a", "b")
        ]
        found = crossed_bootstrap_ci(resample_metrics(both, ["mae"], rng, 400), "a", "b", "mae")
        covered += found.percentile[0] < 0 < found.percentile[1]
    assert covered / replicates < 0.9


def test_what_cannot_be_resampled_has_no_interval_and_a_reason(simulate):
    lonely = tables(simulate({"a": (1, 1, 0.5), "b": (1, 4, 0.9)}))
    narrow = tables(simulate({"a": (1, 3, 0.5), "b": (1, 4, 0.9)}, videos=1))
    flat = tables(simulate({"a": (1, 3, 0.5), "b": (1, 4, 0.9)}))
    constant = dataclasses.replace(flat[0], values=flat[0].values.copy())
    constant.values[0, :, [MOMENTS.index(c) for c in ("p", "pp", "py")]] = 0
    cases = [
        (lonely, "mae", "a method has one seed; two are needed"),
        (narrow, "mae", "there is one video; two are needed"),
        ([constant, flat[1]], "corr", "the contrast is undefined"),
    ]
    for both, metric, note in cases:
        resampled = resample_metrics(both, [metric], np.random.default_rng(0), 50)
        found = crossed_bootstrap_ci(resampled, "a", "b", metric)
        assert found.note == note
        assert np.isnan([found.se, *found.percentile, *found.basic]).all()


def test_a_contrast_that_some_resamples_leave_undefined_has_no_interval():
    """Corr on one video of two whose labels are constant within videos."""
    videos, labels = ["x", "x", "y", "y"], np.array([1.0, 1.0, -1.0, -1.0])
    rng = np.random.default_rng(0)
    both = [
        moment_table(runs_of(name, videos, labels, labels + rng.normal(0, 0.5, (3, 4))))
        for name in ("a", "b")
    ]
    found = crossed_bootstrap_ci(resample_metrics(both, ["corr"], rng, 100), "a", "b", "corr")
    assert "undefined in" in found.note
    assert "of 100 resamples" in found.note


def test_a_run_that_was_not_drawn_does_not_make_a_resample_undefined(predictions):
    both = tables(predictions)
    both[0].values[0, :, MOMENTS.index("abs_error")] = np.nan
    drawn = resample_metrics(both, ["mae"], np.random.default_rng(0), 200).values["mae"]
    share = np.isnan(drawn[0]).mean()
    assert 0.5 < share < 0.85  # (1 − 1/5)^5 = .33 of the resamples have none of it
    assert np.isfinite(drawn[1:]).all()


def test_two_videos_have_an_interval(simulate):
    both = tables(simulate({"a": (1, 4, 0.5), "b": (1, 4, 0.9)}, videos=2, seed=3))
    found = crossed_bootstrap_ci(
        resample_metrics(both, ["mae"], np.random.default_rng(0), 200), "a", "b", "mae"
    )
    assert found.percentile[0] < found.estimate < found.percentile[1]


def test_methods_on_other_items_and_names_that_stand_twice_are_refused(simulate):
    one = tables(simulate({"a": (1, 2, 0.5)}, seed=1))[0]
    other = tables(simulate({"b": (1, 2, 0.5)}, seed=2))[0]
    with pytest.raises(ValueError, match="b and a were tested on different items"):
        resample_metrics([one, other], ["mae"], np.random.default_rng(0), 10)
    with pytest.raises(ValueError, match="a method stands twice in a, a"):
        resample_metrics([one, one], ["mae"], np.random.default_rng(0), 10)
