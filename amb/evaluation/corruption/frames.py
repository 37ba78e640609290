"""Corruptions of audio and visual frames, after scaling.

Notation: B batch, T longest sequence of the batch, F features of a frame.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from amb.data.frames import Frames
from amb.data.normalisation import Scaling, scaling_of
from amb.data.store import Store
from amb.evaluation.corruption.fields import FieldKey, normal, uniform
from amb.evaluation.corruption.points import GridPoint


@dataclass(frozen=True)
class FeatureUnit:
    """What a model's inputs are counted in: mean (F,) and standard deviation (F,) of a feature.

    0 and 1 where features are scaled; those of the train split where they are not.
    """

    mean: Tensor
    std: Tensor

    @classmethod
    def of(
        cls, store: Store, modality: str, normalisation: str, device: torch.device
    ) -> FeatureUnit:
        """Return the unit of one modality of a store."""
        width = store.dimensions[modality]
        if normalisation != "none":
            return cls(torch.zeros(width, device=device), torch.ones(width, device=device))
        own = scaling_of(store, modality, "zscore")
        assert isinstance(own, Scaling)
        mean, std = (torch.from_numpy(values[0]).to(device) for values in (own.mean, own.std))
        return cls(mean, std)


Corrupt = Callable[[Frames, float, FieldKey, Sequence[str], FeatureUnit], Tensor]


def corrupt_frames(
    frames: Frames, point: GridPoint, modality: str, utterances: Sequence[str], unit: FeatureUnit
) -> Frames:
    """Corrupt the frames of one modality of a batch.

    Args:
        frames: Values (B, T, F) and mask.
        point: A point of a kind in ``KINDS``.
        modality: Whose frames they are.
        utterances: Ids of the utterances (B).
        unit: Of the features.

    Returns:
        Frames of the same shape, with zeros as padding.
    """
    condition = point.condition
    key = FieldKey(condition.kind, modality, point.draw)
    values = KINDS[condition.kind](frames, condition.level, key, utterances, unit)
    return Frames(torch.where(frames.mask.unsqueeze(-1), values, 0.0), frames.mask)


def without(frames: Frames, lacking: Tensor, unit: FeatureUnit) -> Frames:
    """Set all frames of some utterances to the mean.

    Args:
        frames: Values (B, T, F) and mask.
        lacking: (B,) bool, which utterances.
        unit: Of the features.

    Returns:
        Frames of the same shape, with zeros as padding.
    """
    gone = lacking[:, None] & frames.mask  # (B, T)
    return Frames(torch.where(gone.unsqueeze(-1), unit.mean, frames.values), frames.mask)


def _gaussian(
    frames: Frames, level: float, key: FieldKey, utterances: Sequence[str], unit: FeatureUnit
) -> Tensor:
    noise = key.padded(normal, utterances, frames.mask, frames.values.shape[-1])
    return frames.values + level * unit.std * noise


def _feature_dropout(
    frames: Frames, level: float, key: FieldKey, utterances: Sequence[str], unit: FeatureUnit
) -> Tensor:
    chance = key.padded(uniform, utterances, frames.mask, frames.values.shape[-1])
    return torch.where(chance < level, unit.mean, frames.values)


def _temporal_shuffle(
    frames: Frames, level: float, key: FieldKey, utterances: Sequence[str], unit: FeatureUnit
) -> Tensor:
    order = torch.arange(frames.mask.shape[1]).repeat(len(utterances), 1)  # (B, T)
    for row, length in enumerate(frames.mask.sum(1).tolist()):
        rng = key.generator(utterances[row])
        moving = torch.from_numpy(uniform(rng, (length,)) < level).nonzero().squeeze(1)
        rank = torch.from_numpy(uniform(rng, (length,)))[moving].argsort(stable=True)
        order[row, moving] = moving[rank]
    order = order.to(frames.values.device).unsqueeze(-1).expand_as(frames.values)
    return frames.values.gather(1, order)


KINDS: dict[str, Corrupt] = {
    "gaussian": _gaussian,
    "feature_dropout": _feature_dropout,
    "temporal_shuffle": _temporal_shuffle,
}
