"""Metrics against plain-Python, SciPy and scikit-learn references, and their edge cases."""

import math

import numpy as np
import pytest
from scipy.stats import pearsonr
from sklearn.metrics import f1_score

from amb.evaluation.metrics import METRICS


def slow_reference(labels, predictions):
    """All metrics of one run, item by item, with Python's own round (half to even)."""
    pairs = list(zip(map(float, labels), map(float, predictions), strict=True))
    non0 = [(y, p) for y, p in pairs if y != 0]

    def bins(limit):
        right = [
            round(min(max(p, -limit), limit)) == round(min(max(y, -limit), limit)) for y, p in pairs
        ]
        return sum(right) / len(right)

    return {
        "mae": sum(abs(p - y) for y, p in pairs) / len(pairs),
        "corr": pearsonr(*np.array(pairs).T).statistic,
        "acc7": bins(3.0),
        "acc5": bins(2.0),
        "acc2_has0": sum((p >= 0) == (y >= 0) for y, p in pairs) / len(pairs),
        "acc2_non0": sum((p > 0) == (y > 0) for y, p in non0) / len(non0),
        "f1_has0": f1_score(
            [y >= 0 for y, _ in pairs], [p >= 0 for _, p in pairs], average="weighted"
        ),
        "f1_non0": f1_score([y > 0 for y, _ in non0], [p > 0 for _, p in non0], average="weighted"),
    }


def awkward(rng, shape):
    """Values with exact zeros, ties at .5 and values beyond ±3 among ordinary ones."""
    ordinary = rng.normal(0, 1.5, shape)
    special = rng.choice([-4.0, -3.5, -2.5, -1.5, -0.5, 0.0, 0.5, 1.5, 2.5, 3.5], shape)
    return np.where(rng.random(shape) < 0.5, ordinary, special)


def test_metrics_agree_with_independent_references_on_a_thousand_awkward_vectors():
    rng = np.random.default_rng(3)
    for _ in range(100):
        n = int(rng.integers(4, 40))
        labels, predictions = awkward(rng, n), awkward(rng, (10, n))
        labels[:2] = [-1.0, 0.25]  # so that no metric lacks items
        found = {name: metric(labels, predictions) for name, metric in METRICS.items()}
        for row in range(10):
            expected = slow_reference(labels, predictions[row])
            for name, value in expected.items():
                assert found[name][row] == pytest.approx(value, abs=1e-13), name


def test_f1_agrees_with_scikit_learn_on_a_thousand_vectors_of_every_class_mix():
    rng = np.random.default_rng(4)
    for _ in range(100):
        labels = rng.choice([-1.0, 0.0, 1.0], 6, p=rng.dirichlet(np.ones(3)))
        predictions = rng.choice([-1.0, 0.0, 1.0], (10, 6), p=rng.dirichlet(np.ones(3)))
        found = METRICS["f1_has0"](labels, predictions)
        for row in range(10):
            expected = f1_score(labels >= 0, predictions[row] >= 0, average="weighted")
            assert found[row] == pytest.approx(expected, abs=1e-14)


def test_metrics_of_a_hand_worked_example_in_unsorted_order():
    labels = [2.5, -0.5, 0.0, 3.4, -1.6]
    predictions = [[1.5, 0.2, -0.1, 2.6, -2.4]]
    # |p − y|: 1.0, 0.7, 0.1, 0.8, 0.8
    assert METRICS["mae"](labels, predictions)[0] == pytest.approx(0.68)
    # bins: y 2 0 0 3 −2; p 2 0 0 3 −2 (2.5 and 1.5 both round to 2, −0.5 and −0.1 to 0)
    assert METRICS["acc7"](labels, predictions)[0] == 1.0
    # signs: the items −0.5 against 0.2 and, where zeros count, 0.0 against −0.1 are wrong
    assert METRICS["acc2_has0"](labels, predictions)[0] == pytest.approx(3 / 5)
    assert METRICS["acc2_non0"](labels, predictions)[0] == pytest.approx(3 / 4)


@pytest.mark.parametrize(
    ("label", "prediction", "hit"),
    [(2.5, 1.6, 1.0), (0.5, 0.4, 1.0), (0.5, 0.6, 0.0), (-1.5, -2.5, 1.0), (1.5, 1.4, 0.0)],
)
def test_acc7_rounds_ties_half_to_even(label, prediction, hit):
    assert METRICS["acc7"]([label], [[prediction]])[0] == hit


def test_accuracies_clip_labels_and_predictions_beyond_the_scale():
    assert METRICS["acc7"]([4.0, -3.9], [[3.0, -9.0]])[0] == 1.0
    assert METRICS["acc5"]([3.0, -2.6], [[1.9, -2.4]])[0] == 1.0
    assert METRICS["mae"]([4.0], [[3.0]])[0] == 1.0


def test_a_prediction_of_exactly_zero_is_non_negative_but_not_positive():
    assert METRICS["acc2_has0"]([1.0], [[0.0]])[0] == 1.0
    assert METRICS["acc2_has0"]([-1.0], [[-0.0]])[0] == 0.0
    assert METRICS["acc2_non0"]([1.0], [[0.0]])[0] == 0.0
    assert METRICS["acc2_non0"]([-1.0], [[0.0]])[0] == 1.0


def test_corr_of_constant_predictions_is_nan_with_a_warning_and_leaves_other_runs_alone():
    labels = [1.0, -1.0, 0.5]
    predictions = [[0.1, 0.1, 0.1], [1.0, -1.0, 0.5], [-2.0, 2.0, -1.0]]
    with pytest.warns(RuntimeWarning, match=r"Corr of run rows \[0\] of 3 is NaN: constant"):
        found = METRICS["corr"](labels, predictions)
    assert math.isnan(found[0])
    np.testing.assert_allclose(found[1:], [1.0, -1.0])


def test_corr_of_constant_labels_is_nan_with_a_warning():
    with pytest.warns(RuntimeWarning, match="constant labels"):
        assert np.isnan(METRICS["corr"]([0.3, 0.3], [[1.0, 2.0]])).all()


def test_corr_of_nearly_constant_predictions_keeps_its_digits():
    rng = np.random.default_rng(5)
    signal = rng.normal(size=50)
    labels = signal + rng.normal(size=50)
    far = np.float32(0.7) + signal * 2.0**-20
    expected = pearsonr(labels, signal).statistic
    assert METRICS["corr"](labels, [far])[0] == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("name", ["acc2_non0", "f1_non0"])
def test_metrics_without_an_item_are_nan_with_a_warning(name):
    with pytest.warns(RuntimeWarning, match="no item"):
        assert np.isnan(METRICS[name]([0.0, 0.0], [[1.0, -1.0]])).all()


@pytest.mark.parametrize("metric", METRICS.values(), ids=METRICS)
def test_metrics_do_not_depend_on_the_order_of_items(metric):
    rng = np.random.default_rng(6)
    labels, predictions = awkward(rng, 60), awkward(rng, (3, 60))
    order = rng.permutation(60)
    np.testing.assert_allclose(
        metric(labels[order], predictions[:, order]), metric(labels, predictions), rtol=1e-13
    )


@pytest.mark.parametrize("metric", METRICS.values(), ids=METRICS)
def test_metrics_refuse_shapes_that_would_broadcast_and_numbers_that_are_not_finite(metric):
    with pytest.raises(ValueError, match=r"labels \(3,\) and predictions \(3,\)"):
        metric([1.0, 2.0, 3.0], [1.0, 2.0, 3.0])
    with pytest.raises(ValueError, match=r"predictions \(2, 1\)"):
        metric([1.0, 2.0, 3.0], [[1.0], [2.0]])
    with pytest.raises(ValueError, match="finite"):
        metric([1.0, 2.0], [[1.0, np.nan]])


def test_metrics_know_which_items_they_count_and_where_a_gain_lies():
    labels = [0.0, 1.0, -1.0, 0.0]
    assert METRICS["f1_non0"].count_items(labels) == METRICS["acc2_non0"].count_items(labels) == 2
    assert METRICS["mae"].count_items(labels) == METRICS["f1_has0"].count_items(labels) == 4
    assert [name for name, metric in METRICS.items() if not metric.higher_is_better] == ["mae"]
