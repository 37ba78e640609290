"""Where the real frames of padded sequences are, in layouts that do not say."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from amb.data.ragged import JoinedSequences, PaddedSequences
from amb.errors import InputError


def real_frames(values: npt.NDArray[Any]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Find the first frame and the end of the last frame that is not all zeros.

    A sequence that begins or ends with a real frame of zeros loses it: the layout cannot tell it
    from padding. A sequence of zeros only keeps its first frame.

    Args:
        values: Padded sequences (N, T, d).

    Returns:
        The place of the first real frame (N,) and the end of the last (N,).
    """
    first = np.zeros(len(values), dtype=np.int64)
    end = np.ones(len(values), dtype=np.int64)
    for row, sequence in enumerate(values):
        real = np.flatnonzero((sequence != 0).any(axis=1))
        if len(real):
            first[row], end[row] = real[0], real[-1] + 1
    return first, end


def padded_together(
    file: Path, where: str, blocks: Sequence[npt.NDArray[Any]]
) -> list[PaddedSequences]:
    """Take padding off blocks whose frames belong together: a frame is real if it is in any.

    Args:
        file: For messages.
        where: Where the blocks stand.
        blocks: Padded sequences (N, T, d) of equal N and T.

    Returns:
        The sequences of each block; frame i of one belongs to frame i of the others.

    Raises:
        InputError: The blocks have different lengths.
    """
    for block in blocks:
        if block.shape[:2] != blocks[0].shape[:2]:
            found = " and ".join(str(own.shape) for own in blocks)
            raise InputError(file, where, found, "as many rows and frames in all modalities")
    ends = [real_frames(block) for block in blocks]
    start = np.minimum.reduce([first for first, _ in ends])
    end = np.maximum.reduce([last for _, last in ends])
    return [PaddedSequences(block, start, end - start) for block in blocks]


def joined(parts: Sequence[PaddedSequences], places: Sequence[tuple[Path, str]]) -> JoinedSequences:
    """Return the sequences of all splits of a modality, one split after the other.

    Args:
        parts: The sequences of each split.
        places: File and place of each split's block, for messages.

    Returns:
        The sequences.

    Raises:
        InputError: Frames of two splits have different numbers of features.
    """
    for part, (file, where) in zip(parts, places, strict=True):
        if part.dimension != parts[0].dimension:
            expected = f"{parts[0].dimension}, as in {places[0][1]}"
            raise InputError(file, f"{where}: features of a frame", part.dimension, expected)
    return JoinedSequences(parts)
