"""Utterances or a store → tensors, scaled as the model's training data were.

``zscore`` scales by the statistics of the model's own train split, wherever the inputs come from.
``per_video`` scales by the frames of an utterance's video: in a store, all of them; among given
utterances, those that are given in the same call under the same ``video``.

Notation: N utterances, V videos, d features of a frame.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from amb.data.batches import SplitData
from amb.data.group_moments import GroupMoments
from amb.data.normalisation import Scaling, scaling_of
from amb.data.ragged import Array, Ragged
from amb.data.store import Store
from amb.data.token_cache import cached_tokens
from amb.data.tokenisation import tokenise
from amb.errors import InputError
from amb.inference.config import ModelConfig
from amb.inference.utterances import CheckedUtterances


def tensors_of_utterances(
    checked: CheckedUtterances, config: ModelConfig, backbone: Path
) -> SplitData:
    """Bring N utterances, at least one, into the form that models read.

    Args:
        checked: The utterances.
        config: The model's configuration.
        backbone: The prepared backbone's folder.

    Returns:
        The utterances in the given order, without labels.
    """
    count = len(checked.words)
    features: dict[str, tuple[Ragged, Scaling | None]] = {}
    for modality, arrays in checked.features.items():
        if config.normalisation == "per_video":
            scaling: Scaling | None = _scaling_by_video(arrays, checked.videos)
        else:
            scaling = config.features[modality].scaling(count)
        features[modality] = (Ragged.from_sequences(arrays), scaling)
    tokens = tokenise(checked.words, backbone, config.max_pieces)
    ids = [str(index) for index in range(count)]
    return SplitData.select(ids, tokens, features, np.arange(count))


def tensors_of_store(
    store: Store, config: ModelConfig, backbone: Path, split: str | None
) -> SplitData:
    """Bring the utterances of a store into the form that models read, without their labels.

    Args:
        store: An open store.
        config: The model's configuration.
        backbone: The prepared backbone's folder.
        split: Which split; all of them when None.

    Returns:
        The utterances in the store's order.

    Raises:
        InputError: The store does not have what the model was trained on.
    """
    _require_fit(store, config)
    features = {
        m: (store.features(m), _scaling_of_store(store, config, m)) for m in config.read_features
    }
    chosen = np.ones(len(store.utterances), dtype=bool)
    if split is not None:
        chosen = (store.utterances["split"] == split).to_numpy()
    tokens = cached_tokens(store, backbone, config.max_pieces)
    ids = store.utterances["id"].tolist()
    return SplitData.select(ids, tokens, features, np.flatnonzero(chosen))


def _scaling_of_store(store: Store, config: ModelConfig, modality: str) -> Scaling | None:
    if config.normalisation == "per_video":
        return scaling_of(store, modality, "per_video")
    return config.features[modality].scaling(len(store.utterances))


def _scaling_by_video(arrays: list[Array], videos: list[str | None]) -> Scaling:
    """Return the scaling of N sequences (T, d) by those of the same video."""
    numbers = {video: number for number, video in enumerate(dict.fromkeys(videos))}
    group = np.array([numbers[video] for video in videos], dtype=np.int64)
    moments = GroupMoments(len(numbers), arrays[0].shape[1])
    for array, number in zip(arrays, group, strict=True):
        moments.add(array, [int(number)])
    return Scaling.of_groups(moments.mean, moments.std(), group)


def _require_fit(store: Store, config: ModelConfig) -> None:
    if store.has_text != config.has_text:
        found, wanted = (
            "utterances with text" if has_text else "utterances without text"
            for has_text in (store.has_text, config.has_text)
        )
        raise InputError(store.path, "text", found, f"{wanted}, as the model was trained")
    for modality, own in config.read_features.items():
        if modality not in store.modalities:
            found = ", ".join(store.modalities) or "text only"
            raise InputError(store.path, "modalities", found, f"{modality} too")
        dimension = store.dimensions[modality]
        if dimension != own.dimension:
            field = f"dimensions.{modality}"
            raise InputError(store.path, field, dimension, f"{own.dimension}, the model's")
        if store.word_aligned[modality] != own.word_aligned:
            field, aligned = f"word_aligned.{modality}", store.word_aligned[modality]
            raise InputError(store.path, field, aligned, f"{own.word_aligned}, the model's")
