"""What a point of the grid does to a batch.

Notation: B batch.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from torch import Tensor

from amb.data.batches import Batch
from amb.data.dataset import TEXT_STATES
from amb.data.frames import Frames
from amb.evaluation.corruption.encoders import EmbeddingNoise
from amb.evaluation.corruption.fields import FieldKey, uniform
from amb.evaluation.corruption.frames import FeatureUnit, corrupt_frames, without
from amb.evaluation.corruption.points import GridPoint
from amb.evaluation.corruption.split import CorruptedFrames
from amb.evaluation.corruption.words import mask_all, mask_share

TEXT = "text"


class NotApplicableError(Exception):
    """A corruption that cannot reach what a model reads."""


@dataclass(frozen=True)
class InputCorruption:
    """A point of the grid as a change of batches.

    Attributes:
        point: The point.
        units: What features are counted in, by modality.
        mask_id: Id of the mask token.
        noise: Told of every batch, for ``embedding_noise``.
    """

    point: GridPoint
    units: Mapping[str, FeatureUnit]
    mask_id: int
    noise: EmbeddingNoise

    def __call__(self, batch: Batch, utterances: Sequence[str]) -> Batch:
        """Corrupt a batch.

        Args:
            batch: B utterances.
            utterances: Their ids.

        Returns:
            The batch that a model sees; what it does not ask for is not made. A model that asks
            for token states where word-pieces are corrupted meets ``NotApplicableError``.
        """
        kinds: dict[str, Callable[[Batch, Sequence[str]], Batch]] = {
            "missing": self._missing,
            "token_mask": self._token_mask,
            "embedding_noise": self._embedding_noise,
        }
        return kinds.get(self.point.condition.kind, self._frames)(batch, utterances)

    def _frames(self, batch: Batch, utterances: Sequence[str]) -> Batch:
        def corrupt(frames: Frames, modality: str) -> Frames:
            if modality not in self.point.condition.modalities:
                return frames
            return corrupt_frames(frames, self.point, modality, utterances, self.units[modality])

        return _with_frames(batch, corrupt)

    def _missing(self, batch: Batch, utterances: Sequence[str]) -> Batch:
        modalities = self.point.condition.modalities
        lacking = self._lacking(batch, utterances)
        if TEXT in modalities:
            batch = replace(batch, token_ids=mask_all(batch, lacking, self.mask_id))

        def remove(frames: Frames, modality: str) -> Frames:
            gone = (TEXT if modality == TEXT_STATES else modality) in modalities
            return without(frames, lacking, self.units[modality]) if gone else frames

        return _with_frames(batch, remove)

    def _lacking(self, batch: Batch, utterances: Sequence[str]) -> Tensor:
        """Return in which utterances the target is missing: (B,) bool; a pair goes together."""
        condition = self.point.condition
        key = FieldKey(condition.kind, condition.target, self.point.draw)
        chance = key.once(uniform, utterances).to(batch.token_ids.device)
        return chance < condition.level

    def _token_mask(self, batch: Batch, utterances: Sequence[str]) -> Batch:
        condition = self.point.condition
        key = FieldKey(condition.kind, TEXT, self.point.draw)
        token_ids = mask_share(batch, condition.level, key, utterances, self.mask_id)
        return _with_frames(replace(batch, token_ids=token_ids), _refuse_token_states)

    def _embedding_noise(self, batch: Batch, utterances: Sequence[str]) -> Batch:
        self.noise.begin(batch, utterances)
        return _with_frames(batch, _refuse_token_states)


def _with_frames(batch: Batch, corrupt: Callable[[Frames, str], Frames]) -> Batch:
    return replace(batch, frames=CorruptedFrames(batch.frames, corrupt))


def _refuse_token_states(frames: Frames, modality: str) -> Frames:
    if modality == TEXT_STATES:
        raise NotApplicableError("reads precomputed token states, not word-pieces")
    return frames
