"""Many numbers in a few characters: whole numbers of 16 bits, as base64, read by the page."""

from __future__ import annotations

import base64
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

MOST_DECIMALS = 3
LARGEST = 32_767


@dataclass(frozen=True)
class Packing:
    """How numbers become whole ones.

    Attributes:
        decimals: Digits kept after the point.
    """

    decimals: int

    def pack(self, values: ArrayLike) -> str:
        """Return values, in C order, as little-endian 16-bit numbers in base64.

        Args:
            values: Any shape; every one within what ``packing_for`` was given.

        Returns:
            Base64; the value is the whole number divided by ten to the ``decimals``.
        """
        whole = np.rint(np.asarray(values, dtype=np.float64) * 10.0**self.decimals)
        return base64.b64encode(whole.astype("<i2").tobytes()).decode("ascii")


def packing_for(*arrays: NDArray[np.float64]) -> Packing:
    """Choose the most decimals, at most three, with which all numbers fit.

    Args:
        *arrays: Finite numbers below 32,767 in size; what is larger is cut there.

    Returns:
        The packing.
    """
    largest = max((float(np.abs(array).max()) for array in arrays if array.size), default=0.0)
    fits = (d for d in range(MOST_DECIMALS, -1, -1) if largest * 10.0**d <= LARGEST)
    return Packing(next(fits, 0))
