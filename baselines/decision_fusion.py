"""Late fusion at the decision level: every modality predicts by itself, then all are averaged.

    sentiment ← Σ_m w_m·linear_m(dropout(ReLU(W_m·x_m)))

``weights: equal`` is the plain average; ``learned`` makes w = softmax of one free number a
modality, the same for every utterance. Text is the pooled output of a frozen BERT, or token states
(``text: states``), as in ``late_fusion``.

Each modality's own answer is trained beside the average, so that none hides behind the others:
loss = MAE(average) + mean_m MAE(answer of m).

Reconstruction: all of it; decision-level fusion has no single source.

Notation: B batch, M modalities.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from amb.data.batches import Batch
from amb.model.audiovisual import WIDTH
from amb.model.backbone import Backbone
from amb.model.head import DROPOUT, JOINT_UNITS, LinearHead
from amb.model.method import FeatureShape, SentimentModel
from amb.model.options import read_options
from amb.model.streams import Streams, TextSource, build_streams

NAME = "decision_fusion"


class DecisionFusion(SentimentModel):
    """One answer a modality, averaged.

    Args:
        streams: The encoders.
        units: Units of the hidden layer before each answer.
        dropout: Probability, on the hidden layers.
        learned: Whether the weights of the average are learned.
    """

    def __init__(self, streams: Streams, units: int, dropout: float, learned: bool) -> None:
        super().__init__()
        self.streams = streams
        self.answers = nn.ModuleDict(
            {
                m: nn.Sequential(nn.Linear(width, units), nn.ReLU(), LinearHead(units, dropout))
                for m, width in streams.widths.items()
            }
        )
        self.weights = nn.Parameter(torch.zeros(len(self.answers))) if learned else None

    def forward(self, batch: Batch) -> Tensor:
        """Predict the sentiment of each utterance: (B,)."""
        return self._average(self._answer(batch))

    def loss(self, batch: Batch) -> Tensor:
        """Return the MAE of the average and the mean MAE of the single answers, added."""
        assert batch.labels is not None, "a batch without labels has no loss"
        answers = self._answer(batch)
        single = (answers - batch.labels).abs().mean()
        return F.l1_loss(self._average(answers), batch.labels) + single

    def _answer(self, batch: Batch) -> Tensor:
        """Let every modality predict: (M, B)."""
        vectors = self.streams(batch)
        return torch.stack([answer(vectors[m]) for m, answer in self.answers.items()])

    def _average(self, answers: Tensor) -> Tensor:
        """Average answers: (M, B) → (B,)."""
        if self.weights is None:
            return answers.mean(0)
        return self.weights.softmax(0) @ answers


@dataclass(frozen=True)
class Options:
    """Options of the row.

    Attributes:
        weights: ``equal`` or ``learned``.
        text: ``bert``, ``states`` (precomputed token states) or ``none``.
        modalities: Audio and visual modalities; all that the data have when left out.
        units: Units of the hidden layer before each answer.
        width: Units of the states of audio, visual and token states.
        dropout: On the hidden layers.
    """

    weights: Literal["equal", "learned"] = "equal"
    text: TextSource = "bert"
    modalities: list[Literal["audio", "visual"]] | None = None
    units: int = JOINT_UNITS
    width: int = WIDTH
    dropout: float = DROPOUT


def build(options: Mapping[str, Any], backbone: Backbone, features: FeatureShape) -> DecisionFusion:
    """Build decision-level fusion of text with the modalities that the data have."""
    own = read_options(Options, options, NAME)
    dimensions = features.choose(own.modalities, NAME)
    streams = build_streams(own.text, dimensions, backbone, features, NAME, own.width)
    return DecisionFusion(streams, own.units, own.dropout, own.weights == "learned")
