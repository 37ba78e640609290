"""The array code of the calibration gives what the suite's own functions give, one at a time."""

from functools import partial

import numpy as np
import pytest

from amb.evaluation.method_runs import MethodRuns
from amb.statistics.calibration.cells import COMPONENTS, FORMS, METRICS, Scenario, video_layout
from amb.statistics.calibration.closed_forms import variance_sources
from amb.statistics.calibration.one_by_one import one_by_one
from amb.statistics.calibration.procedures import PROCEDURES
from amb.statistics.calibration.replicates import (
    MetricReplicates,
    metric_replicates,
    replicate_moments,
)
from amb.statistics.calibration.simulation import simulate
from amb.statistics.moments import metric_table, moment_table
from amb.statistics.scopes import SCOPES, effect_in_scope

LAYOUT = video_layout(60, 7)


def by_name(name):
    return next(procedure for procedure in PROCEDURES if procedure.name == name)


@pytest.fixture(scope="module")
def drawn():
    scenario = Scenario(60, 7, COMPONENTS[0], "population")
    return simulate(scenario, replicates=6, seeds=4, rng=np.random.default_rng(3))


def tables(labels, predictions, metric):
    """Return the library's metric table of one replicate, from its utterances."""
    videos = np.array([f"v{v}" for v in LAYOUT.video_of_item], dtype=object)
    names = np.array([f"u{i}" for i in range(labels.size)], dtype=object)
    seeds = np.arange(len(predictions))
    runs = MethodRuns("m", seeds, names, videos, labels, predictions)
    return metric_table(moment_table(runs), metric)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("procedure", ["population", "fixed_set"])
def test_every_replicate_has_the_outcome_of_the_library_on_its_utterances(
    drawn, procedure, metric, form
):
    a, b = (
        metric_replicates(replicate_moments(drawn.labels, p, LAYOUT.starts), metric).first(3)
        for p in (drawn.a, drawn.b)
    )
    found = by_name(procedure).outcomes(a, b, metric, form, 0.1)
    for r in range(len(drawn.labels)):
        x, y = (tables(drawn.labels[r], p[r, :3], metric) for p in (drawn.a, drawn.b))
        effect = effect_in_scope(procedure, x, y, metric, form, 0.1)
        for name in ("estimate", "ci_low", "ci_high", "p"):
            value = getattr(found, name)[r]
            assert value == pytest.approx(getattr(effect, name), rel=1e-9, abs=1e-12), name


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("scope", SCOPES)
def test_a_library_function_enters_the_table_in_one_line(drawn, scope, form):
    a, b = (
        metric_replicates(replicate_moments(drawn.labels, p, LAYOUT.starts), "corr")
        for p in (drawn.a, drawn.b)
    )

    expected = by_name(scope).outcomes(a, b, "corr", form, 0.05)
    found = one_by_one(partial(effect_in_scope, scope))(a, b, "corr", form, 0.05)
    for field in ("estimate", "ci_low", "ci_high", "p"):
        np.testing.assert_allclose(getattr(found, field), getattr(expected, field), rtol=1e-9)


def test_what_the_library_refuses_has_no_p_value():
    """A negative reference under a relative change, and values without any variance."""
    rng = np.random.default_rng(0)
    better, worse = (
        MetricReplicates(rng.normal(mean, 0.1, (2, 3)), rng.normal(mean, 0.1, (2, 3, 5)), None)
        for mean in (1, -1)
    )
    constant = MetricReplicates(np.ones((2, 3)), np.ones((2, 3, 5)), None)
    for procedure in map(by_name, SCOPES):
        assert np.isnan(procedure.outcomes(better, worse, "corr", "relative", 0.05).p).all()
        assert np.isfinite(procedure.outcomes(better, worse, "corr", "difference", 0.05).p).all()
        assert np.isnan(procedure.outcomes(constant, constant, "corr", "difference", 0.05).p).all()


def test_the_variance_sources_are_those_of_the_population_test(drawn):
    a, b = (
        metric_replicates(replicate_moments(drawn.labels, p, LAYOUT.starts), "mae")
        for p in (drawn.a, drawn.b)
    )
    v = variance_sources(a, b, "mae")
    assert v["v_seed"] == pytest.approx(np.mean((a.seed_variance + b.seed_variance) / 4))
    G, expected = 7, 0.0
    for method in (a, b):
        for L in method.leave_one_video_out:
            c = L - L.mean(axis=1, keepdims=True) - L.mean(axis=0) + L.mean()
            expected += (G - 1) / G * np.square(c).sum() / (3 * 4) / len(a.values)
    assert v["v_cell"] == pytest.approx(expected)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("scope", SCOPES)
def test_a_gain_changes_no_coverage(drawn, scope, form):
    """Shifted (difference) or scaled (relative) by a gain, the interval moves with the truth.

    So coverage at the null is coverage at every such gain, and one simulation shows both.
    """
    gain, metric = 0.034, "acc7"
    for r in range(len(drawn.labels)):
        a, b = (tables(drawn.labels[r], p[r], metric) for p in (drawn.a, drawn.b))
        scale, shift = (1 + gain, 0.0) if form == "relative" else (1.0, gain)
        better = type(a)(
            a.values * scale + shift, a.leave_one_video_out * scale + shift, a.videos, a.n_items
        )
        null, gained = (effect_in_scope(scope, x, b, metric, form, 0.05) for x in (a, better))
        assert gained.ci_low - gain == pytest.approx(null.ci_low * scale, abs=1e-12)
        assert gained.ci_high - gain == pytest.approx(null.ci_high * scale, abs=1e-12)
