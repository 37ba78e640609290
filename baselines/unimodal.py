"""One modality alone: the floor of what fusion has to add to.

    sentiment ← linear(dropout(ReLU(W·x)))

x is the pooled output of a frozen BERT (``modality: text``), the mean of encoded token states that
came with the data (``text_states``), or the mean state of ``audio`` or ``visual`` under AMB's
encoder.

Reconstruction: the sizes, which are those of ``late_fusion``.

Notation: B batch.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor, nn

from amb.data.batches import Batch
from amb.model.audiovisual import WIDTH
from amb.model.backbone import Backbone
from amb.model.head import DROPOUT, JOINT_UNITS, LinearHead
from amb.model.method import FeatureShape, SentimentModel
from amb.model.options import read_options
from amb.model.streams import Streams, TextSource, build_streams

NAME = "unimodal"


class Unimodal(SentimentModel):
    """One stream and a head.

    Args:
        stream: The encoder of one modality.
        units: Units of the hidden layer.
        dropout: Probability, on the hidden layer.
    """

    def __init__(self, stream: Streams, units: int, dropout: float) -> None:
        super().__init__()
        self.stream = stream
        (width,) = stream.widths.values()
        self.hidden = nn.Linear(width, units)
        self.head = LinearHead(units, dropout)

    def forward(self, batch: Batch) -> Tensor:
        """Predict the sentiment of each utterance: (B,)."""
        (vector,) = self.stream(batch).values()
        sentiment: Tensor = self.head(torch.relu(self.hidden(vector)))
        return sentiment


@dataclass(frozen=True)
class Options:
    """Options of the row.

    Attributes:
        modality: What is read.
        units: Units of the hidden layer.
        width: Units of the states of audio, visual and token states.
        dropout: On the hidden layer.
    """

    modality: Literal["text", "text_states", "audio", "visual"] = "text"
    units: int = JOINT_UNITS
    width: int = WIDTH
    dropout: float = DROPOUT


def build(options: Mapping[str, Any], backbone: Backbone, features: FeatureShape) -> Unimodal:
    """Build the row for one modality."""
    own = read_options(Options, options, NAME)
    sources: dict[str, TextSource] = {"text": "bert", "text_states": "states"}
    text = sources.get(own.modality, "none")
    dimensions = {} if own.modality in sources else features.choose([own.modality], NAME)
    stream = build_streams(text, dimensions, backbone, features, NAME, own.width)
    return Unimodal(stream, own.units, own.dropout)
