"""What is learnt while features go by, and that it does not depend on the pieces they come in."""

import numpy as np
import pandas as pd
import pytest

from amb.data.feature_pass import Groups, pass_over
from amb.data.fingerprint import features_digest
from amb.data.ragged import JoinedSequences, ListedSequences, PaddedSequences, Ragged

LENGTHS = (3, 1, 5, 2, 4)
UTTERANCES = pd.DataFrame(
    {"video": ["b", "a", "b", "c", "a"], "split": ["train", "valid", "train", "test", "valid"]}
)


@pytest.fixture
def arrays():
    rng = np.random.default_rng(3)
    return [rng.normal(50, 4, size=(n, 2)).astype(np.float32) for n in LENGTHS]


def passed(sequences, word_aligned=False):
    kept = []
    result = pass_over(sequences, word_aligned, Groups.of(UTTERANCES), kept.append)
    return result, np.concatenate(kept)


def padded(arrays, rows):
    values = np.zeros((len(rows), 9, 2), dtype=np.float64)
    starts = np.array([row % 3 for row in rows])
    for place, row in enumerate(rows):
        values[place, starts[place] : starts[place] + LENGTHS[row]] = arrays[row]
    return PaddedSequences(values, starts, np.array([LENGTHS[row] for row in rows]))


def test_every_form_of_the_same_sequences_gives_the_same_values_digest_and_statistics(arrays):
    forms = [
        Ragged.from_sequences(arrays),
        ListedSequences(arrays),
        padded(arrays, range(5)),
        JoinedSequences([ListedSequences(arrays[:2]), padded(arrays, [2, 3, 4])]),
    ]
    results = [passed(form) for form in forms]
    for result, values in results:
        np.testing.assert_array_equal(values, np.concatenate(arrays))
        assert result.digest == features_digest(forms[0], False)
        assert result.train == results[0][0].train
    for form in forms:
        assert form.lengths.tolist() == list(LENGTHS)
        assert form.dimension == 2
        np.testing.assert_array_equal(form[-2], arrays[3])


def test_chunks_that_cut_sequences_change_nothing(arrays, monkeypatch):
    whole, _ = passed(Ragged.from_sequences(arrays))
    monkeypatch.setattr("amb.data.ragged.CHUNK_VALUES", 4)
    pieces, values = passed(Ragged.from_sequences(arrays))
    assert pieces.digest == whole.digest
    assert pieces.train == whole.train
    np.testing.assert_array_equal(values, np.concatenate(arrays))


def test_statistics_are_those_of_the_train_split_and_of_each_video(arrays):
    result, _ = passed(ListedSequences(arrays))
    train = np.concatenate([arrays[0], arrays[2]]).astype(np.float64)
    np.testing.assert_allclose(result.train["mean"], train.mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(result.train["std"], train.std(axis=0), rtol=1e-12)
    videos = [train, np.concatenate([arrays[1], arrays[4]]), arrays[3]]  # as they first occur
    for row, own in enumerate(videos):
        np.testing.assert_allclose(result.video_mean[row], own.mean(axis=0), rtol=1e-6)
        np.testing.assert_allclose(result.video_std[row], own.std(axis=0), rtol=1e-5)


def test_a_large_mean_costs_no_digits(arrays):
    shifted = [array + np.float32(2**20) for array in arrays]
    result, _ = passed(ListedSequences(shifted))
    train = np.concatenate([shifted[0], shifted[2]]).astype(np.float64)
    np.testing.assert_allclose(result.train["std"], train.std(axis=0), rtol=1e-10)


def test_a_constant_feature_has_a_deviation_of_exactly_zero():
    # 0.1 is no binary fraction: a computed deviation would be tiny but not 0
    constant = [np.full((n, 1), 0.1, dtype=np.float32) for n in LENGTHS]
    result, _ = passed(ListedSequences(constant))
    assert result.train["std"] == [0.0]
    assert result.video_std.tolist() == [[0.0]] * 3


def test_values_that_are_not_finite_become_zero_and_are_counted_by_utterance(arrays):
    arrays[2][1] = [np.nan, -np.inf]
    arrays[4][0, 1] = np.inf
    before = [array.copy() for array in arrays]
    result, values = passed(ListedSequences(arrays))
    assert result.nonfinite == {2: 2, 4: 1}
    expected = np.concatenate(arrays)
    expected[~np.isfinite(expected)] = 0
    np.testing.assert_array_equal(values, expected)
    for array, copy in zip(arrays, before, strict=True):  # the user's file is left alone
        np.testing.assert_array_equal(array, copy)


@pytest.mark.parametrize("change", ["value", "offsets", "alignment"])
def test_the_digest_changes_with_everything_that_it_covers(arrays, change):
    before, _ = passed(ListedSequences(arrays))
    if change == "value":
        arrays[4][3, 1] += 1
    elif change == "offsets":
        whole = np.concatenate(arrays)
        arrays = np.split(whole, np.cumsum((3, 2, 4, 2)))
    after, _ = passed(ListedSequences(arrays), word_aligned=change == "alignment")
    assert after.digest != before.digest
