"""Scaling of features: by the train split, by each video, or not at all.

The store keeps features as they came, and the statistics beside them; scaling happens when a
batch is made, so that a mapped file stays mapped.

``zscore`` uses the frames of the train split only. ``per_video`` uses all frames of an utterance's
own video, test videos included: no label is needed for it, but a system that hears one utterance
at a time could not do it.
"""

from __future__ import annotations

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
        mean, std = store.video_statistics(modality)
        group = store.video_numbers()
    else:
        own = store.card["normalisation"][modality]
        mean = np.asarray([own["mean"]], dtype=np.float32)
        std = np.asarray([own["std"]], dtype=np.float32)
        group = np.zeros(len(store.utterances), dtype=np.int64)
    return Scaling(mean, np.where(std == 0, np.float32(1), std), group)
