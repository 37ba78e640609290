"""MyMethod: say in a sentence what your model does, and name its paper.

    sentiment ← linear(dropout(ReLU(W_t·text + Σ_m W_m·mean(m))))      for m in {audio, visual}

This is a small model that works: a frozen BERT, the mean frame of each modality, and a sum. Change
what stands at "CHANGE". `amb new method` wrote this file; docs/add-a-method.md leads through it.

Reconstruction: whatever your paper does not fix; say it here.

Notation: B batch, L text length, T frames, N word-pieces in the batch, D hidden size of BERT,
F features of a frame, H units of the joint layer.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from amb.data.batches import Batch
from amb.model.audiovisual import mean_over_frames
from amb.model.backbone import Backbone
from amb.model.bert import BertEncoder
from amb.model.head import LinearHead
from amb.model.method import FeatureShape, SentimentModel
from amb.model.options import read_options
from amb.model.packing import TokenLayout

NAME = "my_method"


class MyMethod(SentimentModel):
    """The model.

    Args:
        backbone: The text encoder. Parameters below ``self.backbone`` train at the study's
            ``backbone_learning_rate``, all others at its ``learning_rate``.
        pooling: How the study reads BERT's last layer: ``cls`` or ``mean``.
        dimensions: F of each modality that is read.
        units: H.
        dropout: Probability, on the joint layer.
    """

    def __init__(
        self,
        backbone: BertEncoder,
        pooling: str,
        dimensions: dict[str, int],
        units: int,
        dropout: float,
    ) -> None:
        super().__init__()
        self.backbone = backbone
        self.pooling = pooling
        # CHANGE: your layers. What trains must be a module or an nn.Parameter, what is computed
        # once a register_buffer: nothing else gets into a checkpoint.
        self.text = nn.Linear(backbone.shape.hidden_size, units)
        self.frames = nn.ModuleDict({m: nn.Linear(F, units) for m, F in dimensions.items()})
        self.head = LinearHead(units, dropout)  # dropout by modules: seeds then train as one model

    def forward(self, batch: Batch) -> Tensor:
        """Predict the sentiment of each utterance: (B,), never looking at ``batch.labels``."""
        # Word-pieces without padding, (N, D). layout.pad(states) gives (B, L, D), whose mask is
        # batch.token_mask; batch.word_index (B, L) says to which word each piece belongs.
        layout = TokenLayout(batch.token_mask, batch.seeds)
        hidden_states = self.backbone(batch.token_ids, layout)
        joint = self.text(layout.pool(hidden_states, self.pooling))  # (B, H)
        for modality, projection in self.frames.items():
            frames = batch.frames[modality]  # values (B, T, F), mask (B, T): true at real frames
            # CHANGE: your fusion. Whatever is computed over T must leave padding out.
            joint = joint + projection(mean_over_frames(frames.values, frames.mask))
        sentiment: Tensor = self.head(torch.relu(joint))
        return sentiment

    # CHANGE: a loss of your own, if it is not the mean absolute error:
    #
    # def loss(self, batch: Batch) -> Tensor:
    #     return torch.nn.functional.mse_loss(self(batch), batch.labels)


@dataclass(frozen=True)
class Options:
    """What a study can set under ``options`` of the row; CHANGE to what your model has.

    Attributes:
        finetune: Whether BERT trains; if not, it is frozen and reads every text once.
        units: Units of the joint layer.
        dropout: On the joint layer.
    """

    finetune: bool = False
    units: int = 128
    dropout: float = 0.1


def build(options: Mapping[str, Any], backbone: Backbone, features: FeatureShape) -> MyMethod:
    """Build the row: this function is all that the suite knows of this file."""
    own = read_options(Options, options, NAME)
    features.require_text(NAME)
    dimensions = features.choose(None, NAME)  # all that the data have: audio, visual or both
    encoder = backbone.load(trainable=own.finetune)
    return MyMethod(encoder, backbone.settings.pooling, dimensions, own.units, own.dropout)
