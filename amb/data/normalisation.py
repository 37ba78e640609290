"""Scaling of features: by the train split, by each video, or not at all.

The store keeps features as they came, and the statistics beside them; scaling happens when a
batch is made, so that a mapped file stays mapped.

``zscore`` uses the frames of the train split only. ``per_video`` uses all frames of an utterance's
own video, test videos included: no label is needed for it, but a system that hears one utterance
at a time could not do it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from amb.data.ragged import Array
from amb.data.store import Store

KINDS = ("none", "zscore", "per_video")


@dataclass(frozen=True)
class Scaling:
    """Mean and standard deviation of G groups of frames, and which group an utterance is in.

    Attributes:
        mean: (G, d) float32.
        std: (G, d) float32, nowhere 0.
        group: (N,) int64.
    """

    mean: Array
    std: Array
    group: npt.NDArray[np.int64]

    @classmethod
    def of_groups(
        cls,
        mean: npt.ArrayLike,
        std: npt.ArrayLike,
        group: npt.NDArray[np.int64],
    ) -> Scaling:
        """Return the scaling by statistics (G, d); a standard deviation of 0 counts as 1."""
        deviation = np.asarray(std, dtype=np.float32)
        deviation = np.where(deviation == 0, np.float32(1), deviation)
        return cls(np.asarray(mean, dtype=np.float32), deviation, group)

    @classmethod
    def of_all(cls, mean: Sequence[float], std: Sequence[float], count: int) -> Scaling:
        """Return the scaling of ``count`` utterances by the same statistics (d,)."""
        return cls.of_groups([mean], [std], np.zeros(count, dtype=np.int64))


def scaling_of(store: Store, modality: str, kind: str) -> Scaling | None:
    """Return how one modality of a store is scaled: ``(values − mean) / std``.

    A standard deviation of 0 (a constant feature) counts as 1.

    Args:
        store: An open store.
        modality: One of its modalities.
        kind: ``none``, ``zscore`` or ``per_video``.

    Returns:
        The statistics, or None for ``none``.
    """
    if kind == "none":
        return None
    if kind == "per_video":
        return Scaling.of_groups(*store.video_statistics(modality), store.video_numbers())
    own = store.card["normalisation"][modality]
    return Scaling.of_all(own["mean"], own["std"], len(store.utterances))
