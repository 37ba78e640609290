"""Late fusion: pooled BERT and pooled audio-visual states meet just before the head.

    sentiment ← linear(dropout(ReLU(W·[pool(BERT(text)) ; mean(a) ; mean(v)])))

BERT trains in full unless ``frozen_bert`` is set. The audio-visual encoder is AMB's, so that the
contrast with AMB's counterpart is about *where* the modalities meet.

Reconstruction: the sizes; late fusion has no single source. Feature-level fusion after BERT as in
the toolkits of the field.

Notation: B batch, D hidden size, W width of an audio or visual state.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from amb.data.batches import Batch, Frames
from amb.model.amb import HEAD_DROPOUT
from amb.model.audiovisual import AudioVisualEncoder
from amb.model.backbone import Backbone
from amb.model.bert import BertEncoder
from amb.model.method import FeatureShape, SentimentModel, read_options
from amb.model.packing import TokenLayout

HIDDEN = 128


class LateFusion(SentimentModel):
    """BERT and the audio-visual encoder side by side, joined before the head.

    Args:
        backbone: The text encoder, frozen or not.
        pooling: ``cls`` or ``mean``.
        audiovisual: The encoder of audio and visual sequences.
        hidden: Units of the joint layer.
    """

    def __init__(
        self, backbone: BertEncoder, pooling: str, audiovisual: AudioVisualEncoder, hidden: int
    ) -> None:
        super().__init__()
        self.backbone = backbone
        self.pooling = pooling
        self.audiovisual = audiovisual
        joined = backbone.shape.hidden_size + sum(audiovisual.widths.values())
        self.joint = nn.Linear(joined, hidden)
        self.dropout = nn.Dropout(HEAD_DROPOUT)
        self.head = nn.Linear(hidden, 1)

    def forward(self, batch: Batch) -> Tensor:
        """Predict the sentiment of each utterance: (B,)."""
        layout = TokenLayout(batch.token_mask)
        text = layout.pool(self.backbone(batch.token_ids, layout), self.pooling)  # (B, D)
        states = self.audiovisual(batch.frames)
        pooled = [_mean(states[m], batch.frames[m]) for m in states]  # each (B, W)
        joint = torch.relu(self.joint(torch.cat([text, *pooled], dim=-1)))
        sentiment: Tensor = self.head(self.dropout(joint)).squeeze(-1)
        return sentiment


@dataclass(frozen=True)
class Options:
    """Options of the row: units of the joint layer, and whether BERT stays frozen."""

    hidden: int = HIDDEN
    frozen_bert: bool = False


def build(options: Mapping[str, Any], backbone: Backbone, features: FeatureShape) -> LateFusion:
    """Build late fusion of BERT with the modalities that the data have."""
    settings = read_options(Options, options, "late_fusion")
    features.require_any("late_fusion")
    encoder = backbone.load(trainable=not settings.frozen_bert)
    audiovisual = AudioVisualEncoder(features.dimensions)
    return LateFusion(encoder, backbone.settings.pooling, audiovisual, settings.hidden)


def _mean(states: Tensor, frames: Frames) -> Tensor:
    """Average states (B, T, W) over the frames that exist: (B, W)."""
    count = frames.mask.sum(1, keepdim=True).clamp(min=1)
    return states.sum(1) / count
