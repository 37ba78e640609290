"""Tensor Fusion Network, TFN (Zadeh et al. 2017, EMNLP, arXiv 1707.07250).

    z ← [1 ; z_a] ⊗ [1 ; z_v] ⊗ [1 ; z_t]                    (section "Tensor Fusion Layer")
    sentiment ← 6 · sigmoid(w · ReLU(W₂ ReLU(W₁ dropout(z)))) - 3

The outer product of one vector a modality, each with a constant 1, holds every product of one, two
or three of their components; a small network reads the sentiment off it. Trained on L1.

Text, BERT: MMSA 2.2.1 gives TFN precomputed last hidden states of BERT, so frozen ones, through
the text sub-network's LSTM; it has no pooled BERT for it. So ``bert: frozen`` is the default here;
``bert: finetuned`` trains BERT as well. The paper's text is GloVe vectors.
Departure: see ``amb.model.subnetworks`` for padding, dropout and batches of one utterance.
Departure: the output's range is two constants, not two frozen parameters.
Reconstruction: the defaults are MMSA's values for MOSI; with audio or visual alone, the outer
product has two factors.

Notation: B batch, N word-pieces in the batch, L text length, D hidden size, W_m width of a
modality's vector.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from typing import Any, Literal

import torch
from torch import Tensor, nn

from amb.data.batches import Batch
from amb.model.backbone import Backbone
from amb.model.bert import BertEncoder
from amb.model.method import FeatureShape, SentimentModel
from amb.model.options import read_options
from amb.model.packing import TokenLayout
from amb.model.subnetworks import SubNetworks, with_one

LARGEST = 3.0  # the output lies between -3 and 3


class TensorFusionNetwork(SentimentModel):
    """BERT and the sub-networks, their outer product, and the network that reads it.

    Args:
        backbone: The text encoder, frozen or not.
        subnetworks: One vector a modality.
        hidden: Units of the two layers after the fusion.
        dropout: Probability, on the outer product.
    """

    def __init__(
        self, backbone: BertEncoder, subnetworks: SubNetworks, hidden: int, dropout: float
    ) -> None:
        super().__init__()
        self.backbone = backbone
        self.subnetworks = subnetworks
        fused = prod(1 + width for width in subnetworks.widths.values())
        self.inference = nn.Sequential(
            nn.Dropout(dropout),
            nn.Linear(fused, hidden),
            nn.ReLU(),
            nn.Linear(hidden, hidden),
            nn.ReLU(),
            nn.Linear(hidden, 1),
        )

    def forward(self, batch: Batch) -> Tensor:
        """Predict the sentiment of each utterance: (B,), between -3 and 3."""
        layout = TokenLayout(batch.token_mask, batch.seeds)
        text_states = layout.pad(self.backbone(batch.token_ids, layout))  # (B, L, D)
        vectors = self.subnetworks(batch.frames, text_states, layout.mask)
        logit: Tensor = self.inference(outer_product(list(vectors.values()))).squeeze(-1)
        return 2 * LARGEST * torch.sigmoid(logit) - LARGEST


def outer_product(vectors: list[Tensor]) -> Tensor:
    """Multiply vectors out, each with a 1 in front.

    Args:
        vectors: (B, W_m) of each modality.

    Returns:
        (B, Π(1 + W_m)), the last modality's components running fastest.
    """
    product = with_one(vectors[0])
    for vector in vectors[1:]:
        product = (product.unsqueeze(2) * with_one(vector).unsqueeze(1)).flatten(1)
    return product


@dataclass(frozen=True)
class Options:
    """Options of the row.

    Attributes:
        bert: ``frozen`` or ``finetuned``.
        audio_width: Units of the audio sub-network.
        visual_width: Units of the visual sub-network.
        text_hidden: Width of the text sub-network's LSTM.
        text_width: Units of the text sub-network's output.
        audio_dropout: Dropout of the audio sub-network.
        visual_dropout: Dropout of the visual sub-network.
        fusion_hidden: Units of the layers after the fusion.
        fusion_dropout: Dropout on the outer product.
    """

    bert: Literal["frozen", "finetuned"] = "frozen"
    audio_width: int = 32
    visual_width: int = 128
    text_hidden: int = 128
    text_width: int = 32
    audio_dropout: float = 0.3
    visual_dropout: float = 0.3
    fusion_hidden: int = 64
    fusion_dropout: float = 0.5


def build(
    options: Mapping[str, Any], backbone: Backbone, features: FeatureShape
) -> TensorFusionNetwork:
    """Build TFN on text and the modalities that the data have."""
    settings = read_options(Options, options, "tfn")
    features.require_text("tfn")
    features.choose(None, "tfn")
    encoder = backbone.load(trainable=settings.bert == "finetuned")
    subnetworks = SubNetworks(
        features.dimensions,
        {"audio": settings.audio_width, "visual": settings.visual_width},
        {"audio": settings.audio_dropout, "visual": settings.visual_dropout},
        (encoder.shape.hidden_size, settings.text_hidden, settings.text_width),
    )
    return TensorFusionNetwork(
        encoder, subnetworks, settings.fusion_hidden, settings.fusion_dropout
    )
