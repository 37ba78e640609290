"""Adapted Multimodal BERT, and the family it belongs to.

A BERT whose layers are followed by an adapter and a fusion layer, either of which may be absent::

    h ← embeddings(text);  a, v ← audio-visual encoder
    for each layer:  h ← layer(h);  h ← adapter(h);  h ← fusion(h, a, v)
    sentiment ← linear(dropout(pool(h)))

AMB freezes BERT and trains the rest (``build``). Its fully fine-tuned counterpart trains BERT,
has no adapters and keeps the fusion layers; without those too it is text-only BERT.

Source: Chlapanis, Paraskevopoulos, Potamianos 2022 (arXiv 2212.00678), abstract.
Reconstruction: everything that the abstract leaves open; see the modules that this one joins.

Notation: B batch, N word-pieces in the batch, D hidden size.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn

from amb.data.batches import Batch
from amb.model.adapter import Adapter
from amb.model.audiovisual import AudioVisualEncoder
from amb.model.backbone import Backbone
from amb.model.bert import BertEncoder
from amb.model.fusion import BOTTLENECK, FusionLayer
from amb.model.method import FeatureShape, SentimentModel, read_options
from amb.model.packing import TokenLayout

HEAD_DROPOUT = 0.1


class AdaptedMultimodalBert(SentimentModel):
    """BERT with an optional adapter and an optional fusion layer after each of its layers.

    Args:
        backbone: The encoder, frozen or not.
        pooling: ``cls`` or ``mean``.
        adapters: One a layer, or None.
        audiovisual: The encoder of audio and visual sequences, or None for text only.
        fusion: One a layer, or None for text only.
    """

    def __init__(
        self,
        backbone: BertEncoder,
        pooling: str,
        adapters: list[Adapter] | None = None,
        audiovisual: AudioVisualEncoder | None = None,
        fusion: list[FusionLayer] | None = None,
    ) -> None:
        super().__init__()
        self.backbone = backbone
        self.pooling = pooling
        self.adapters = nn.ModuleList(adapters) if adapters else None
        self.audiovisual = audiovisual
        self.fusion = nn.ModuleList(fusion) if fusion else None
        self.dropout = nn.Dropout(HEAD_DROPOUT)
        self.head = nn.Linear(backbone.shape.hidden_size, 1)

    def forward(self, batch: Batch) -> Tensor:
        """Predict the sentiment of each utterance: (B,)."""
        layout = TokenLayout(batch.token_mask)
        states = {} if self.audiovisual is None else self.audiovisual(batch.frames)
        hidden_states = self.backbone.embeddings(batch.token_ids, layout)  # (N, D)
        for index, layer in enumerate(self.backbone.layers):
            hidden_states = layer(hidden_states, layout)
            if self.adapters is not None:
                hidden_states = self.adapters[index](hidden_states)
            if self.fusion is not None:
                hidden_states = self.fusion[index](hidden_states, states, batch, layout)
        pooled = layout.pool(hidden_states, self.pooling)  # (B, D)
        sentiment: Tensor = self.head(self.dropout(pooled)).squeeze(-1)
        return sentiment


@dataclass(frozen=True)
class Options:
    """Options of the row ``amb``: sizes of its bottlenecks, D / 16 and 64 when left out."""

    adapter_bottleneck: int | None = None
    fusion_bottleneck: int = BOTTLENECK


def build(
    options: Mapping[str, Any], backbone: Backbone, features: FeatureShape
) -> AdaptedMultimodalBert:
    """Build AMB: frozen BERT, adapters and fusion layers after every layer.

    Args:
        options: See ``Options``.
        backbone: The prepared backbone.
        features: What the data have besides text.

    Returns:
        The model, its new parameters initialised from torch's current generator.

    Raises:
        InputError: An option is unknown or of the wrong type, or the data have no audio or visual.
    """
    settings = read_options(Options, options, "amb")
    features.require_text("amb")
    features.require_any("amb")
    encoder = backbone.load(trainable=False)
    layers = range(encoder.shape.num_hidden_layers)
    audiovisual, fusion = build_fusion(encoder, features, settings.fusion_bottleneck)
    return AdaptedMultimodalBert(
        encoder,
        backbone.settings.pooling,
        [Adapter(encoder.shape.hidden_size, settings.adapter_bottleneck) for _ in layers],
        audiovisual,
        fusion,
    )


def build_fusion(
    encoder: BertEncoder, features: FeatureShape, bottleneck: int
) -> tuple[AudioVisualEncoder, list[FusionLayer]]:
    """Build the audio-visual encoder and one fusion layer for each layer of ``encoder``."""
    audiovisual = AudioVisualEncoder(features.dimensions)
    fusion = [
        FusionLayer(
            encoder.shape.hidden_size, audiovisual.widths, features.word_aligned, bottleneck
        )
        for _ in range(encoder.shape.num_hidden_layers)
    ]
    return audiovisual, fusion
