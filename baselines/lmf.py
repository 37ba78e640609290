"""Low-rank Multimodal Fusion, LMF (Liu et al. 2018, ACL, arXiv 1806.00064).

    sentiment ← Σ_r w_r · Π_m (U_m[r] · [1 ; z_m]) + b

TFN's outer product is never formed: the weight tensor that would read it is a sum of R rank-one
tensors, so that its product with the outer product falls apart into one product a modality.
Trained on L1. ``amb.model.subnetworks`` makes the z_m, as in TFN.

Text, BERT: as in TFN; MMSA 2.2.1 gives precomputed, so frozen, last hidden states of BERT to the
text sub-network's LSTM. ``bert: finetuned`` trains BERT as well. The paper's text is GloVe vectors.
Departure: see ``amb.model.subnetworks`` for padding, dropout and batches of one utterance.
Departure: the fusion weights w and bias b, the authors' addition to the paper's plain sum over
ranks, are trained. The authors' script and MMSA hand their optimiser every parameter but these
two (``parameters()[:3]`` and ``[5:]``), which therefore stay at their initial values.
Departure: no dropout after the fusion; the public codes name a rate and never apply it.
Reconstruction: the defaults are MMSA's values for MOSI; z_t has half the LSTM's width, as in the
public codes; with audio or visual alone, the product has two factors.

Notation: B batch, L text length, D hidden size, W_m width of a modality's vector, R rank.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import reduce
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


class LowRankFusion(nn.Module):
    """The low-rank contraction of an outer product with a weight tensor.

    Args:
        widths: W_m of each modality.
        rank: R.
    """

    def __init__(self, widths: Mapping[str, int], rank: int) -> None:
        super().__init__()
        self.factors = nn.ParameterDict(
            {m: nn.Parameter(torch.empty(rank, 1 + width)) for m, width in widths.items()}
        )
        self.over_ranks = nn.Linear(rank, 1)
        for matrix in [*self.factors.values(), self.over_ranks.weight]:
            nn.init.xavier_normal_(matrix)
        nn.init.zeros_(self.over_ranks.bias)

    def forward(self, vectors: Mapping[str, Tensor]) -> Tensor:
        """Fuse: (B, W_m) of each modality → (B,)."""
        projected = [with_one(vectors[m]) @ factor.T for m, factor in self.factors.items()]
        fused = reduce(torch.mul, projected)  # (B, R)
        output: Tensor = self.over_ranks(fused).squeeze(-1)
        return output


class LowRankMultimodalFusion(SentimentModel):
    """BERT and the sub-networks, and their low-rank fusion.

    Args:
        backbone: The text encoder, frozen or not.
        subnetworks: One vector a modality.
        rank: R.
    """

    def __init__(self, backbone: BertEncoder, subnetworks: SubNetworks, rank: int) -> None:
        super().__init__()
        self.backbone = backbone
        self.subnetworks = subnetworks
        self.fusion = LowRankFusion(subnetworks.widths, rank)

    def forward(self, batch: Batch) -> Tensor:
        """Predict the sentiment of each utterance: (B,)."""
        layout = TokenLayout(batch.token_mask, batch.seeds)
        text_states = layout.pad(self.backbone(batch.token_ids, layout))  # (B, L, D)
        sentiment: Tensor = self.fusion(self.subnetworks(batch.frames, text_states, layout.mask))
        return sentiment

    def group_of(self, name: str) -> str:
        """Return ``factors`` for the factors U, which the authors train at a rate of their own."""
        return "factors" if name.startswith("fusion.factors.") else super().group_of(name)


@dataclass(frozen=True)
class Options:
    """Options of the row.

    Attributes:
        bert: ``frozen`` or ``finetuned``.
        audio_width: Units of the audio sub-network.
        visual_width: Units of the visual sub-network.
        text_hidden: Width of the text sub-network's LSTM; its output has half of it.
        audio_dropout: Dropout of the audio sub-network.
        visual_dropout: Dropout of the visual sub-network.
        rank: R.
    """

    bert: Literal["frozen", "finetuned"] = "frozen"
    audio_width: int = 16
    visual_width: int = 128
    text_hidden: int = 128
    audio_dropout: float = 0.3
    visual_dropout: float = 0.3
    rank: int = 3


def build(
    options: Mapping[str, Any], backbone: Backbone, features: FeatureShape
) -> LowRankMultimodalFusion:
    """Build LMF on text and the modalities that the data have."""
    settings = read_options(Options, options, "lmf")
    features.require_text("lmf")
    features.choose(None, "lmf")
    encoder = backbone.load(trainable=settings.bert == "finetuned")
    subnetworks = SubNetworks(
        features.dimensions,
        {"audio": settings.audio_width, "visual": settings.visual_width},
        {"audio": settings.audio_dropout, "visual": settings.visual_dropout},
        (encoder.shape.hidden_size, settings.text_hidden, settings.text_hidden // 2),
    )
    return LowRankMultimodalFusion(encoder, subnetworks, settings.rank)
