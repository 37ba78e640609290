"""Late fusion at the feature level, over a frozen BERT.

    sentiment ← linear(dropout(ReLU(W·[text ; mean(a) ; mean(v)])))

Text is the pooled output of a BERT that is not trained, or the mean of encoded token states where
the data come with them (``text: states``, GloVe vectors, say); ``text: none`` fuses audio and
visual alone. The audio-visual encoder is AMB's. Fine-tuned BERT with the same fusion is
``finetuned_late``.

Reconstruction: the sizes; late fusion has no single source. Feature-level fusion after the text
encoder as in the toolkits of the field.

Notation: B batch.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from torch import Tensor

from amb.data.batches import Batch
from amb.model.audiovisual import WIDTH
from amb.model.backbone import Backbone
from amb.model.head import DROPOUT, JOINT_UNITS, LateHead
from amb.model.method import FeatureShape, SentimentModel
from amb.model.options import read_options
from amb.model.streams import Streams, TextSource, build_streams

NAME = "late_fusion"


class LateFusion(SentimentModel):
    """Streams whose vectors are concatenated before the head.

    Args:
        streams: The encoders.
        units: Units of the joint layer.
        dropout: Probability, on the joint layer.
    """

    def __init__(self, streams: Streams, units: int, dropout: float) -> None:
        super().__init__()
        self.streams = streams
        self.head = LateHead(list(streams.widths.values()), units, dropout)

    def forward(self, batch: Batch) -> Tensor:
        """Predict the sentiment of each utterance: (B,)."""
        vectors = self.streams(batch)
        sentiment: Tensor = self.head([vectors[m] for m in self.streams.widths])
        return sentiment


@dataclass(frozen=True)
class Options:
    """Options of the row.

    Attributes:
        text: ``bert``, ``states`` (precomputed token states) or ``none``.
        modalities: Audio and visual modalities; all that the data have when left out.
        joint_units: Units of the joint layer.
        width: Units of the states of audio, visual and token states.
        dropout: On the joint layer.
    """

    text: TextSource = "bert"
    modalities: list[Literal["audio", "visual"]] | None = None
    joint_units: int = JOINT_UNITS
    width: int = WIDTH
    dropout: float = DROPOUT


def build(options: Mapping[str, Any], backbone: Backbone, features: FeatureShape) -> LateFusion:
    """Build late fusion of text with the modalities that the data have."""
    own = read_options(Options, options, NAME)
    dimensions = features.choose(own.modalities, NAME)
    streams = build_streams(own.text, dimensions, backbone, features, NAME, own.width)
    return LateFusion(streams, own.joint_units, own.dropout)
