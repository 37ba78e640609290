from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import Ridge
from sklearn.preprocessing import StandardScaler

from amb.data.formats.mmsa import read_mmsa
from amb.data.leakage import (
    ALPHA,
    MIN_VIDEOS,
    PENALTY,
    correlations,
    dersimonian_laird,
    probe_leakage,
    ridge_predictions,
    utterance_means,
)
from amb.data.ragged import Ragged

SHARES = {"train": 0.6, "valid": 0.1, "test": 0.3}
FRAMES = Ragged(
    np.array([[1, 0], [3, 0], [np.nan, 1], [1, np.inf], [0, 4], [7, 7]], dtype=np.float32),
    np.array([0, 2, 2, 5, 6]),
)


def simulated(rng, strength, size=15, d=4):
    """Features whose first column correlates with the labels at ``strength[v]`` in video v."""
    videos = len(strength)
    video = np.repeat(np.arange(videos), size)
    labels = rng.standard_normal(videos * size)
    features = rng.standard_normal((videos * size, d))
    r = np.asarray(strength)[video]
    features[:, 0] = r * labels + np.sqrt(1 - r**2) * features[:, 0]
    edges = np.rint(np.cumsum(list(SHARES.values())) * videos)[:-1]
    splits = np.array(list(SHARES))[np.searchsorted(edges, np.arange(videos), side="right")]
    return features, labels, video, splits[video]


@pytest.fixture(scope="module")
def real_reports(real_data):
    options = {
        "dataset": "mosi",
        "file": "mosi/utterance_level_mmsa.pkl",
        "modalities": ["audio", "visual"],
    }
    data = read_mmsa(options, real_data)
    return {
        modality: probe_leakage(
            utterance_means(sequences),
            data.labels["label"],
            data.utterances["video"],
            data.utterances["split"],
            np.random.default_rng(0),
            permutations=199,
        )
        for modality, sequences in data.features.items()
    }


def test_the_known_leaky_block_trips_the_alarm(real_reports):
    report = real_reports["visual"]
    assert report.alarm
    assert report.mixture.p == 1 / 200
    assert 0.3 < report.mixture.tau < 0.4
    assert report.split.p > ALPHA  # the leak went into all splits alike
    assert report.sentence.startswith("Leakage alarm.")


def test_the_honest_block_beside_it_does_not(real_reports):
    report = real_reports["audio"]
    assert not report.alarm
    assert report.mixture.tau < 0.2
    assert report.split.gap > 0.3  # overfitting is no leakage
    assert report.sentence.startswith("No sign of leakage.")


def test_a_leak_into_some_videos_of_all_splits_trips_the_mixture_test():
    rng = np.random.default_rng(1)
    strength = np.where(rng.permutation(60) < 24, 0.8, 0.05)
    report = probe_leakage(*simulated(rng, strength), rng, permutations=199)
    assert report.alarm
    assert report.mixture.p <= ALPHA
    assert report.mixture.videos == 60


def test_a_leak_into_the_test_videos_trips_the_split_test():
    rng = np.random.default_rng(2)
    strength = np.where(np.arange(19) >= 13, 0.9, 0.3)  # too few videos for the mixture test
    report = probe_leakage(*simulated(rng, strength), rng, permutations=199)
    assert report.mixture is None
    assert report.split.p <= ALPHA
    assert report.split.test_score > report.split.permuted_score
    assert report.alarm
    assert "too few usable videos" in report.sentence


def test_honest_features_of_differing_strength_trip_it_rarely():
    rng = np.random.default_rng(3)
    alarms = 0
    for _ in range(60):
        strength = np.tanh(0.3 + 0.13 * rng.standard_normal(24))
        alarms += probe_leakage(*simulated(rng, strength), rng, permutations=99).alarm
    assert alarms <= 3  # at a rate of 1 %, more have a probability of 0.3 %


def test_the_same_generator_gives_the_same_report():
    data = simulated(np.random.default_rng(4), np.full(25, 0.3))
    first, second = (probe_leakage(*data, np.random.default_rng(5), 20) for _ in range(2))
    assert first == second


@pytest.mark.parametrize("constant", ["features", "labels"])
def test_constants_have_no_score_and_no_alarm(constant):
    rng = np.random.default_rng(6)
    features, labels, video, splits = simulated(rng, np.full(30, 0.5))
    if constant == "features":
        features = np.full_like(features, 0.1)
    else:
        labels = np.full_like(labels, 0.1)
    report = probe_leakage(features, labels, video, splits, rng, permutations=20)
    assert (report.split, report.mixture, report.alarm) == (None, None, False)
    assert report.sentence.startswith("Not tested for leakage.")


@pytest.mark.parametrize("shape", [(0, 3), (12, 0), (12, 3)])
def test_one_video_or_nothing_at_all_is_not_tested(shape):
    N = shape[0]
    report = probe_leakage(
        np.ones(shape), np.arange(N), ["a"] * N, ["test"] * N, np.random.default_rng(0)
    )
    assert (report.split, report.mixture, report.alarm) == (None, None, False)


def test_videos_without_a_defined_correlation_are_left_out():
    rng = np.random.default_rng(7)
    features, labels, video, splits = simulated(rng, np.full(MIN_VIDEOS + 2, 0.5))
    labels[video == 0] = 0.3
    features[video == 1] = 0.7
    report = probe_leakage(features, labels, video, splits, rng, permutations=20)
    assert report.mixture.videos == MIN_VIDEOS
    labels[video == 2] = -1.1
    report = probe_leakage(features, labels, video, splits, rng, permutations=20)
    assert report.mixture is None


def test_tiny_data_says_that_it_cannot_alarm():
    rng = np.random.default_rng(8)
    features, labels, video, splits = simulated(rng, np.full(10, 0.5))
    report = probe_leakage(features, labels, video, splits, rng, permutations=199)
    assert report.split.smallest_p == 1 / 200  # 840 ways to choose 6 and 3 of 10
    few = video >= 5
    report = probe_leakage(features[few], labels[few], video[few], splits[few], rng, 199)
    assert report.split.smallest_p == 1 / 20  # train 1, valid 1, test 3
    assert "cannot trip the alarm here: p is 0.050 at best" in report.sentence


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda x, y, v, s: (x, np.where(v == 3, np.nan, y), v, s), "labels must be finite"),
        (lambda x, y, v, s: (np.where(x > 2, np.inf, x), y, v, s), "features must be finite"),
        (lambda x, y, v, s: (x[:-1], y, v, s), "features must be"),
        (lambda x, y, v, s: (x, y, v, np.roll(s, 1)), "two splits"),
    ],
)
def test_unusable_arguments_are_refused(change, message):
    rng = np.random.default_rng(9)
    with pytest.raises(ValueError, match=message):
        probe_leakage(*change(*simulated(rng, np.full(10, 0.5))), rng)


@pytest.mark.parametrize("d", [3, 70])
def test_the_ridge_is_scikit_learns(d):
    rng = np.random.default_rng(10)
    train, others = rng.standard_normal((40, d)), rng.standard_normal((9, d))
    train[:, 0] = 0.1
    train[3, 1], others[2, 1] = 1000, -1e9
    labels = rng.standard_normal(40) + 5
    scaler = StandardScaler().fit(train)
    scaled = [np.clip(scaler.transform(x), -10, 10) for x in (train, others)]
    expected = Ridge(alpha=PENALTY).fit(scaled[0], labels).predict(scaled[1])
    np.testing.assert_allclose(ridge_predictions(train, labels, others), expected)


def test_tau_is_dersimonian_and_lairds():
    z, n = [0.1, 0.9, -0.2, 0.6], [12, 40, 9, 25]
    w = [k - 3 for k in n]
    mean = sum(a * b for a, b in zip(w, z, strict=True)) / sum(w)
    q = sum(a * (b - mean) ** 2 for a, b in zip(w, z, strict=True))
    tau2 = (q - 3) / (sum(w) - sum(a * a for a in w) / sum(w))
    found = dersimonian_laird(np.array(z), np.array(n) - 3.0)
    np.testing.assert_allclose(found, (mean, tau2**0.5, q))
    assert dersimonian_laird(np.full(5, 0.3), np.full(5, 10.0))[1] == 0


def test_correlations_are_numpys_in_each_group():
    rng = np.random.default_rng(11)
    a, b, group = rng.standard_normal(50), rng.standard_normal(50), rng.permutation(50) % 3
    found = correlations(a, b, group)
    for g in range(3):
        assert found[g] == pytest.approx(np.corrcoef(a[group == g], b[group == g])[0, 1])
    assert np.isnan(correlations(np.where(group == 1, 0.1, a), b, group)).tolist() == [0, 1, 0]


@pytest.mark.parametrize("step", [1, 3, 100])
def test_means_do_not_depend_on_where_the_chunks_are_cut(step):
    class Cut:
        dimension, lengths = FRAMES.dimension, FRAMES.lengths

        def chunks(self):
            yield FRAMES.values[:0]
            for first in range(0, len(FRAMES.values), step):
                yield FRAMES.values[first : first + step]

    means = utterance_means(Cut())
    assert means.dtype == np.float64
    np.testing.assert_allclose(means, [[2, 0], [0, 0], [1 / 3, 5 / 3], [7, 7]])
