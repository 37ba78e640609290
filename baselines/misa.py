"""MISA: Modality-Invariant and -Specific Representations (Hazarika et al. 2020, arXiv 2005.03545).

    u_m ← LayerNorm(ReLU(W · utterance_m))            one for each modality m
    p_m ← sigmoid(private_m(u_m));  s_m ← sigmoid(shared(u_m))
    sentiment ← MLP(transformer([p_t, p_v, p_a, s_t, s_v, s_a]))
    loss ← task + α · similarity(s) + β · difference(p, s) + γ · reconstruction(p + s → u)

Each modality is seen twice: by one encoder that all share, whose outputs are drawn together, and
by one of its own, kept apart from the rest. A decoder sees to it that nothing is lost.

Text is the mean of fine-tuned BERT's last states over real tokens, [CLS] and [SEP] included. An
audio or visual utterance is the four final states of two stacked biLSTMs with a layer norm between.
The task loss is the mean squared error, in the paper, in its code and in MMSA 2.2.1.
Departure: audio and visual are read to their own last frame. MMSA reads as many frames as the text
has word-pieces, which on unaligned data is the first fraction of an utterance.
Departure: no layer norm for text states and no discriminator of private from shared, which the
public codes create and never train.
Departure: recurrent weights start orthogonal, as in the authors' code; in MMSA they do not.
Departure: all of BERT is trained, as in MMSA; the authors freeze its first nine layers on MOSEI.
Departure: similarity by CMD only, the paper's choice; its adversarial alternative is left out.
Departure: see ``amb.model.representation_losses``, for batches of one utterance too.
Reconstruction: the defaults are MMSA's values for MOSI. With audio or visual alone there are four
representations and one pair; similarity is the mean over the pairs, difference the sum over all
pairs, reconstruction the mean over modalities, as with three.

Notation: B batch, T frames, F features of a frame, M modalities, D width of a representation.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from amb.data.batches import Batch
from amb.data.frames import Frames
from amb.errors import InputError
from amb.model.backbone import Backbone
from amb.model.bert import BertEncoder
from amb.model.method import FeatureShape, SentimentModel
from amb.model.options import read_options
from amb.model.packing import TokenLayout
from amb.model.recurrent import BidirectionalLstm
from amb.model.representation_losses import central_moment_discrepancy, difference_loss

ORDER = ("text", "visual", "audio")  # of the representations, as in the public codes
HEADS = 2


@dataclass(frozen=True)
class Representations:
    """What MISA makes of a batch; each list has M entries (B, D), in ``ORDER``.

    Attributes:
        projected: The modalities in one space, u.
        private: p.
        shared: s.
    """

    projected: list[Tensor]
    private: list[Tensor]
    shared: list[Tensor]


class FrameEncoder(nn.Module):
    """Frames of one modality → the final states of two stacked biLSTMs, F wide each.

    Args:
        features: F.
    """

    def __init__(self, features: int) -> None:
        super().__init__()
        self.first = BidirectionalLstm(features, features)
        self.norm = nn.LayerNorm(2 * features)
        self.second = BidirectionalLstm(2 * features, features)
        for name, parameter in self.named_parameters():
            if "weight_hh" in name:
                nn.init.orthogonal_(parameter)

    def forward(self, frames: Frames) -> Tensor:
        """Encode: (B, T, F) → (B, 4F), both forward states before both backward ones."""
        states, (forward_1, backward_1) = self.first(frames.values, frames.mask)
        _, (forward_2, backward_2) = self.second(self.norm(states), frames.mask)
        return torch.cat([forward_1, forward_2, backward_1, backward_2], dim=-1)


class Subspaces(nn.Module):
    """The projections, the private encoders, the shared encoder and the decoders.

    Args:
        features: Width of each modality's utterance vector, in ``ORDER``.
        width: D.
    """

    def __init__(self, features: Mapping[str, int], width: int) -> None:
        super().__init__()
        self.project = nn.ModuleDict(
            {
                m: nn.Sequential(nn.Linear(size, width), nn.ReLU(), nn.LayerNorm(width))
                for m, size in features.items()
            }
        )
        self.private = nn.ModuleDict({m: nn.Linear(width, width) for m in features})
        self.shared = nn.Linear(width, width)
        self.decode = nn.ModuleDict({m: nn.Linear(width, width) for m in features})

    def forward(self, utterances: Mapping[str, Tensor]) -> Representations:
        """Project and split the utterance vectors, each (B, its width)."""
        projected = {m: project(utterances[m]) for m, project in self.project.items()}
        return Representations(
            list(projected.values()),
            [torch.sigmoid(self.private[m](vector)) for m, vector in projected.items()],
            [torch.sigmoid(self.shared(vector)) for vector in projected.values()],
        )

    def reconstruction(self, found: Representations) -> Tensor:
        """Return the mean squared error of the decoders, averaged over modalities."""
        triples = zip(found.projected, found.private, found.shared, strict=True)
        errors = [
            F.mse_loss(decode(private + shared), projected)
            for decode, (projected, private, shared) in zip(
                self.decode.values(), triples, strict=True
            )
        ]
        return torch.stack(errors).mean()


class Misa(SentimentModel):
    """BERT, the frame encoders, the subspaces and the transformer that fuses them.

    Args:
        backbone: The text encoder, fine-tuned.
        dimensions: F of each audio or visual modality.
        width: D.
        dropout: Probability, in the head.
        weights: Of the terms of the loss besides ``task``, by name.
    """

    def __init__(
        self,
        backbone: BertEncoder,
        dimensions: Mapping[str, int],
        width: int,
        dropout: float,
        weights: Mapping[str, float],
    ) -> None:
        super().__init__()
        self.backbone = backbone
        self.frames = nn.ModuleDict({m: FrameEncoder(size) for m, size in dimensions.items()})
        features = {m: 4 * size for m, size in dimensions.items()}
        features["text"] = backbone.shape.hidden_size
        self.subspaces = Subspaces({m: features[m] for m in ORDER if m in features}, width)
        self.transformer = nn.TransformerEncoderLayer(width, HEADS, batch_first=True)
        joined = 2 * len(features) * width
        self.head = nn.Sequential(
            nn.Linear(joined, joined // 2),
            nn.Dropout(dropout),
            nn.ReLU(),
            nn.Linear(joined // 2, 1),
        )
        self.weights = dict(weights)

    def forward(self, batch: Batch) -> Tensor:
        """Predict the sentiment of each utterance: (B,)."""
        return self._fuse(self._represent(batch))

    def loss(self, batch: Batch) -> Tensor:
        """Return the weighted sum of the terms, a scalar."""
        terms = self.loss_terms(batch)
        weighted = [weight * terms[name] for name, weight in self.weights.items()]
        return terms["task"] + torch.stack(weighted).sum()

    def loss_terms(self, batch: Batch) -> dict[str, Tensor]:
        """Return ``task``, ``similarity``, ``difference``, ``reconstruction``, unweighted."""
        assert batch.labels is not None, "a batch without labels has no loss"
        found = self._represent(batch)
        return {
            "task": F.mse_loss(self._fuse(found), batch.labels),
            "similarity": _similarity(found),
            "difference": _difference(found),
            "reconstruction": self.subspaces.reconstruction(found),
        }

    def _represent(self, batch: Batch) -> Representations:
        layout = TokenLayout(batch.token_mask, batch.seeds)
        utterances = {m: encoder(batch.frames[m]) for m, encoder in self.frames.items()}
        utterances["text"] = layout.mean(self.backbone(batch.token_ids, layout))
        found: Representations = self.subspaces(utterances)
        return found

    def _fuse(self, found: Representations) -> Tensor:
        stacked = torch.stack([*found.private, *found.shared], dim=1)  # (B, 2M, D)
        sentiment: Tensor = self.head(self.transformer(stacked).flatten(1)).squeeze(-1)
        return sentiment


def _similarity(found: Representations) -> Tensor:
    """Average the discrepancy of the shared representations over pairs of modalities."""
    pairs = combinations(found.shared, 2)
    return torch.stack([central_moment_discrepancy(*pair) for pair in pairs]).mean()


def _difference(found: Representations) -> Tensor:
    """Add up what is common: private to shared of each modality, and private to private."""
    pairs = [*zip(found.private, found.shared, strict=True), *combinations(found.private, 2)]
    return torch.stack([difference_loss(*pair) for pair in pairs]).sum()


@dataclass(frozen=True)
class Options:
    """Options of the row.

    Attributes:
        width: D, an even number.
        dropout: Dropout of the head.
        similarity_weight: α.
        difference_weight: β.
        reconstruction_weight: γ.
    """

    width: int = 128
    dropout: float = 0.2
    similarity_weight: float = 0.3
    difference_weight: float = 0.1
    reconstruction_weight: float = 1.0


def build(options: Mapping[str, Any], backbone: Backbone, features: FeatureShape) -> Misa:
    """Build MISA on text and the modalities that the data have."""
    settings = read_options(Options, options, "misa")
    features.require_text("misa")
    features.choose(None, "misa")
    if settings.width % HEADS:
        raise InputError("method misa", "options.width", settings.width, "an even number")
    weights = {
        "similarity": settings.similarity_weight,
        "difference": settings.difference_weight,
        "reconstruction": settings.reconstruction_weight,
    }
    encoder = backbone.load(trainable=True)
    return Misa(encoder, features.dimensions, settings.width, settings.dropout, weights)
