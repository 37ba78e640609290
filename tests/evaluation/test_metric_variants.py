"""Every variant's every metric against a scalar reference, and the cases that tell them apart."""

import math
import time

import numpy as np
import pytest
from sklearn.metrics import f1_score

from amb.evaluation.metric_variants import FAMILIES, VARIANTS

ALL = [(variant.name, metric) for variant in VARIANTS.values() for metric in variant.metrics]
SPECIAL = [-4.0, -3.5, -2.5, -2.0, -1.5, -1.0, -0.7, -0.5, -0.1, 0.0, -0.0]
SPECIAL += [0.1, 0.5, 0.7, 1.0, 1.5, 2.0, 2.5, 3.5, 4.0]


# The reference: one run, item by item, from the definitions of docs/metrics.md.


def mean(values):
    values = list(values)
    return math.fsum(values) / len(values) if values else math.nan


def clip(value, limit):
    return min(max(value, -limit), limit)


def pearson(pairs):
    if len({y for y, _ in pairs}) < 2 or len({p for _, p in pairs}) < 2:
        return math.nan
    y_mean, p_mean = mean(y for y, _ in pairs), mean(p for _, p in pairs)
    covariance = math.fsum((y - y_mean) * (p - p_mean) for y, p in pairs)
    y_square = math.fsum((y - y_mean) ** 2 for y, _ in pairs)
    p_square = math.fsum((p - p_mean) ** 2 for _, p in pairs)
    return covariance / math.sqrt(y_square * p_square)


def f1(decisions, swapped=False):
    """Weighted F1 of (truth, decision) pairs; swapped exchanges the two."""
    decisions = [pair[::-1] for pair in decisions] if swapped else decisions
    total = 0.0
    for own in (False, True):
        hits = sum(truth == decision == own for truth, decision in decisions)
        true, called = (sum(pair[side] == own for pair in decisions) for side in (0, 1))
        total += true * (2 * hits / (true + called) if true + called else 0.0)
    return total / len(decisions) if decisions else math.nan


def same(pairs, bin_of):
    return mean(bin_of(y) == bin_of(p) for y, p in pairs)


def outward(value):
    size = 0 if value == 0 else 1 if abs(value) <= 1 else 2 if abs(value) <= 2 else 3
    return size if value > 0 else -size


def sims_bin(cuts):
    return lambda value: sum(np.float32(value) > np.float32(cut) for cut in cuts)


def has0(pairs):
    return [(y >= 0, p >= 0) for y, p in pairs]


def above0(pairs):
    return [(y > 0, p > 0) for y, p in pairs]


def hits(decisions):
    return mean(truth == decision for truth, decision in decisions)


def reference(labels, predictions):
    """Every variant's every metric of one run."""
    pairs = list(zip(map(float, labels), map(float, predictions), strict=True))
    non0 = [(y, p) for y, p in pairs if y != 0]
    clipped = [(clip(y, 1), clip(p, 1)) for y, p in pairs]
    common = {
        "acc7": same(pairs, lambda value: round(clip(value, 3))),
        "acc5": same(pairs, lambda value: round(clip(value, 2))),
        "mae": mean(abs(p - y) for y, p in pairs),
        "corr": pearson(pairs),
        "acc2_non0": hits(above0(non0)),
    }
    swapped = f1(above0(non0), swapped=True)
    return {
        "mmsa": common
        | {
            "acc2_has0": hits(has0(pairs)),
            "f1_has0": f1(has0(pairs)),
            "f1_non0": f1(above0(non0)),
        },
        "mult": common | {"f1_non0": swapped},
        "mag": {
            "acc2_non0": hits(has0(non0)),
            "f1_non0": f1(has0(non0)),
            "mae_non0": mean(abs(p - y) for y, p in non0),
            "corr_non0": pearson(non0),
        },
        "mmlatch": common
        | {
            "acc2_has0": hits(has0(pairs)),
            "acc2_neg0": hits(above0(pairs)),
            "f1_has0": f1(has0(pairs), swapped=True),
            "f1_non0": swapped,
            "f1_neg0": f1(above0(pairs), swapped=True),
        },
        "cmu_sdk": {
            "acc7": same(pairs, outward),
            "acc2_has0": hits(has0(pairs)),
            "acc2_non0": common["acc2_non0"],
        },
        "sims": {
            "acc2": hits(above0(clipped)),
            "f1": f1(above0(clipped)),
            "acc3": same(clipped, sims_bin((-0.1, 0.1))),
            "acc5": same(clipped, sims_bin((-0.7, -0.1, 0.1, 0.7))),
            "mae": mean(abs(p - y) for y, p in clipped),
            "corr": pearson(clipped),
        },
    }


def stored(values):
    """What a file of predictions gives back: float32, read as float64."""
    return np.asarray(values, dtype=np.float32).astype(np.float64)


def awkward_labels(rng, n):
    kind = rng.integers(5)
    labels = np.where(rng.random(n) < 0.5, rng.normal(0, 1.5, n), rng.choice(SPECIAL, n))
    if kind == 1:  # one class absent
        labels = np.abs(labels) * rng.choice([-1, 1])
    if kind == 2:  # the labels of CH-SIMS
        labels = rng.integers(-5, 6, n) / 5
    if kind == 3:  # one label, half of the time 0
        labels = np.full(n, rng.choice([0.0, rng.choice(SPECIAL)]))
    return stored(labels)


def awkward_predictions(rng, n):
    predictions = np.where(rng.random(n) < 0.5, rng.normal(0, 1.5, n), rng.choice(SPECIAL, n))
    kind = rng.integers(6)
    if kind == 0:
        predictions = np.full(n, rng.choice([rng.choice(SPECIAL), rng.normal()]))
    if kind == 1:
        predictions = np.abs(predictions) * rng.choice([-1, 1])
    return stored(predictions)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_every_metric_of_every_variant_equals_its_scalar_reference_on_ten_thousand_vectors():
    rng = np.random.default_rng(12)
    undefined = 0
    for _ in range(2000):
        n = int(rng.integers(1, 41))
        labels = awkward_labels(rng, n)
        predictions = np.stack([awkward_predictions(rng, n) for _ in range(5)])
        found = {(v, m): VARIANTS[v].metrics[m](labels, predictions) for v, m in ALL}
        for row in range(5):
            expected = reference(labels, predictions[row])
            assert {(v, m) for v, own in expected.items() for m in own} == set(ALL)
            for variant, metric in ALL:
                value = expected[variant][metric]
                undefined += math.isnan(value)
                assert found[variant, metric][row] == pytest.approx(
                    value, abs=1e-12, nan_ok=True
                ), (variant, metric, labels, predictions[row])
    assert undefined > 10_000  # the generator does reach what is undefined


def test_f1_with_the_arguments_swapped_is_that_of_scikit_learn():
    rng = np.random.default_rng(13)
    swapped = VARIANTS["mmlatch"].metrics["f1_has0"]
    for _ in range(50):
        labels = rng.choice([-1.0, 0.0, 1.0], 6, p=rng.dirichlet(np.ones(3)))
        predictions = rng.choice([-1.0, 0.0, 1.0], (4, 6), p=rng.dirichlet(np.ones(3)))
        found = swapped(labels, predictions)
        for row in range(4):
            expected = f1_score(predictions[row] >= 0, labels >= 0, average="weighted")
            assert found[row] == pytest.approx(expected, abs=1e-14)


def value_of(variant, metric, labels, predictions):
    return VARIANTS[variant].metrics[metric](labels, [predictions])[0]


@pytest.mark.parametrize(("variant", "metric"), ALL)
def test_without_an_item_every_metric_is_nan_with_a_warning(variant, metric):
    with pytest.warns(RuntimeWarning, match="NaN"):
        found = VARIANTS[variant].metrics[metric]([], np.empty((2, 0)))
    assert found.shape == (2,)
    assert np.isnan(found).all()


@pytest.mark.parametrize(("variant", "metric"), [pair for pair in ALL if pair[1].endswith("_non0")])
def test_labels_of_zero_alone_leave_no_item_to_metrics_without_them(variant, metric):
    with pytest.warns(RuntimeWarning, match="NaN"):
        assert math.isnan(value_of(variant, metric, [0.0, 0.0], [1.0, -1.0]))


@pytest.mark.parametrize(("variant", "metric"), [pair for pair in ALL if "corr" in pair[1]])
def test_corr_of_constant_predictions_is_nan_with_a_warning_never_0(variant, metric):
    with pytest.warns(RuntimeWarning, match="constant"):
        assert math.isnan(value_of(variant, metric, [1.0, -1.0, 0.5], [0.25, 0.25, 0.25]))


def test_corr_of_sims_is_undefined_where_all_predictions_are_clipped_to_the_same_end():
    with pytest.warns(RuntimeWarning, match="constant"):
        assert math.isnan(value_of("sims", "corr", [0.2, -0.4], [1.5, 2.0]))


def test_corr_of_mag_is_undefined_where_predictions_vary_on_zero_labels_alone():
    with pytest.warns(RuntimeWarning, match="constant"):
        assert math.isnan(value_of("mag", "corr_non0", [0.0, 1.0, -1.0], [2.0, 0.5, 0.5]))
    assert value_of("mmsa", "corr", [0.0, 1.0, -1.0], [2.0, 0.5, 0.5]) == 0.0


@pytest.mark.parametrize(
    ("variant", "metric", "hits"),
    [
        ("mmsa", "acc2_has0", (1, 0, 1, 0)),
        ("mmsa", "acc2_non0", (0, 1, None, None)),
        ("mag", "acc2_non0", (1, 0, None, None)),
        ("mmlatch", "acc2_neg0", (0, 1, 1, 1)),
        ("sims", "acc2", (0, 1, 1, 1)),
        ("cmu_sdk", "acc7", (0, 0, 1, 0)),
        ("mmsa", "acc7", (0, 0, 1, 1)),
    ],
)
def test_variants_part_where_prediction_or_label_is_exactly_zero(variant, metric, hits):
    pairs = ((1.0, 0.0), (-1.0, 0.0), (0.0, 0.0), (0.0, -0.25))
    for (label, prediction), hit in zip(pairs, hits, strict=True):
        if hit is not None:
            assert value_of(variant, metric, [label], [prediction]) == hit


@pytest.mark.parametrize(
    ("label", "prediction", "rounded", "outward"),
    [
        (0.5, 0.25, 1, 1),  # 0.5 rounds to 0; outward both are 1
        (1.5, 2.0, 1, 1),
        (1.0, 1.25, 1, 0),
        (2.5, 3.5, 0, 1),  # 2.5 rounds to 2; outward both are 3
        (-2.5, -2.0, 1, 0),
        (4.0, 2.25, 0, 1),
        (-1.0, -0.25, 0, 1),
    ],
)
def test_acc7_of_the_sdk_bins_away_from_zero_and_that_of_the_others_half_to_even(
    label, prediction, rounded, outward
):
    for variant in ("mmsa", "mult", "mmlatch"):
        assert value_of(variant, "acc7", [label], [prediction]) == rounded
    assert value_of("cmu_sdk", "acc7", [label], [prediction]) == outward


def test_a_value_on_a_cut_of_sims_lies_in_the_lower_bin_also_as_stored():
    for to_file in (list, stored):
        assert value_of("sims", "acc3", to_file([0.1]), [0.0]) == 1
        assert value_of("sims", "acc3", to_file([-0.1]), [0.0]) == 0
        assert value_of("sims", "acc5", to_file([0.7]), [0.5]) == 1
        assert value_of("sims", "acc5", to_file([-0.7]), [-0.5]) == 0
    assert stored([0.1])[0] > 0.1  # why it is not trivial


def test_with_one_class_absent_f1_weights_by_what_each_variant_takes_for_the_truth():
    labels, predictions = [1.0, 2.0, 3.0, 1.0], [1.0, 1.0, 1.0, -1.0]
    # Positive class: 2·3/(4 + 3). By the truth it has all weight, by the predictions 3 of 4.
    assert value_of("mmsa", "f1_non0", labels, predictions) == pytest.approx(6 / 7)
    assert value_of("mult", "f1_non0", labels, predictions) == pytest.approx(6 / 7 * 3 / 4)


@pytest.mark.parametrize(("variant", "metric"), ALL)
def test_variants_refuse_numbers_that_are_not_finite(variant, metric):
    with pytest.raises(ValueError, match="finite"):
        value_of(variant, metric, [1.0, 2.0], [1.0, math.nan])


def test_only_the_variant_of_sims_asks_for_labels_within_one():
    wide = [name for name, variant in VARIANTS.items() if variant.applies_to([-3.0, 0.5])]
    assert wide == ["mmsa", "mult", "mag", "mmlatch", "cmu_sdk"]
    assert all(variant.applies_to([-1.0, 0.0, 1.0]) for variant in VARIANTS.values())


def test_variants_say_what_papers_call_their_metrics_and_only_errors_are_better_low():
    for name, variant in VARIANTS.items():
        assert variant.name == name
        for key, metric in variant.metrics.items():
            assert metric.name == key
            assert metric.family in FAMILIES
            assert metric.higher_is_better == ("mae" not in key)


# A definition that changes raises its variant's version, and then this table changes with it.
LABELS = [-3.5, -2.0, -1.0, -0.5, 0.0, 0.0, 0.5, 1.0, 1.5, 3.0]
PREDICTIONS = [-2.5, -2.25, 0.0, 0.25, 0.25, -0.5, 0.5, 1.25, 2.5, 1.5]
VERSIONS = {
    ("mmsa", 1): {
        "acc2_has0": 0.7,
        "acc2_non0": 0.875,
        "f1_has0": 0.6901098901,
        "f1_non0": 0.873015873,
        "acc7": 0.7,
        "acc5": 0.9,
        "mae": 0.65,
        "corr": 0.8978377643,
    },
    ("mult", 1): {
        "acc2_non0": 0.875,
        "f1_non0": 0.876984127,
        "acc7": 0.7,
        "acc5": 0.9,
        "mae": 0.65,
        "corr": 0.8978377643,
    },
    ("mag", 1): {
        "acc2_non0": 0.75,
        "f1_non0": 0.7333333333,
        "mae_non0": 0.71875,
        "corr_non0": 0.9089149403,
    },
    ("mmlatch", 1): {
        "acc2_has0": 0.7,
        "acc2_non0": 0.875,
        "acc2_neg0": 0.8,
        "f1_has0": 0.7098901099,
        "f1_non0": 0.876984127,
        "f1_neg0": 0.8,
        "acc7": 0.7,
        "acc5": 0.9,
        "mae": 0.65,
        "corr": 0.8978377643,
    },
    ("cmu_sdk", 1): {"acc2_has0": 0.7, "acc2_non0": 0.875, "acc7": 0.2},
    ("sims", 1): {
        "acc2": 0.8,
        "f1": 0.8,
        "acc3": 0.6,
        "acc5": 0.6,
        "mae": 0.25,
        "corr": 0.8650482094,
    },
}


@pytest.mark.parametrize("name", VARIANTS)
def test_a_version_keeps_its_values(name):
    variant = VARIANTS[name]
    assert (name, variant.version) in VERSIONS, "add the new version's values"
    expected = VERSIONS[name, variant.version]
    found = {key: value_of(name, key, LABELS, PREDICTIONS) for key in variant.metrics}
    assert found == pytest.approx(expected, abs=1e-9), "a definition changed: raise the version"


def test_all_variants_of_twenty_methods_at_the_size_of_mosei_take_seconds():
    rng = np.random.default_rng(14)
    labels = stored(rng.integers(-9, 10, 4659) / 3)
    predictions = stored(labels + rng.normal(0, 0.8, (20, 4659)))
    functions = {metric.function for v in VARIANTS.values() for metric in v.metrics.values()}
    start = time.process_time()
    for function in functions:
        function(labels, predictions)
    assert 20 * (time.process_time() - start) < 10
