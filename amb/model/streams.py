"""Text, audio and visual, each read by an encoder of its own and reduced to one vector.

The pieces of late fusion. Text is a frozen BERT's pooled output, or token states that came with
the data (GloVe vectors, say), encoded as audio and visual frames are.

Notation: B batch, D hidden size of BERT, W width of a state.
"""

from __future__ import annotations

from typing import Literal

from torch import Tensor, nn

from amb.data.batches import Batch
from amb.data.dataset import TEXT_STATES
from amb.errors import InputError
from amb.model.audiovisual import WIDTH, AudioVisualEncoder, mean_over_frames
from amb.model.backbone import Backbone
from amb.model.bert import BertEncoder
from amb.model.method import FeatureShape
from amb.model.packing import TokenLayout

TextSource = Literal["bert", "states", "none"]
TEXT = "text"


class Streams(nn.Module):
    """One vector a modality.

    Args:
        encoder: A frozen BERT, or None where no words are read.
        pooling: ``cls`` or ``mean``.
        frames: Encoder of audio and visual frames, and of token states if any; None where text
            stands alone.
    """

    def __init__(
        self, encoder: BertEncoder | None, pooling: str, frames: AudioVisualEncoder | None
    ) -> None:
        super().__init__()
        self.encoder = encoder
        self.pooling = pooling
        self.frames = frames
        self.widths: dict[str, int] = {}
        if encoder is not None:
            self.widths[TEXT] = encoder.shape.hidden_size
        if frames is not None:
            self.widths |= frames.widths

    def forward(self, batch: Batch) -> dict[str, Tensor]:
        """Encode a batch: (B, D) for ``text``, then (B, W) for every other modality."""
        vectors = {}
        if self.encoder is not None:
            layout = TokenLayout(batch.token_mask, batch.seeds)
            hidden_states = self.encoder(batch.token_ids, layout)
            vectors[TEXT] = layout.pool(hidden_states, self.pooling)
        if self.frames is not None:
            for modality, states in self.frames(batch.frames).items():
                vectors[modality] = mean_over_frames(states, batch.frames[modality].mask)
        return vectors


def build_streams(
    text: TextSource,
    dimensions: dict[str, int],
    backbone: Backbone,
    features: FeatureShape,
    method: str,
    width: int = WIDTH,
) -> Streams:
    """Build the encoders of some modalities.

    Args:
        text: ``bert``, ``states`` (precomputed token states) or ``none``.
        dimensions: Features of a frame of the audio and visual modalities that are read.
        backbone: The prepared backbone.
        features: What the data have.
        method: Name for messages.
        width: W.

    Returns:
        The encoders; BERT is frozen.

    Raises:
        InputError: The data have no text, or no token states, and are asked for them.
    """
    encoder = None
    if text == "bert":
        features.require_text(f"{method} with text: bert")
        encoder = backbone.load(trainable=False)
    if text == "states":
        if features.text_states is None:
            raise InputError("store", TEXT_STATES, "none", f"token states for {method}")
        dimensions = {**dimensions, TEXT_STATES: features.text_states}
    frames = AudioVisualEncoder(dimensions, width=width) if dimensions else None
    return Streams(encoder, backbone.settings.pooling, frames)
