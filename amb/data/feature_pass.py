"""One pass over the features of a modality: mend, count, hash, describe, hand on.

The features of CMU-MOSEI are gigabytes, so whatever is to be known of them is learnt while they
go by, one sequence at a time, and nothing but the statistics is held.

Notation: N utterances, V videos, d features of a frame.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from amb.data.fingerprint import features_header
from amb.data.group_moments import GroupMoments
from amb.data.ragged import Array, Offsets, Sequences, each_sequence


@dataclass(frozen=True)
class Groups:
    """Which frames share statistics: those of a video, and those of the train split.

    Attributes:
        videos: Number of videos, V.
        video: Video of each utterance (N,), numbered as they first occur.
        is_train: Which utterances are of the train split (N,).
    """

    videos: int
    video: npt.NDArray[np.int64]
    is_train: npt.NDArray[np.bool_]

    @classmethod
    def of(cls, utterances: pd.DataFrame) -> Groups:
        """Return the groups of a table of utterances."""
        video, names = pd.factorize(utterances["video"])
        is_train = (utterances["split"] == "train").to_numpy()
        return cls(len(names), video.astype(np.int64), is_train)


@dataclass
class PassResult:
    """What is known of a modality after its values have gone by.

    Attributes:
        digest: SHA-256 of alignment, shape, offsets and mended values.
        train: Mean and standard deviation of each feature over all train frames; float64.
        video_mean: Mean by video (V, d) float32.
        video_std: Standard deviation by video (V, d) float32.
        values: Number of values.
        nonfinite: Number of values that were NaN or infinite, by utterance.
    """

    digest: str = ""
    train: dict[str, list[float]] = field(default_factory=dict)
    video_mean: Array = field(default_factory=lambda: np.empty((0, 0), np.float32))
    video_std: Array = field(default_factory=lambda: np.empty((0, 0), np.float32))
    values: int = 0
    nonfinite: dict[int, int] = field(default_factory=dict)


def offsets_of(sequences: Sequences) -> Offsets:
    """Return where each sequence starts, and the end of the last (N + 1,)."""
    return np.concatenate([[0], np.cumsum(sequences.lengths, dtype=np.int64)])


def pass_over(
    sequences: Sequences,
    word_aligned: bool,
    groups: Groups,
    hand_on: Callable[[Array], Any],
) -> PassResult:
    """Read all frames of a modality once.

    Args:
        sequences: N sequences.
        word_aligned: Whether frame i belongs to word i; part of the digest.
        groups: Which utterances share statistics.
        hand_on: Gets the frames in order, NaN and ±inf set to 0: the writer, or nobody.

    Returns:
        Digest, statistics and what was not finite; all independent of the pieces in which
        ``sequences`` yields its frames.
    """
    offsets = offsets_of(sequences)
    shape = (int(offsets[-1]), sequences.dimension)
    digest = hashlib.sha256(features_header(word_aligned, shape))
    digest.update(offsets.astype("<i8").data)
    moments = GroupMoments(groups.videos + 1, sequences.dimension)
    result = PassResult(values=shape[0] * shape[1])
    for row, frames in enumerate(each_sequence(sequences)):
        frames, count = _mended(frames)
        if count:
            result.nonfinite[row] = count
        digest.update(np.ascontiguousarray(frames, dtype="<f4").data)
        own = [int(groups.video[row])]
        if len(frames):
            moments.add(frames, [*own, groups.videos] if groups.is_train[row] else own)
        hand_on(frames)
    mean, std = moments.mean, moments.std()
    result.digest = digest.hexdigest()
    result.train = {"mean": mean[-1].tolist(), "std": std[-1].tolist()}
    result.video_mean, result.video_std = mean[:-1].astype("f4"), std[:-1].astype("f4")
    return result


def _mended(frames: Array) -> tuple[Array, int]:
    """Return frames with NaN and ±inf set to 0, and how many there were."""
    finite = np.isfinite(frames)
    if finite.all():
        return frames, 0
    return np.where(finite, frames, np.float32(0)), int(finite.size - finite.sum())
