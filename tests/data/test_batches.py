"""Batches come out of the mapped store with the right rows, padding and nothing copied."""

import numpy as np
import torch

from amb.data.frames import ScaledFrames
from amb.data.normalisation import Scaling
from amb.data.ragged import Ragged
from amb.data.ragged_tensor import RaggedTensor

ARRAYS = [np.arange(n * 2, dtype=np.float32).reshape(n, 2) + 10 * n for n in (2, 4, 1, 3)]


def test_rows_are_padded_to_the_longest_of_the_batch():
    features = Ragged.from_sequences(ARRAYS)
    chosen = RaggedTensor.select(features.values, features.offsets, np.array([3, 0, 2]))
    values, mask = chosen.pad(torch.tensor([2, 1]))  # the arrays 2 and 0
    assert values.shape == (2, 2, 2)
    assert mask.tolist() == [[True, False], [True, True]]
    np.testing.assert_array_equal(values[0, 0], ARRAYS[2][0])
    np.testing.assert_array_equal(values[1], ARRAYS[0])
    assert (values[0, 1] == 0).all()


def test_selecting_rows_shares_memory_and_own_values_are_a_copy_in_order():
    features = Ragged.from_sequences(ARRAYS)
    chosen = RaggedTensor.select(features.values, features.offsets, np.array([3, 0]))
    assert chosen.values.data_ptr() == features.values.ctypes.data
    np.testing.assert_array_equal(chosen.own_values(), np.concatenate([ARRAYS[3], ARRAYS[0]]))


def test_padding_is_zero_after_scaling_too():
    features = Ragged.from_sequences(ARRAYS)
    scaling = Scaling(
        np.array([[5.0, 1.0], [7.0, 2.0]], dtype=np.float32),
        np.array([[2.0, 4.0], [1.0, 8.0]], dtype=np.float32),
        np.array([0, 1, 1, 0]),
    )
    frames = ScaledFrames.select(features, scaling, np.array([1, 2])).pad(torch.tensor([0, 1]))
    np.testing.assert_array_equal(frames.values[0], (ARRAYS[1] - [7, 2]) / np.float32([1, 8]))
    assert (frames.values[1, 1:] == 0).all()
    assert frames.mask.sum(1).tolist() == [4, 1]
