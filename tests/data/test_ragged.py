import numpy as np
import pytest

from amb.data.ragged import Ragged


def ragged() -> Ragged:
    return Ragged.from_sequences([np.full((n, 2), n, dtype=np.float64) for n in (2, 1, 3)])


def test_sequences_come_back_in_their_lengths() -> None:
    assert [sequence.shape for sequence in ragged()] == [(2, 2), (1, 2), (3, 2)]
    assert [float(sequence[0, 0]) for sequence in ragged()] == [2, 1, 3]


def test_values_are_float32_and_offsets_int64() -> None:
    assert ragged().values.dtype == np.float32
    assert ragged().offsets.tolist() == [0, 2, 3, 6]
    assert ragged().offsets.dtype == np.int64


def test_negative_index_counts_from_the_end() -> None:
    np.testing.assert_array_equal(ragged()[-1], ragged()[2])


@pytest.mark.parametrize("index", [3, -4])
def test_index_out_of_range_is_refused(index: int) -> None:
    with pytest.raises(IndexError, match=f"sequence {index} of 3"):
        ragged()[index]
