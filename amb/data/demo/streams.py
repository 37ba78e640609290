"""One random stream for each named thing: adding a video never changes another's numbers."""

from __future__ import annotations

import hashlib

import numpy as np
import numpy.typing as npt

from amb.data.ragged import Array


def stream(seed: int, *names: str | int) -> np.random.Generator:
    """Return the generator of the thing that ``names`` name, under ``seed``.

    Args:
        seed: The study's demo seed.
        *names: For instance ``"train", 3, "sentences"``.

    Returns:
        A PCG64 generator seeded with a SHA-256 of the seed and the names.
    """
    name = "/".join(str(part) for part in (seed, *names))
    entropy = int.from_bytes(hashlib.sha256(name.encode()).digest()[:16], "little")
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(entropy)))


def quantised(values: npt.NDArray[np.float64], steps: int) -> Array:
    """Round to multiples of 1/steps, as float32.

    The last bits of floating-point sums differ between machines; rounding hides them, so that the
    demo is the same data everywhere.
    """
    return (np.round(values * steps) / steps).astype(np.float32)
