"""The variants ``mmsa`` and ``sims`` beside MMSA's own ``MetricsTop``, to the last digit it prints.

``AMB_MMSA_PYTHON`` names a Python interpreter that has MMSA 2.2.1; without it the tests skip.
"""

import warnings

import numpy as np
import pytest
from run_in_mmsa import run_in_mmsa

from amb.evaluation.metric_variants import VARIANTS

NAMES = {
    "MOSI": {
        "acc2_has0": "Has0_acc_2",
        "acc2_non0": "Non0_acc_2",
        "f1_has0": "Has0_F1_score",
        "f1_non0": "Non0_F1_score",
        "acc7": "Mult_acc_7",
        "acc5": "Mult_acc_5",
        "mae": "MAE",
        "corr": "Corr",
    },
    "SIMS": {
        "acc2": "Mult_acc_2",
        "acc3": "Mult_acc_3",
        "acc5": "Mult_acc_5",
        "f1": "F1_score",
        "mae": "MAE",
        "corr": "Corr",
    },
}
OURS = {"MOSI": "mmsa", "SIMS": "sims"}
SPECIAL = [-4, -3.5, -2.5, -1.5, -1, -0.7, -0.5, -0.1, 0, 0.1, 0.5, 0.7, 1, 1.5, 2.5, 3.5, 4]
# Half of the last printed digit, and what a mean in float32 can add to it.
LAST_DIGIT = 0.5e-4 + 1e-6
COUNT = 600


def generated():
    """Return labels and predictions of many lengths: ties, zeros, cuts, constants, one class."""
    rng = np.random.default_rng(15)
    vectors = []
    for place in range(COUNT):
        n = int(rng.integers(1, 41)) if place % 3 else int(rng.integers(100, 700))
        labels, predictions = (
            np.where(rng.random(n) < 0.5, rng.normal(0, 1.5, n), rng.choice(SPECIAL, n))
            for _ in range(2)
        )
        if place % 4 == 1:  # the labels of CH-SIMS
            labels = rng.integers(-5, 6, n) / 5
        if place % 7 == 2:  # constant predictions
            predictions = np.full(n, rng.choice([*SPECIAL, rng.normal()]))
        if place % 11 == 3:  # one class absent
            labels = np.abs(labels)
        if place % 50 == 4:
            labels = np.zeros(n)
        vectors.append((labels.astype(np.float32), predictions.astype(np.float32)))
    return vectors


@pytest.fixture(scope="module")
def vectors():
    return generated()


@pytest.fixture(scope="module")
def theirs(vectors, tmp_path_factory):
    folder = tmp_path_factory.mktemp("metrics")
    labels, predictions = (np.concatenate([own[side] for own in vectors]) for side in (0, 1))
    lengths = [labels.size for labels, _ in vectors]
    np.savez(folder / "in.npz", labels=labels, predictions=predictions, lengths=lengths)
    return run_in_mmsa("mmsa_metrics", folder, str(folder / "in.npz"))


def ours(dataset, vectors):
    metrics = VARIANTS[OURS[dataset]].metrics
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        return {
            name: np.array([metrics[name](y, p[None])[0] for y, p in vectors])
            for name in NAMES[dataset]
        }


@pytest.mark.parametrize("dataset", NAMES)
def test_every_metric_equals_that_of_mmsa_to_the_last_digit_it_prints(dataset, vectors, theirs):
    assert set(NAMES[dataset]) == set(VARIANTS[OURS[dataset]].metrics)
    answered = theirs[f"{dataset}.raised"].numpy() == 0
    assert answered.sum() > 0.95 * COUNT
    for name, values in ours(dataset, vectors).items():
        printed = theirs[f"{dataset}.{NAMES[dataset][name]}"].numpy()[answered]
        np.testing.assert_allclose(
            values[answered], printed, rtol=0, atol=LAST_DIGIT, err_msg=f"{dataset} {name}"
        )


@pytest.mark.parametrize("dataset", NAMES)
def test_corr_is_nan_where_that_of_mmsa_is(dataset, vectors, theirs):
    answered = theirs[f"{dataset}.raised"].numpy() == 0
    undefined = np.isnan(theirs[f"{dataset}.Corr"].numpy())[answered]
    assert undefined.sum() > COUNT / 10
    np.testing.assert_array_equal(np.isnan(ours(dataset, vectors)["corr"])[answered], undefined)


def test_mmsa_raises_where_all_labels_are_zero_and_we_answer_nan_for_what_lacks_items(
    vectors, theirs
):
    all_zero = np.array([not labels.any() for labels, _ in vectors])
    assert all_zero.sum() >= COUNT / 50
    np.testing.assert_array_equal(theirs["MOSI.raised"].numpy() == 1, all_zero)
    assert not theirs["SIMS.raised"].any()
    found = ours("MOSI", vectors)
    for name in ("acc2_non0", "f1_non0", "corr"):
        assert np.isnan(found[name][all_zero]).all()
    for name in ("acc2_has0", "f1_has0", "acc7", "acc5", "mae"):
        assert np.isfinite(found[name][all_zero]).all()
