import numpy as np

from amb.data.normalisation import apply_zscore, train_statistics
from amb.data.ragged import Ragged


def test_statistics_see_train_frames_only() -> None:
    features = Ragged.from_sequences(
        [np.array([[0.0, 5.0], [2.0, 5.0]]), np.array([[100.0, 9.0]]), np.array([[4.0, 5.0]])]
    )
    statistics = train_statistics(features, np.array([True, False, True]))
    assert statistics["mean"] == [2.0, 5.0]
    np.testing.assert_allclose(statistics["std"], [np.sqrt(8 / 3), 0.0])


def test_train_frames_have_mean_zero_and_variance_one_after_scaling() -> None:
    values = np.random.default_rng(1).normal(300, 7, size=(500, 4))
    features = Ragged.from_sequences([values])
    scaled = apply_zscore(features.values, train_statistics(features, np.array([True])))
    assert scaled.dtype == np.float32
    np.testing.assert_allclose(scaled.mean(axis=0), 0, atol=1e-4)
    np.testing.assert_allclose(scaled.std(axis=0), 1, atol=1e-4)


def test_constant_feature_is_centred_and_not_blown_up() -> None:
    # 0.1 is no binary fraction: a computed deviation would be tiny but not 0
    features = Ragged.from_sequences([np.full((1000, 1), 0.1)])
    statistics = train_statistics(features, np.array([True]))
    assert statistics["std"] == [0.0]
    elsewhere = np.array([[0.1], [0.6]], dtype=np.float32)
    np.testing.assert_allclose(apply_zscore(elsewhere, statistics), [[0], [0.5]], atol=1e-6)


def test_scaling_leaves_its_argument_alone() -> None:
    values = np.ones((2, 1), dtype=np.float32)
    apply_zscore(values, {"mean": [5.0], "std": [2.0]})
    assert values.tolist() == [[1.0], [1.0]]
