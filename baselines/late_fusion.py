"""Late fusion: pooled BERT and pooled audio-visual states meet just before the head.

    sentiment ← linear(dropout(ReLU(W·[pool(BERT(text)) ; mean(a) ; mean(v)])))

BERT trains in full unless ``frozen_bert`` is set. Where the data come with token states that
somebody computed beforehand (GloVe vectors, say), ``text: states`` encodes these in place of BERT,
as it does audio and visual frames; ``text: none`` fuses audio and visual alone. The audio-visual
encoder is AMB's, so that the contrast with AMB's counterpart is about *where* the modalities meet.

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
from amb.data.dataset import TEXT_STATES
from amb.errors import InputError
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
        backbone: The text encoder, frozen or not; None for a model that does not read words.
        pooling: ``cls`` or ``mean``.
        audiovisual: The encoder of audio and visual sequences, and of token states if any.
        hidden: Units of the joint layer.
    """

    def __init__(
        self,
        backbone: BertEncoder | None,
        pooling: str,
        audiovisual: AudioVisualEncoder,
        hidden: int,
    ) -> None:
        super().__init__()
        self.backbone = backbone
        self.pooling = pooling
        self.audiovisual = audiovisual
        text = 0 if backbone is None else backbone.shape.hidden_size
        joined = text + sum(audiovisual.widths.values())
        self.joint = nn.Linear(joined, hidden)
        self.dropout = nn.Dropout(HEAD_DROPOUT)
        self.head = nn.Linear(hidden, 1)

    def forward(self, batch: Batch) -> Tensor:
        """Predict the sentiment of each utterance: (B,)."""
        pooled = []  # (B, D) where there is BERT, then (B, W) of each modality
        if self.backbone is not None:
            layout = TokenLayout(batch.token_mask)
            pooled.append(layout.pool(self.backbone(batch.token_ids, layout), self.pooling))
        states = self.audiovisual(batch.frames)
        pooled += [_mean(states[m], batch.frames[m]) for m in states]
        joint = torch.relu(self.joint(torch.cat(pooled, dim=-1)))
        sentiment: Tensor = self.head(self.dropout(joint)).squeeze(-1)
        return sentiment


@dataclass(frozen=True)
class Options:
    """Options of the row.

    Attributes:
        hidden: Units of the joint layer.
        frozen_bert: Whether BERT stays frozen.
        text: ``bert``, ``states`` (precomputed token states) or ``none``.
    """

    hidden: int = HIDDEN
    frozen_bert: bool = False
    text: str = "bert"


def build(options: Mapping[str, Any], backbone: Backbone, features: FeatureShape) -> LateFusion:
    """Build late fusion of text with the modalities that the data have."""
    settings = read_options(Options, options, "late_fusion")
    features.require_any("late_fusion")
    encoder = None
    if settings.text == "bert":
        features.require_text("late_fusion with text: bert")
        encoder = backbone.load(trainable=not settings.frozen_bert)
    audiovisual = AudioVisualEncoder({**features.dimensions, **_states(settings.text, features)})
    return LateFusion(encoder, backbone.settings.pooling, audiovisual, settings.hidden)


def _states(text: str, features: FeatureShape) -> dict[str, int]:
    """Return the width of the token states that are to be encoded, by their name in a batch."""
    if text not in ("bert", "states", "none"):
        raise InputError("method late_fusion", "options.text", text, "bert, states or none")
    if text != "states":
        return {}
    if features.text_states is None:
        raise InputError("store", TEXT_STATES, "none", "token states for late_fusion")
    return {TEXT_STATES: features.text_states}


def _mean(states: Tensor, frames: Frames) -> Tensor:
    """Average states (B, T, W) over the frames that exist: (B, W)."""
    count = frames.mask.sum(1, keepdim=True).clamp(min=1)
    return states.sum(1) / count
